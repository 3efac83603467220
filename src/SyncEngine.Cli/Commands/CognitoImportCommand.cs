using System.CommandLine;
using SyncEngine.Cli.Cognito;
using SyncEngine.Hub.Cognito;

namespace SyncEngine.Cli.Commands;

internal static class CognitoImportCommand
{
    private const string KeyVariable = "AWS_ACCESS_KEY_ID";
    private const string SecretVariable = "AWS_SECRET_ACCESS_KEY";
    private const string TokenVariable = "AWS_SESSION_TOKEN";
    private const int LoginsBytesMax = 256 * 1024 * 1024;

    public static Command Build(Terminal terminal)
    {
        Option<string> from = new("--from")
        {
            Description = "Where it is: a region of AWS, such as us-east-1, or the address of a hub or another service that "
                + "speaks the protocol.",
            HelpName = "REGION|URL", Required = true,
        };
        Option<string> pool = new("--pool")
        {
            Description = "The identity pool's id there, which it keeps.", HelpName = "ID", Required = true,
        };
        Option<string?> state = new("--state")
        {
            Description = "A file in which is noted what is done: where it is there, the import goes on. Default "
                + "cognito-import-ID.state in the current folder.",
            HelpName = "FILE",
        };
        Option<string?> logins = new("--logins")
        {
            Description = "What only you know: lines IDENTITY_ID,PROVIDER,SUBJECT. Other logins of providers are taken from who "
                + "first comes with the identity's id and such a login.",
            HelpName = "FILE",
        };
        Option<bool> dryRun = new("--dry-run") { Description = "Read all of it and tell how much it is; write nothing." };
        Command command = new Command("import", "Bring an identity pool with all identities and datasets to a hub, with the "
            + "same ids and sync counts, so that apps change the endpoint alone. Signs with the developer's keys in "
            + $"{KeyVariable}, {SecretVariable} and {TokenVariable}. What is written to on the hub meanwhile is left alone.")
        {
            from, pool, state, logins, dryRun,
        }.WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            string id = arguments.GetRequiredValue(pool);
            if (!CognitoIds.IsWhole(id))
                throw CommandFailure.BadInput($"{id} is no id of an identity pool: write --pool REGION:GUID, such as "
                    + "us-east-1:01234567-89ab-cdef-0123-456789abcdef.");
            using AdminClient? hub = arguments.GetValue(dryRun) ? null : AdminOptions.Open(arguments);
            using var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
            using var http = new HttpMessageInvoker(handler);
            var source = new CognitoSource(Open(http, arguments.GetRequiredValue(from), id), Keys(), id);
            string stateFile = arguments.GetValue(state) ?? $"cognito-import-{id.Replace(':', '-')}.state";
            var import = new CognitoImport(source, hub, stateFile, ReadLogins(arguments.GetValue(logins)));
            CognitoImported done = await import.RunAsync(so => terminal.Error.WriteLine(Words(so)), cancellationToken);
            foreach (string left in done.Changed)
                terminal.Error.WriteLine($"left as it is, because it was written to on the hub: {left}");
            terminal.Out.WriteLine((hub is null ? "found: " : "imported: ") + Words(done));
            return ExitCode.Success;
        });
        return command;
    }

    private static string Words(CognitoImported done) => FormattableString.Invariant($"{done.Identities:N0} identities, ")
        + FormattableString.Invariant($"{done.Datasets:N0} datasets, {done.Records:N0} records")
        + (done.Skipped > 0 ? FormattableString.Invariant($"; {done.Skipped:N0} identities done before") : "")
        + (done.Known + done.Same > 0
            ? FormattableString.Invariant($"; there already: {done.Known:N0} identities, {done.Same:N0} datasets") : "");

    private static CognitoClient Open(HttpMessageInvoker http, string from, string pool)
    {
        if (Uri.TryCreate(from, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https")
            return new CognitoClient(http, address, address, pool.Split(':')[0]);
        if (from.Length is 0 or > 32 || !from.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            throw CommandFailure.BadInput($"{from} is neither a region nor an address: write --from us-east-1 or --from URL.");
        return new CognitoClient(http, new Uri($"https://cognito-identity.{from}.amazonaws.com/"),
            new Uri($"https://cognito-sync.{from}.amazonaws.com/"), from);
    }

    private static CognitoKeys Keys()
    {
        string? key = Environment.GetEnvironmentVariable(KeyVariable);
        string? secret = Environment.GetEnvironmentVariable(SecretVariable);
        string? token = Environment.GetEnvironmentVariable(TokenVariable);
        if (string.IsNullOrEmpty(key) || string.IsNullOrEmpty(secret))
            throw CommandFailure.BadInput($"The developer's keys of the service to import from are needed: set {KeyVariable} and "
                + $"{SecretVariable}.");
        return new CognitoKeys(key, secret, string.IsNullOrEmpty(token) ? null : token);
    }

    private static ILookup<string, (string Provider, string Subject)> ReadLogins(string? file)
    {
        string[] lines = file is null ? [] : InputFile.ReadText(file, LoginsBytesMax).Split('\n', StringSplitOptions.TrimEntries);
        return lines.Select(static (line, index) => (Parts: line.Split(',', 3), Number: index + 1, line))
            .Where(static row => row.line.Length > 0)
            .Select(row => row.Parts.Length == 3 ? row.Parts
                : throw CommandFailure.BadInput($"Line {row.Number} of {file} is not IDENTITY_ID,PROVIDER,SUBJECT."))
            .ToLookup(static parts => parts[0], static parts => (parts[1], parts[2]), StringComparer.Ordinal);
    }
}
