using System.CommandLine;
using SyncEngine.Cli.Cognito;
using SyncEngine.Identities;

namespace SyncEngine.Cli.Commands;

internal static class CognitoCommand
{
    public static Command Build(Terminal terminal) => new(
        "cognito", "Bring an app here that used Amazon Cognito Sync.")
    {
        CognitoImportCommand.Build(terminal), BuildImportFile(terminal),
    };

    private static Command BuildImportFile(Terminal terminal)
    {
        Argument<string> old = new("OLD")
        {
            Description = "The old client's file: aws_cognito_sync.db (.NET, Xamarin, Unity), cognito_dataset_cache.db "
                + "(Android) or CognitoData.sqlite3 (iOS). It is only read.",
        };
        Argument<string> file = Arguments.File();
        Option<string?> identity = new("--identity")
        {
            Description = "Whose records to take, where the file has those of several identities: the id, or unknown for "
                + "what was written before there was one.",
            HelpName = "ID",
        };
        Option<bool> keepsId = new("--keep-id")
        {
            Description = "Give the store the identity's old id. Only a store that never synced takes it. Default: the "
                + "records go to the store's current identity, and the next login brings them to its account.",
        };
        Option<bool> unsynced = new("--unsynced") { Description = "Take only what the service never got." };
        Option<bool> dryRun = new("--dry-run") { Description = "Tell what would be taken, and write nothing." };
        var command = new Command("import-file", "Read what an old sync client kept on a device into a store, what it had not "
            + "synced included. Each record keeps the time of its writing, so that later writes of other devices show. To do it "
            + "again changes nothing.") { old, file, identity, keepsId, unsynced, dryRun };
        command.SetAction((arguments, cancellationToken) => ImportFileAsync(
            terminal, arguments.GetRequiredValue(old), arguments.GetRequiredValue(file), new FileChoice(
                arguments.GetValue(identity), arguments.GetValue(keepsId), arguments.GetValue(unsynced),
                arguments.GetValue(dryRun)), cancellationToken));
        return command;
    }

    private static async Task<int> ImportFileAsync(
        Terminal terminal, string old, string file, FileChoice choice, CancellationToken cancellationToken)
    {
        (IReadOnlyList<OldRecord> all, IReadOnlyList<(string? Identity, string Dataset)> deleted) =
            OldClientFile.Read(old, TimeProvider.System.GetUtcNow());
        string? whose = Choose(old, [.. all.Select(static record => record.Identity)
            .Concat(deleted.Select(static dataset => dataset.Identity)).Distinct()], choice.Identity);
        List<OldRecord> records = [.. all.Where(record =>
            record.Identity == whose && (record.IsUnsynced || !choice.IsUnsyncedOnly))];
        List<string> gone = [.. deleted.Where(dataset => dataset.Identity == whose).Select(static dataset => dataset.Dataset)];
        int datasets = records.Select(static record => record.Dataset).Distinct().Count();
        int unsynced = records.Count(static record => record.IsUnsynced);
        terminal.Error.WriteLine(FormattableString.Invariant($"{whose ?? "unknown"}: {records.Count:N0} records in ")
            + FormattableString.Invariant($"{datasets:N0} datasets, {unsynced:N0} of them never synced."));
        if (choice.IsDryRun) return ExitCode.Success;

        var clock = new OldClientClock();
        await using SyncStore store = await StoreFile.OpenAsync(file, terminal, new SyncStoreOptions { TimeProvider = clock });
        if (choice.KeepsId) await AdoptAsync(store, whose);
        OldClientImported done = await new OldClientImport(store, clock).RunAsync(records, gone, cancellationToken);
        terminal.Out.WriteLine(FormattableString.Invariant($"{done.Written:N0} records written ({done.Unsynced:N0} never ")
            + FormattableString.Invariant($"synced), {done.Same:N0} there already, {done.Deleted:N0} deleted."));
        if (done.Left > 0)
            terminal.Error.WriteLine(FormattableString.Invariant($"{done.Left:N0} removes that were never synced are of ")
                + "records that this store does not have: sync it with the hub, and do this again.");
        return ExitCode.Success;
    }

    private static string? Choose(string old, IReadOnlyList<string?> identities, string? asked)
    {
        if (asked is not null)
        {
            string? wanted = asked == "unknown" ? null : asked;
            return identities.Contains(wanted) ? wanted
                : throw CommandFailure.NotFound($"{old} has nothing of {asked}. It has: {Names(identities)}.");
        }

        return identities.Count switch
        {
            0 => throw CommandFailure.NotFound($"{old} holds no records."),
            1 => identities[0],
            _ => throw CommandFailure.BadInput(
                $"{old} holds records of several identities: choose one with --identity. It has: {Names(identities)}."),
        };
    }

    private static string Names(IEnumerable<string?> identities) =>
        string.Join(", ", identities.Select(static id => id ?? "unknown"));

    private static async Task AdoptAsync(SyncStore store, string? whose)
    {
        int colon = whose?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (whose is null || !Guid.TryParseExact(whose[(colon + 1)..], "D", out Guid id))
            throw CommandFailure.BadInput($"{whose ?? "unknown"} is no id that a store can take: leave --keep-id out.");
        IdentityId wanted = IdentityId.Parse(id.ToString("N"));
        if (store.Identity.Id != wanted) await store.AdoptIdentityAsync(wanted);
    }

    private sealed record FileChoice(string? Identity, bool KeepsId, bool IsUnsyncedOnly, bool IsDryRun);
}
