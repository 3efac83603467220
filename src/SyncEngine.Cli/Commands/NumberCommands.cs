using System.CommandLine;
using SyncEngine.Datasets;
using SyncEngine.Json;
using SyncEngine.Values;

namespace SyncEngine.Cli.Commands;

/// <summary>add, raise and lower: each prints what the record reads as afterwards.</summary>
internal static class NumberCommands
{
    public static IEnumerable<Command> Build(Terminal terminal)
    {
        Argument<long> amount = new("N") { Description = "An integer; a negative one subtracts." };
        yield return Build(terminal, "add", "COUNTER", "Add to a counter and print the sum: additions of all devices "
            + "count. "
            + "Example: syncengine add save.db save coins 10", amount, (transaction, key, number) =>
            {
                transaction.Counter(key).Add(number);
                return transaction.Counter(key).Value;
            });
        yield return Build(terminal, "raise", "KEY", "Raise a max record to a number, unless it is there already, "
            + "and print it. "
            + "Example: syncengine raise save.db save best 9001", Number(), (transaction, key, number) =>
            {
                transaction.Max(key).Raise(number);
                return transaction.Max(key).Value;
            });
        yield return Build(terminal, "lower", "KEY", "Lower a min record to a number, unless it is there already, "
            + "and print it. "
            + "Example: syncengine lower save.db save fastest 74.5", Number(), (transaction, key, number) =>
            {
                transaction.Min(key).Lower(number);
                return transaction.Min(key).Value;
            });
    }

    private static Argument<Value> Number() => Arguments.Json("N", "An integer, or a number with a decimal point.");

    private static Command Build<T>(
        Terminal terminal, string name, string keyName, string description, Argument<T> number,
        Func<Transaction, string, T, Value> write)
    {
        Argument<string> file = Arguments.File(), dataset = Arguments.Dataset();
        Argument<string> key = Arguments.Text(keyName, "The record's key.");
        var command = new Command(name, description) { file, dataset, key, number };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            await using SyncStore store = await StoreFile.OpenAsync(arguments.GetRequiredValue(file), terminal);
            Value shown = default;
            await store.Identity.Dataset(arguments.GetRequiredValue(dataset)).WriteAsync(
                transaction => shown = write(
                    transaction, arguments.GetRequiredValue(key), arguments.GetRequiredValue(number)),
                cancellationToken);
            terminal.Out.WriteLine(ValueJson.Format(shown));
            return ExitCode.Success;
        });
        return command;
    }
}
