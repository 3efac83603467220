using System.CommandLine;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli.Commands;

internal static class GetCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File(), dataset = Arguments.Dataset();
        Argument<string> key = Arguments.Text("KEY", "The record's key.");
        Option<RecordKind?> kind = Arguments.Kind();
        var command = new Command("get", "Print a record's value as JSON: the register of that key, or else the "
            + "first of counter, max, min, set, map and list. Exit code 1 if there is none.") { file, dataset, key, kind };
        command.SetAction(async (arguments, _) =>
        {
            string path = arguments.GetRequiredValue(file), name = arguments.GetRequiredValue(key);
            await using SyncStore store = await StoreFile.OpenExistingAsync(path, terminal);
            Dataset records = StoreFile.Datasets(store, arguments.GetRequiredValue(dataset))[0];
            RecordKind? wanted = arguments.GetValue(kind);
            foreach (RecordKind candidate in RecordKindName.All)
            {
                if ((wanted is not null && wanted != candidate) || !records.Contains(name, candidate)) continue;
                terminal.Out.WriteLine(ValueJson.Format(
                    json => RecordJson.WriteValue(json, records, new RecordName(name, candidate))));
                return ExitCode.Success;
            }

            string what = wanted is { } only ? RecordKindName.Of(only) : "record";
            throw CommandFailure.NotFound($"Dataset {records.Name} has no {what} {name}: see syncengine list {path}");
        });
        return command;
    }
}
