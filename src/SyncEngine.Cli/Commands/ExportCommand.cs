using System.CommandLine;
using SyncEngine.Cli.Json;
using SyncEngine.Datasets;

namespace SyncEngine.Cli.Commands;

internal static class ExportCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Argument<string?> dataset = Arguments.OptionalDataset();
        Option<string?> target = new("--out") { Description = "Write to this file instead of the output.", HelpName = "PATH" };
        var command = new Command("export", "Print all records as JSON Lines, ordered by dataset, key and kind. Equal "
            + "replicas print equal bytes. The line of a conflict lists the losing writes.") { file, dataset, target };
        command.SetAction(async (arguments, _) =>
        {
            if (arguments.GetValue(target) is { } output) StoreFile.RefuseToOverwrite(output);
            await using SyncStore store = await StoreFile.OpenExistingAsync(arguments.GetRequiredValue(file), terminal);
            IReadOnlyList<Dataset> datasets = StoreFile.Datasets(store, arguments.GetValue(dataset));
            if (arguments.GetValue(target) is { } path)
            {
                await using FileStream stream = File.Create(path);
                await ExportAsync(terminal, datasets, stream);
            }
            else
            {
                await ExportAsync(terminal, datasets, terminal.Output);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static Task<int> ExportAsync(Terminal terminal, IReadOnlyList<Dataset> datasets, Stream target)
    {
        // Lines on the screen show by themselves that something goes on, and a bar between them would only disturb.
        if (target == terminal.Output) return Task.FromResult(Write(null));
        return terminal.ShowProgressAsync(begin => Task.Run(() => Write(begin)));

        int Write(Func<string, IProgress<double>>? begin)
        {
            using var writer = new RecordWriter(target);
            return datasets.Sum(dataset => writer.Write(dataset, begin?.Invoke($"Writing {dataset.Name}")));
        }
    }
}
