using System.CommandLine;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli.Commands;

internal static class DeleteCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File(), dataset = Arguments.Dataset();
        Argument<string> key = Arguments.Text("KEY", "The record's key.");
        Option<RecordKind?> kind = Arguments.Kind();
        var command = new Command("delete", "Delete the records of a key, of every kind or of one. What another "
            + "device wrote meanwhile survives. Nothing to delete is no failure.") { file, dataset, key, kind };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            await using SyncStore store = await StoreFile.OpenExistingAsync(arguments.GetRequiredValue(file), terminal);
            Dataset records = store.Identity.Dataset(arguments.GetRequiredValue(dataset));
            RecordKind? wanted = arguments.GetValue(kind);
            bool deleted = false;
            await records.WriteAsync(
                transaction =>
                {
                    foreach (RecordKind candidate in RecordKindName.All)
                        if (wanted is null || wanted == candidate)
                            deleted |= transaction.Delete(arguments.GetRequiredValue(key), candidate);
                },
                cancellationToken);
            if (!deleted) terminal.Error.WriteLine($"Nothing to delete: no record {arguments.GetRequiredValue(key)}.");
            return ExitCode.Success;
        });
        return command;
    }
}
