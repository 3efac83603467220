using System.CommandLine;
using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Cli.Commands;

/// <summary>list-insert, list-remove and list-move.</summary>
internal static class ListRecordCommands
{
    public static IEnumerable<Command> Build(Terminal terminal)
    {
        Argument<int> at = Arguments.Index("INDEX"), removed = Arguments.Index("INDEX");
        Argument<int> from = Arguments.Index("FROM"), to = Arguments.Index("TO");
        Argument<Value> json = Arguments.Json();
        yield return Build(terminal, "list-insert", "Insert an element into a list, before the one at INDEX or at "
            + "the end. "
            + "Example: syncengine list-insert save.db save inventory 0 '\"sword\"'", [at, json],
            (list, arguments) => list.Insert(arguments.GetValue(at), arguments.GetValue(json)));
        yield return Build(terminal, "list-remove", "Remove the element at INDEX from a list.", [removed],
            (list, arguments) => list.RemoveAt(arguments.GetValue(removed)));
        yield return Build(terminal, "list-move", "Move an element of a list: it has the index TO afterwards. It "
            + "stays one element, wherever others move it.", [from, to],
            (list, arguments) => list.Move(arguments.GetValue(from), arguments.GetValue(to)));
    }

    private static Command Build(
        Terminal terminal, string name, string description, Argument[] rest, Action<ListRecord, ParseResult> write)
    {
        Argument<string> file = Arguments.File(), dataset = Arguments.Dataset();
        Argument<string> key = Arguments.Text("LIST", "The list's key.");
        var command = new Command(name, description) { file, dataset, key };
        foreach (Argument argument in rest) command.Arguments.Add(argument);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            string path = arguments.GetRequiredValue(file);
            await using SyncStore store = await (name == "list-insert"
                ? StoreFile.OpenAsync(path, terminal) : StoreFile.OpenExistingAsync(path, terminal));
            Dataset records = store.Identity.Dataset(arguments.GetRequiredValue(dataset));
            ListRecord list = records.List(arguments.GetRequiredValue(key));
            try
            {
                await records.WriteAsync(
                    transaction => write(transaction.List(list.Key), arguments), cancellationToken);
            }
            catch (ArgumentOutOfRangeException e)
            {
                throw CommandFailure.BadInput(
                    $"List {list.Key} has {list.Count} elements, and places count from 0. Nothing was changed.", e);
            }

            return ExitCode.Success;
        });
        return command;
    }
}
