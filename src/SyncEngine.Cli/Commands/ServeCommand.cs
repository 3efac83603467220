using System.CommandLine;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using SyncEngine.Sync;

namespace SyncEngine.Cli.Commands;

internal static class ServeCommand
{
    private const string DefaultAddress = "127.0.0.1:7117";

    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Option<string> listen = new("--listen")
        {
            Description = "Where to listen; port 0 for any free one. Give 0.0.0.0:7117 for other machines of the network.",
            HelpName = "HOST:PORT", DefaultValueFactory = static _ => DefaultAddress,
        };
        Option<string?> code = new("--code")
        {
            Description = "The pairing code to ask for; a new one without it.", HelpName = "CODE",
        };
        var command = new Command("serve", "Keep a file in sync with every machine that connects with the pairing code, "
            + "until Ctrl+C. The connection is encrypted. A file that does not exist is made.") { file, listen, code };
        command.SetAction((arguments, cancellationToken) => ServeAsync(
            terminal, arguments.GetRequiredValue(file), HostAndPort.Parse(arguments.GetRequiredValue(listen)),
            arguments.GetValue(code) ?? PairingCode.Create(), cancellationToken));
        return command;
    }

    private static async Task<int> ServeAsync(
        Terminal terminal, string path, HostAndPort address, string code, CancellationToken cancellationToken)
    {
        var options = new SyncOptions { Secret = PairingCode.SecretOf(code) };
        await using SyncStore store = await StoreFile.OpenAsync(path, terminal);
        using var certificate = PeerCertificate.CreateSelfSigned();
        await using SyncListener listener = await ListenAsync(address, certificate, cancellationToken);
        var endPoint = (IPEndPoint)listener.EndPoint;
        terminal.Out.WriteLine($"Serving {path}, identity {store.Identity.Id}, on {endPoint}. On the other machine:");
        foreach (string host in Hosts(endPoint))
            terminal.Out.WriteLine($"  syncengine connect FILE {host}:{endPoint.Port} --code {code}");
        try
        {
            await store.ServeAsync(listener, options, peer => Tell(terminal, peer), cancellationToken: cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            terminal.Out.WriteLine("Stopped. What came is in the file.");
        }

        return ExitCode.Success;
    }

    private static async Task<SyncListener> ListenAsync(
        HostAndPort address, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate,
        CancellationToken cancellationToken)
    {
        try
        {
            return new SyncListener(await address.ResolveAsync(cancellationToken), certificate);
        }
        catch (SocketException e)
        {
            throw new CommandFailure(ExitCode.OperationFailed, $"Cannot listen on {address.Host}:{address.Port}: {e.Message}. "
                + "Choose another address or port with --listen.");
        }
    }

    private static void Tell(Terminal terminal, ServedPeer peer)
    {
        string words = peer.IsConnected ? "connected"
            : peer.Failure is { } failure ? "refused or lost: " + failure.Message
            : peer.Result is { } result ? "gone: " + LiveStatus.Describe(result) : "gone";
        terminal.Out.WriteLine($"{peer.Name} {words}");
    }

    /// <summary>What other machines can call this one.</summary>
    private static List<string> Hosts(IPEndPoint endPoint)
    {
        bool isAny = endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any);
        if (!isAny) return [endPoint.Address.ToString()];
        List<string> own = NetworkInterface.GetAllNetworkInterfaces()
            .Where(static network => network.OperationalStatus == OperationalStatus.Up
                && network.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(static network => network.GetIPProperties().UnicastAddresses)
            .Where(static address => address.Address.AddressFamily == AddressFamily.InterNetwork)
            .Select(static address => address.Address.ToString()).ToList();
        return own.Count > 0 ? own : ["localhost"];
    }
}
