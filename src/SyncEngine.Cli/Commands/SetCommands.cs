using System.CommandLine;
using SyncEngine.Datasets;
using SyncEngine.Json;
using SyncEngine.Values;

namespace SyncEngine.Cli.Commands;

/// <summary>set-add and set-remove.</summary>
internal static class SetCommands
{
    public static IEnumerable<Command> Build(Terminal terminal)
    {
        yield return Build(terminal, "set-add", "Add an element to a set; an addition beats a removal at the same "
            + "time. "
            + "Example: syncengine set-add save.db save badges first-win", makesFile: true, static (set, element) =>
            {
                set.Add(element);
                return true;
            });
        yield return Build(terminal, "set-remove", "Remove an element from a set. Nothing to remove is no failure.",
            makesFile: false, static (set, element) => set.Remove(element));
    }

    private static Command Build(
        Terminal terminal, string name, string description, bool makesFile, Func<SetRecord, Value, bool> write)
    {
        Argument<string> file = Arguments.File(), dataset = Arguments.Dataset();
        Argument<string> set = Arguments.Text("SET", "The set's key.");
        Argument<string> element = Arguments.Text("ELEMENT", "JSON; what is not JSON is taken as a text.");
        var command = new Command(name, description) { file, dataset, set, element };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            Value value = ElementOf(arguments.GetRequiredValue(element));
            string path = arguments.GetRequiredValue(file);
            await using SyncStore store = await (makesFile
                ? StoreFile.OpenAsync(path, terminal) : StoreFile.OpenExistingAsync(path, terminal));
            bool changed = false;
            await store.Identity.Dataset(arguments.GetRequiredValue(dataset)).WriteAsync(
                transaction => changed = write(transaction.Set(arguments.GetRequiredValue(set)), value), cancellationToken);
            if (!changed) terminal.Error.WriteLine($"Nothing to remove: {ValueJson.Format(value)} is not in the set.");
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>A bare word is a text, so that scripts need not quote twice; what starts like JSON must be
    /// JSON.</summary>
    private static Value ElementOf(string text)
    {
        try
        {
            return ValueJson.Parse(text);
        }
        catch (FormatException e) when (text.AsSpan().TrimStart() is not ['{' or '[' or '"', ..])
        {
            if (e.InnerException is System.Text.Json.JsonException) return text;
            throw;
        }
    }
}
