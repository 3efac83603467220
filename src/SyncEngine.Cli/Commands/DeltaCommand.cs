using System.CommandLine;

namespace SyncEngine.Cli.Commands;

internal static class DeltaCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File("A", "The store's file.");
        Option<string?> since = new("--since")
        {
            Description = "Write only what this file lacks; all without it.", HelpName = "B",
        };
        Option<string> target = new("--out") { Description = "The file to write.", HelpName = "F", Required = true };
        Option<bool> packs = new("--pack") { Description = "Pack it with Brotli." };
        var command = new Command("delta", "Write what A has and B lacks to a file of bytes, to carry by any means. "
            + "Use apply on the other side.") { file, since, target, packs };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            string source = arguments.GetRequiredValue(file), output = arguments.GetRequiredValue(target);
            StoreFile.RefuseToOverwrite(output);
            await using SyncStore store = await StoreFile.OpenExistingAsync(source, terminal);
            byte[] bundle;
            if (arguments.GetValue(since) is { } other)
            {
                if (Path.GetFullPath(other) == Path.GetFullPath(source))
                    throw CommandFailure.BadInput($"{other} is given twice: name two files.");
                await using SyncStore receiver = await StoreFile.OpenExistingAsync(other, terminal);
                if (await Pairing.PairAsync(store, source, receiver, other) is { } paired)
                    terminal.Error.WriteLine(paired);
                bundle = await store.ExportAsync(receiver.GetVersions(), arguments.GetValue(packs), cancellationToken);
            }
            else
            {
                bundle = await store.ExportAsync(null, arguments.GetValue(packs), cancellationToken);
            }

            await File.WriteAllBytesAsync(output, bundle, cancellationToken);
            terminal.Out.WriteLine(FormattableString.Invariant($"{output}: {bundle.Length} bytes"));
            return ExitCode.Success;
        });
        return command;
    }
}
