using System.CommandLine;
using SyncEngine.Values;

namespace SyncEngine.Cli.Commands;

internal static class MapPutCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File(), dataset = Arguments.Dataset();
        Argument<string> map = Arguments.Text("MAP", "The map's key.");
        Argument<string> field = Arguments.Text("FIELD", "The field's name.");
        Argument<Value> json = Arguments.Json();
        var command = new Command("map-put", "Write one field of a map; each field merges on its own. "
            + "Example: syncengine map-put save.db save settings volume 0.8") { file, dataset, map, field, json };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            await using SyncStore store = await StoreFile.OpenAsync(arguments.GetRequiredValue(file), terminal);
            await store.Identity.Dataset(arguments.GetRequiredValue(dataset)).WriteAsync(
                transaction => transaction.Map(arguments.GetRequiredValue(map))[arguments.GetRequiredValue(field)] =
                    arguments.GetValue(json),
                cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }
}
