using System.CommandLine;
using SyncEngine.Sync;

namespace SyncEngine.Cli.Commands;

internal static class ConnectCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Argument<string> address = Arguments.Text("HOST:PORT", "Where the other machine serves.");
        Option<string> code = new("--code")
        {
            Description = "The pairing code that serve printed.", HelpName = "CODE", Required = true,
        };
        Option<bool> once = new("--once") { Description = "Exchange what either side lacks, and end." };
        var command = new Command("connect", "Keep a file in sync with a machine that runs serve, until Ctrl+C. A file "
            + "that does not exist is made; a guest that never synced takes the other side's identity.")
            { file, address, code, once };
        command.SetAction((arguments, cancellationToken) =>
        {
            HostAndPort peer = HostAndPort.Parse(arguments.GetRequiredValue(address));
            var connector = new TlsConnector(peer.Host, peer.Port) { TrustsAnyCertificate = true };
            var options = new SyncOptions { Adopts = true, Secret = PairingCode.SecretOf(arguments.GetRequiredValue(code)) };
            string path = arguments.GetRequiredValue(file);
            return arguments.GetValue(once) ? OnceAsync(terminal, path, connector, options, cancellationToken)
                : StayAsync(terminal, path, connector, options, cancellationToken);
        });
        return command;
    }

    private static async Task<int> OnceAsync(
        Terminal terminal, string path, TlsConnector peer, SyncOptions options, CancellationToken cancellationToken)
    {
        await using SyncStore store = await StoreFile.OpenAsync(path, terminal);
        string before = store.Identity.Id.ToString();
        SyncResult result = await terminal.ShowProgressAsync(begin => store.SynchronizeAsync(
            peer, options, new Percent(begin(peer.Name)), cancellationToken).AsTask());
        TellAdoption(terminal, store, path, before);
        terminal.Out.WriteLine(LiveStatus.Describe(result));
        if (result.IsComplete && result.Refusals.Count == 0) return ExitCode.Success;
        terminal.Error.WriteLine("syncengine: Not everything was exchanged: sync again to go on.");
        return ExitCode.CheckFailed;
    }

    private static async Task<int> StayAsync(
        Terminal terminal, string path, TlsConnector peer, SyncOptions options, CancellationToken cancellationToken)
    {
        await using SyncStore store = await StoreFile.OpenAsync(path, terminal);
        string before = store.Identity.Id.ToString();
        await using SyncLink link = store.Connect(peer, options);
        using IDisposable following = LiveStatus.Follow(link, terminal);
        try
        {
            await store.WaitForFirstSyncAsync(cancellationToken);
            TellAdoption(terminal, store, path, before);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            terminal.Out.WriteLine("Stopped. What came is in the file.");
        }

        return ExitCode.Success;
    }

    private static void TellAdoption(Terminal terminal, SyncStore store, string path, string before)
    {
        if (store.Identity.Id.ToString() == before) return;
        terminal.Out.WriteLine($"{path} was a guest that had never synced; it now shares the identity {store.Identity.Id}.");
    }

    private sealed class Percent(IProgress<double> bar) : IProgress<SyncProgress>
    {
        public void Report(SyncProgress value)
        {
            if (value.Percent is { } percent) bar.Report(percent / 100);
        }
    }
}
