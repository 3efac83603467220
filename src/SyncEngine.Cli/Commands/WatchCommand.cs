using System.CommandLine;
using SyncEngine.Datasets;

namespace SyncEngine.Cli.Commands;

internal static class WatchCommand
{
    private const string FromStart = "start";

    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Argument<string?> dataset = Arguments.OptionalDataset();
        Option<string?> after = new("--after")
        {
            Description = "Go on after this cursor of DATASET, as watch printed it, or \"start\" for everything. "
                + "Without it: from now on; with --once, everything.",
            HelpName = "CURSOR",
        };
        Option<bool> once = new("--once") { Description = "Print what changed after the cursor and end." };
        Option<int?> count = new("--count") { Description = "End after this many change sets.", HelpName = "N" };
        Option<double> every = new("--every")
        {
            Description = "Seconds between two looks.", HelpName = "SECONDS", DefaultValueFactory = static _ => 1,
        };
        Option<bool> asJson = Arguments.AsJson("Print one JSON object a change set.");
        var command = new Command("watch", "Follow the changes of a file until Ctrl+C, whoever makes them. One "
            + "process owns a "
            + "file at a time, so watch opens it for a moment whenever it changed and nobody has it open, and prints "
            + "what is new "
            + "since its last look as one change set a dataset. An app that opens the file in that very moment is "
            + "told that it "
            + "is in use; inside an app, use Dataset.Changes instead.") { file, dataset, after, once, count, every, asJson };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            string? name = arguments.GetValue(dataset);
            double seconds = arguments.GetValue(every);
            if (seconds is not (>= 0.01 and <= 86_400))
                throw CommandFailure.BadInput("--every takes seconds from 0.01 to 86,400.");
            var watcher = new FileWatcher(terminal, arguments.GetRequiredValue(file), name)
            {
                Interval = TimeSpan.FromSeconds(seconds),
                LooksOnce = arguments.GetValue(once),
                CountMax = arguments.GetValue(count) ?? int.MaxValue,
                PrintsJson = arguments.GetValue(asJson),
            };
            string? cursor = arguments.GetValue(after);
            if (cursor == FromStart || (cursor is null && watcher.LooksOnce)) watcher.StartFromBeginning();
            else if (cursor is not null) watcher.StartAfter(Parse(cursor, name));
            await watcher.RunAsync(cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }

    private static FeedCursor Parse(string cursor, string? dataset)
    {
        if (dataset is null) throw CommandFailure.BadInput("A cursor belongs to one dataset: name DATASET beside --after.");
        try
        {
            return FeedCursor.Parse(cursor);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw CommandFailure.BadInput($"{cursor} is no cursor: take one that watch printed, or \"start\".", e);
        }
    }
}
