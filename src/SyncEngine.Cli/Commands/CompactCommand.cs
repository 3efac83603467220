using System.CommandLine;
using SyncEngine.Datasets;

namespace SyncEngine.Cli.Commands;

internal static class CompactCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Option<bool> forgets = new("--forget-deletes")
        {
            Description = "Forget deletes too. Safe at any time; a device that missed them gets everything at its next sync.",
        };
        var command = new Command("compact", "Rewrite a file so that it takes no more room than its data needs. A "
            + "crash leaves the old file or the new one.") { file, forgets };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            string path = arguments.GetRequiredValue(file);
            await using SyncStore store = await StoreFile.OpenExistingAsync(path, terminal);
            int forgotten = 0;
            if (arguments.GetValue(forgets))
            {
                foreach (Dataset dataset in StoreFile.Datasets(store, null)) forgotten += dataset.ForgetDeletes(dataset.Version);
                terminal.Out.WriteLine(FormattableString.Invariant($"{forgotten} deletes forgotten"));
            }

            long before = await store.GetSizeBytesAsync();
            await terminal.ShowProgressAsync(async begin =>
            {
                await store.CompactAsync(begin("Compacting"), cancellationToken);
                return true;
            });
            long after = await store.GetSizeBytesAsync();
            terminal.Out.WriteLine(FormattableString.Invariant($"{path}: {before} → {after} bytes"));
            return ExitCode.Success;
        });
        return command;
    }
}
