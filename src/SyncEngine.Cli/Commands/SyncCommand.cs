using SyncEngine.Json;
using System.CommandLine;
using System.Globalization;

namespace SyncEngine.Cli.Commands;

internal static class SyncCommand
{
    /// <summary>Two files that nobody else writes are equal after one exchange; a second shows what is wrong.</summary>
    private const int RoundsMax = 2;

    public static Command Build(Terminal terminal)
    {
        Argument<string> left = Arguments.File("A", "A store's file.");
        Argument<string?> right = new("B") { Description = "Another one.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> folder = new("--folder")
        {
            Description = "Instead of B: a folder that Dropbox, OneDrive, Steam Cloud or a USB stick carries.", HelpName = "DIR",
        };
        Option<bool> watch = new("--watch") { Description = "With --folder: stay, and sync whenever either side changes." };
        Option<bool> adopt = new("--adopt")
        {
            Description = "With --folder: a guest that never synced takes the identity of the folder's files.",
        };
        Option<bool> oneWay = new("--one-way") { Description = "Carry A's news to B only." };
        Option<bool> asJson = Arguments.AsJson();
        var command = new Command("sync", "Exchange what two files lack until both have the same. A file that does "
            + "not exist "
            + "is made. A guest that never synced takes the other file's identity; two identities that have synced "
            + "apart are refused. Exit code 0 when both are equal; with --one-way, when B has all that A has.")
            { left, right, folder, watch, adopt, oneWay, asJson };
        command.SetAction((arguments, cancellationToken) =>
        {
            (string a, string? b, string? shared) =
                (arguments.GetRequiredValue(left), arguments.GetValue(right), arguments.GetValue(folder));
            if ((b is null) == (shared is null))
                throw CommandFailure.BadInput("Name another file to sync with, or a folder with --folder.");
            if (shared is null && (arguments.GetValue(watch) || arguments.GetValue(adopt)))
                throw CommandFailure.BadInput("--watch and --adopt go with --folder.");
            if (shared is not null && (arguments.GetValue(oneWay) || arguments.GetValue(asJson)))
                throw CommandFailure.BadInput("--one-way and --json go with another file, not with --folder.");
            return shared is null
                ? SyncAsync(terminal, a, b!, arguments.GetValue(oneWay), arguments.GetValue(asJson), cancellationToken)
                : FolderSync.RunAsync(
                    terminal, a, shared, arguments.GetValue(watch), arguments.GetValue(adopt), cancellationToken);
        });
        return command;
    }

    private static async Task<int> SyncAsync(
        Terminal terminal, string left, string right, bool oneWay, bool asJson, CancellationToken cancellationToken)
    {
        if (Path.GetFullPath(left) == Path.GetFullPath(right))
            throw CommandFailure.BadInput($"{left} is given twice: name two files.");
        if (!File.Exists(left) && (oneWay || !File.Exists(right)))
            throw CommandFailure.BadInput($"There is no file {left}: check the name, or make it with put or import.");
        await using SyncStore source = await StoreFile.OpenAsync(left, terminal);
        await using SyncStore target = await StoreFile.OpenAsync(right, terminal);
        string? paired = await Pairing.PairAsync(source, left, target, right);
        if (paired is not null && !asJson) terminal.Out.WriteLine(paired);
        Outcome outcome = await terminal.ShowProgressAsync(
            begin => Task.Run(() => ExchangeAsync(source, target, left, right, oneWay, begin, cancellationToken)));
        int records = target.GetVersions().Keys.Sum(name => target.Identity.Dataset(name).Count);
        if (asJson) WriteJson(terminal, outcome, paired is not null, target.GetVersions().Count, records);
        else WriteText(terminal, outcome, left, right, oneWay, target.GetVersions().Count, records);
        return outcome.Differences.Count == 0 ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static async Task<Outcome> ExchangeAsync(
        SyncStore source, SyncStore target, string left, string right, bool oneWay,
        Func<string, IProgress<double>> begin, CancellationToken cancellationToken)
    {
        Carried sent = default, received = default;
        for (int round = 0; round < RoundsMax; round++)
        {
            sent = Sum(sent, await Carrier.CarryAsync(source, target, begin($"{left} → {right}"), cancellationToken));
            if (oneWay)
            {
                int lacking = Carrier.Lacks(source.GetVersions(), target.GetVersions());
                return new Outcome(sent, received, lacking == 0 ? [] : Carrier.Differences(source, target));
            }

            received = Sum(
                received, await Carrier.CarryAsync(target, source, begin($"{right} → {left}"), cancellationToken));
            if (Carrier.Differences(source, target).Count == 0) break;
        }

        return new Outcome(sent, received, Carrier.Differences(source, target));
    }

    private static Carried Sum(Carried one, Carried other) => new(one.Records + other.Records, one.Bytes + other.Bytes);

    private static void WriteText(
        Terminal terminal, Outcome outcome, string left, string right, bool oneWay, int datasets, int records)
    {
        WriteLine(left, right, outcome.Sent);
        if (!oneWay) WriteLine(right, left, outcome.Received);
        if (outcome.Differences.Count > 0)
        {
            terminal.Error.WriteLine($"syncengine: Still different: dataset {string.Join(", ", outcome.Differences)}. "
                + "Run verify on both files, and compare them with export.");
            return;
        }

        string what = oneWay ? $"{right} has all that {left} has" : "equal";
        terminal.Out.WriteLine(FormattableString.Invariant($"{what}: {datasets} datasets, {records} records"));

        void WriteLine(string from, string to, Carried carried) => terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{from} → {to}: {carried.Records} records, {carried.Bytes} bytes"));
    }

    private static void WriteJson(Terminal terminal, Outcome outcome, bool paired, int datasets, int records) =>
        terminal.Out.WriteLine(ValueJson.Format(json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("equal", outcome.Differences.Count == 0);
            json.WriteBoolean("paired", paired);
            json.WriteNumber("datasets", datasets);
            json.WriteNumber("records", records);
            WriteCarried("sent", outcome.Sent);
            WriteCarried("received", outcome.Received);
            json.WriteStartArray("differences");
            foreach (string name in outcome.Differences) json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndObject();

            void WriteCarried(string member, Carried carried)
            {
                json.WriteStartObject(member);
                json.WriteNumber("records", carried.Records);
                json.WriteNumber("bytes", carried.Bytes);
                json.WriteEndObject();
            }
        }));

    private sealed record Outcome(Carried Sent, Carried Received, List<string> Differences);
}
