using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Json;

namespace SyncEngine.Cli.Commands;

internal static class InspectCommand
{
    private const int ConflictsShownMax = 20;

    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Option<bool> asJson = Arguments.AsJson();
        var command = new Command("inspect", "Show what a file holds: identities, datasets, version vectors, sizes, "
            + "conflicts and tombstones.") { file, asJson };
        command.SetAction(async (arguments, _) =>
        {
            string path = arguments.GetRequiredValue(file);
            await using SyncStore store = await StoreFile.OpenExistingAsync(path, terminal);
            long bytes = await store.GetSizeBytesAsync();
            if (arguments.GetValue(asJson))
                terminal.Out.WriteLine(ValueJson.Format(json => WriteJson(json, store, path, bytes)));
            else WriteText(terminal.Screen, store, path, bytes);
            return ExitCode.Success;
        });
        return command;
    }

    private static void WriteText(IAnsiConsole screen, SyncStore store, string path, long bytes)
    {
        screen.WriteLine($"{path}: {ShownText.Bytes(bytes)}, file id {store.FileId:N}");
        foreach (Identity identity in store.Identities)
        {
            screen.WriteLine();
            screen.WriteLine($"Identity {identity.Id} ({(identity.IsPaired ? "paired" : "a guest that never synced")}"
                + $"{(identity == store.Identity ? ", current" : "")})");
            List<Dataset> datasets = identity.DatasetNames.Select(identity.Dataset).ToList();
            if (datasets.Count == 0)
            {
                screen.WriteLine("No datasets yet.");
                continue;
            }

            WriteDatasets(screen, datasets);
            WriteVersions(screen, datasets);
        }
    }

    private static void WriteDatasets(IAnsiConsole screen, List<Dataset> datasets)
    {
        Table table = Tables.Make(
            "dataset", "#records", "#conflicts", "#tombstones", "#data", "#stored", "#revision", "digest");
        foreach (Dataset dataset in datasets)
        {
            DatasetStatistics statistics = dataset.GetStatistics();
            Tables.Add(table, ShownText.Key(dataset.Name), ShownText.Number(statistics.Records),
                ShownText.Number(statistics.Conflicts), ShownText.Number(statistics.Tombstones),
                ShownText.Bytes(statistics.LiveBytes), ShownText.Bytes(statistics.StoredBytes),
                ShownText.Number(dataset.Revision), Digest(dataset));
        }

        screen.Write(table);
        foreach (Dataset dataset in datasets)
        {
            IReadOnlyList<Conflict> conflicts = dataset.Conflicts;
            foreach (Conflict conflict in conflicts.Take(ConflictsShownMax))
            {
                string field = conflict.Field is null ? "" : $" [{ShownText.Key(conflict.Field)}]";
                screen.WriteLine($"Conflict in {ShownText.Key(dataset.Name)}: {RecordKindName.Of(conflict.Kind)} "
                    + $"{ShownText.Key(conflict.Key)}{field} = {ShownText.Value(conflict.Winner.Value)}, also "
                    + string.Join(", ", conflict.Losers.Select(static loser => ShownText.Value(loser.Value))));
            }

            int more = conflicts.Count - ConflictsShownMax;
            if (more > 0)
                screen.WriteLine($"… and {ShownText.Number(more)} more conflicts in {ShownText.Key(dataset.Name)}; "
                    + "--json and export list them all.");
        }
    }

    private static void WriteVersions(IAnsiConsole screen, List<Dataset> datasets)
    {
        Table table = Tables.Make("dataset", "replica", "#changes", "");
        foreach (Dataset dataset in datasets)
        {
            foreach (Dot component in dataset.Version)
            {
                Tables.Add(table, ShownText.Key(dataset.Name), component.Replica.ToString(),
                    ShownText.Number(component.Counter), component.Replica == dataset.ReplicaId ? "this file" : "");
            }
        }

        screen.Write(table);
    }

    private static string Digest(Dataset dataset) =>
        dataset.Digest.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    private static void WriteJson(Utf8JsonWriter json, SyncStore store, string path, long bytes)
    {
        json.WriteStartObject();
        json.WriteString("file", path);
        json.WriteNumber("sizeBytes", bytes);
        json.WriteString("fileId", store.FileId.ToString("N"));
        json.WriteStartArray("identities");
        foreach (Identity identity in store.Identities)
        {
            json.WriteStartObject();
            json.WriteString("id", identity.Id.ToString());
            json.WriteBoolean("current", identity == store.Identity);
            json.WriteBoolean("paired", identity.IsPaired);
            json.WriteStartArray("datasets");
            foreach (string name in identity.DatasetNames) WriteDataset(json, identity.Dataset(name));
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDataset(Utf8JsonWriter json, Dataset dataset)
    {
        DatasetStatistics statistics = dataset.GetStatistics();
        json.WriteStartObject();
        json.WriteString("name", dataset.Name);
        json.WriteNumber("records", statistics.Records);
        json.WriteNumber("tombstones", statistics.Tombstones);
        json.WriteNumber("liveBytes", statistics.LiveBytes);
        json.WriteNumber("storedBytes", statistics.StoredBytes);
        json.WriteNumber("revision", dataset.Revision);
        json.WriteString("cursor", dataset.DurableCursor.ToString());
        json.WriteString("digest", Digest(dataset));
        if (dataset.ReplicaId.IsNone) json.WriteNull("replica");
        else json.WriteString("replica", dataset.ReplicaId.ToString());
        WriteVector(json, "version", dataset.Version);
        WriteVector(json, "collected", dataset.Collected);
        json.WriteStartArray("conflicts");
        foreach (Conflict conflict in dataset.Conflicts)
        {
            json.WriteStartObject();
            json.WriteString("key", conflict.Key);
            json.WriteString("kind", RecordKindName.Of(conflict.Kind));
            if (conflict.Field is not null) json.WriteString("field", conflict.Field);
            json.WriteNumber("losers", conflict.Losers.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteVector(Utf8JsonWriter json, string member, VersionVector vector)
    {
        json.WriteStartObject(member);
        foreach (Dot component in vector) json.WriteNumber(component.Replica.ToString(), component.Counter);
        json.WriteEndObject();
    }
}
