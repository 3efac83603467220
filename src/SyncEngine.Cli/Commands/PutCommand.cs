using System.CommandLine;
using SyncEngine.Values;

namespace SyncEngine.Cli.Commands;

internal static class PutCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File(), dataset = Arguments.Dataset();
        Argument<string> key = Arguments.Text("KEY", "The record's key.");
        Argument<Value> json = Arguments.Json();
        var command = new Command("put", "Write a register. Makes the file if there is none. "
            + "Example: syncengine put save.db save player '\"Ann\"'") { file, dataset, key, json };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            await using SyncStore store = await StoreFile.OpenAsync(arguments.GetRequiredValue(file), terminal);
            await store.Identity.Dataset(arguments.GetRequiredValue(dataset)).PutAsync(
                arguments.GetRequiredValue(key), arguments.GetValue(json), cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }
}
