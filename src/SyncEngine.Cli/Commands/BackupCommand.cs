using System.CommandLine;

namespace SyncEngine.Cli.Commands;

internal static class BackupCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Argument<string> target = Arguments.File("TO", "The file to write; it must not exist.");
        var command = new Command("backup", "Write a checked copy of a file. Both may be used and synced afterwards: "
            + "the copy writes under new replica ids.") { file, target };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            string source = arguments.GetRequiredValue(file), path = arguments.GetRequiredValue(target);
            if (File.Exists(path)) throw CommandFailure.BadInput($"{path} exists already: choose another name.");
            await using SyncStore store = await StoreFile.OpenExistingAsync(source, terminal);
            await terminal.ShowProgressAsync(async begin =>
            {
                await store.BackupAsync(path, begin("Copying"), cancellationToken);
                return true;
            });
            terminal.Out.WriteLine(FormattableString.Invariant($"{source} → {path}: {new FileInfo(path).Length} bytes"));
            return ExitCode.Success;
        });
        return command;
    }
}
