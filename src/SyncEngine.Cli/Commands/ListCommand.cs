using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using SyncEngine.Cli.Json;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli.Commands;

internal static class ListCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Argument<string?> dataset = Arguments.OptionalDataset();
        Option<string> prefix = new("--prefix")
        {
            Description = "Only keys that start with this.", HelpName = "TEXT", DefaultValueFactory = static _ => "",
        };
        Option<bool> asJson = Arguments.AsJson("Print one JSON object a record: dataset, key, kind.");
        var command = new Command("list", "Show the records of a dataset, or of all, with their values.")
            { file, dataset, prefix, asJson };
        command.SetAction(async (arguments, _) =>
        {
            await using SyncStore store = await StoreFile.OpenExistingAsync(arguments.GetRequiredValue(file), terminal);
            IReadOnlyList<Dataset> datasets = StoreFile.Datasets(store, arguments.GetValue(dataset));
            var names = datasets.SelectMany(static one => RecordWriter.OrderOf(one), static (one, name) => (one, name))
                .Where(record => record.name.Key.StartsWith(arguments.GetRequiredValue(prefix), StringComparison.Ordinal));
            if (arguments.GetValue(asJson))
            {
                foreach ((Dataset one, RecordName name) in names)
                    terminal.Out.WriteLine(ValueJson.Format(json => WriteName(json, one, name)));
            }
            else
            {
                WriteTable(terminal, names.ToList());
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static void WriteTable(Terminal terminal, List<(Dataset Dataset, RecordName Name)> records)
    {
        Table table = Tables.Make("dataset", "key", "kind", "value", "");
        var conflicts = records.Select(static record => record.Dataset).Distinct()
            .SelectMany(static dataset => dataset.Conflicts, static (dataset, conflict) =>
                (dataset, new RecordName(conflict.Key, conflict.Kind))).ToHashSet();
        foreach ((Dataset dataset, RecordName name) in records)
        {
            Tables.Add(table, ShownText.Key(dataset.Name), ShownText.Key(name.Key), RecordKindName.Of(name.Kind),
                ShownText.Shorten(ValueJson.Format(json => RecordJson.WriteValue(json, dataset, name))),
                conflicts.Contains((dataset, name)) ? "conflict" : "");
        }

        terminal.Screen.Write(table);
        terminal.Out.WriteLine(FormattableString.Invariant($"{records.Count:N0} records"));
    }

    private static void WriteName(Utf8JsonWriter json, Dataset dataset, RecordName name)
    {
        json.WriteStartObject();
        json.WriteString("dataset", dataset.Name);
        json.WriteString("key", name.Key);
        json.WriteString("kind", RecordKindName.Of(name.Kind));
        json.WriteEndObject();
    }
}
