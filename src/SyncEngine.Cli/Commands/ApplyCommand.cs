using System.CommandLine;

namespace SyncEngine.Cli.Commands;

internal static class ApplyCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File("B", "The store's file; it is made if there is none.");
        Argument<string> delta = Arguments.File("F", "A file that delta wrote.");
        var command = new Command("apply", "Merge a delta into B. Merging one twice changes nothing; one that builds "
            + "on changes that are missing is refused whole, with exit code 1.") { file, delta };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            string target = arguments.GetRequiredValue(file), source = arguments.GetRequiredValue(delta);
            if (!File.Exists(source)) throw CommandFailure.BadInput($"There is no file {source}: make it with delta.");
            byte[] bundle = await File.ReadAllBytesAsync(source, cancellationToken);
            Identities.IdentityId identity = SyncStore.ReadBundleIdentity(bundle);
            await using SyncStore store = await StoreFile.OpenAsync(target, terminal);
            string? adopted = Pairing.ExplainAdoption(store, target, identity, source);
            Carried carried = await Carrier.ApplyAsync(store, bundle, cancellationToken, adopts: true);
            if (adopted is not null) terminal.Out.WriteLine(adopted);
            terminal.Out.WriteLine(FormattableString.Invariant(
                $"{source} → {target}: {carried.Records} records, {carried.Bytes} bytes"));
            return ExitCode.Success;
        });
        return command;
    }
}
