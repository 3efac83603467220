using System.CommandLine;
using System.Diagnostics;
using SyncEngine.Cli.Json;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli.Commands;

internal static class ImportCommand
{
    /// <summary>Bounds what one durable commit holds, and how long a reader of the dataset waits.</summary>
    private const int RecordsPerTransaction = 1000;

    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Option<string?> from = new("--from")
        {
            Description = "Read this file instead of the standard input.", HelpName = "PATH",
        };
        var command = new Command("import", "Read JSON Lines as export prints them. Each record then reads as its "
            + "line says; "
            + "records that no line names stay. Every line is checked before the first is written: a bad one is "
            + "refused with its number, and nothing changes.") { file, from };
        command.SetAction((arguments, cancellationToken) => ImportAsync(
            terminal, arguments.GetRequiredValue(file), arguments.GetValue(from), cancellationToken));
        return command;
    }

    private static async Task<int> ImportAsync(
        Terminal terminal, string file, string? from, CancellationToken cancellationToken)
    {
        if (from is not null && !File.Exists(from))
            throw CommandFailure.BadInput($"There is no file {from} to import: check the name after --from.");
        long started = Stopwatch.GetTimestamp();
        int count = await terminal.ShowProgressAsync(async begin =>
        {
            List<RecordLine> records = await Task.Run(
                () =>
                {
                    using Stream source = from is null ? terminal.Input : File.OpenRead(from);
                    return RecordLines.Read(source, from ?? "standard input", begin("Checking"), cancellationToken);
                }, cancellationToken);
            await using SyncStore store = await StoreFile.OpenAsync(file, terminal);
            await WriteAsync(store, records, begin("Writing"), cancellationToken);
            return records.Count;
        });
        terminal.Error.WriteLine(FormattableString.Invariant(
            $"{count:N0} records imported in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s."));
        return ExitCode.Success;
    }

    private static async Task WriteAsync(
        SyncStore store, List<RecordLine> records, IProgress<double> progress, CancellationToken cancellationToken)
    {
        for (int first = 0; first < records.Count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int end = first;
            while (end < records.Count && end - first < RecordsPerTransaction
                && records[end].Dataset == records[first].Dataset) end++;
            int start = first;
            Dataset dataset = store.Identity.Dataset(records[first].Dataset);
            await dataset.WriteAsync(
                transaction =>
                {
                    for (int i = start; i < end; i++) records[i].ApplyTo(transaction);
                },
                cancellationToken);
            first = end;
            progress.Report((double)first / records.Count);
        }
    }
}
