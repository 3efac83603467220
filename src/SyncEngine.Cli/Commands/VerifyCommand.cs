using System.CommandLine;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;
using SyncEngine.Storage;

namespace SyncEngine.Cli.Commands;

internal static class VerifyCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Option<bool> asJson = Arguments.AsJson();
        var command = new Command("verify", "Read a whole file and check it: checksums, structure, and that each "
            + "dataset sends "
            + "and merges to the same state. Exit code 0 only for a sound file. Changes nothing.") { file, asJson };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            string path = arguments.GetRequiredValue(file);
            List<string> faults = await terminal.ShowProgressAsync(
                begin => VerifyAsync(terminal, path, begin, cancellationToken));
            if (arguments.GetValue(asJson))
            {
                terminal.Out.WriteLine(ValueJson.Format(json =>
                {
                    json.WriteStartObject();
                    json.WriteBoolean("sound", faults.Count == 0);
                    json.WriteStartArray("faults");
                    foreach (string fault in faults) json.WriteStringValue(fault);
                    json.WriteEndArray();
                    json.WriteEndObject();
                }));
            }
            else
            {
                foreach (string fault in faults) terminal.Out.WriteLine(fault);
                if (faults.Count == 0) terminal.Out.WriteLine("sound");
            }

            if (faults.Count == 0) return ExitCode.Success;
            throw CommandFailure.NotFound($"{path} is not sound. Keep a copy, then restore a backup or sync it with "
                + "another device: what a peer has comes back.");
        });
        return command;
    }

    private static async Task<List<string>> VerifyAsync(
        Terminal terminal, string path, Func<string, IProgress<double>> begin, CancellationToken cancellationToken)
    {
        try
        {
            await using SyncStore store = await StoreFile.OpenExistingAsync(path, terminal);
            IReadOnlyList<StorageFault> stored = await store.VerifyAsync(begin("Reading the file"), cancellationToken);
            if (stored.Count > 0) return stored.Select(Describe).ToList();
            List<Dataset> datasets = store.Identities.SelectMany(
                static identity => identity.DatasetNames, static (identity, name) => identity.Dataset(name)).ToList();
            var faults = new List<string>();
            IProgress<double> progress = begin("Merging a copy");
            for (int i = 0; i < datasets.Count; i++)
            {
                if (await ReplayAsync(datasets[i], cancellationToken) is { } fault) faults.Add(fault);
                progress.Report((i + 1.0) / datasets.Count);
            }

            return faults;
        }
        catch (SyncException e) when (e.Code == SyncErrorCode.Damaged)
        {
            return [e.Message];
        }
    }

    /// <summary>Merges all that a dataset sends into an empty one, which must come to the same state.</summary>
    private static async Task<string?> ReplayAsync(Dataset dataset, CancellationToken cancellationToken)
    {
        await using SyncStore memory = SyncStore.OpenInMemory();
        Dataset copy = memory.Identity.Dataset(dataset.Name);
        if (dataset.Revision == 0) return null;
        JoinResult result = copy.Join(await dataset.SnapshotAsync(cancellationToken: cancellationToken));
        bool isEqual = result.Outcome != JoinOutcome.Gap && copy.Version.Equals(dataset.Version)
            && copy.Digest == dataset.Digest && copy.Count == dataset.Count;
        return isEqual ? null : $"dataset {dataset.Name}: what it sends does not merge to what it holds";
    }

    private static string Describe(StorageFault fault)
    {
        string where = fault.Dataset < 0 ? "file" : $"dataset {fault.Dataset}";
        string part = fault.Sequence < 0 ? "" : fault.IsSnapshotPage ? $", page {fault.Sequence}" : $", frame {fault.Sequence}";
        return $"{where}{part}: {fault.Description}";
    }
}
