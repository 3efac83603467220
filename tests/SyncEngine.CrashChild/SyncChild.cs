using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.LiteDB;
using SyncEngine.Sync;

namespace SyncEngine.CrashChild;

/// <summary>
/// Writes and syncs live over the loopback until killed: in each transaction the own register number n % 50 gets n, the own
/// counter 1 more, and a register that both sides write gets n; prints n once the transaction was acknowledged.
/// </summary>
public static class SyncChild
{
    private static readonly SyncOptions _options = new() { ResendAfter = TimeSpan.FromSeconds(1) };

    public static async Task RunAsync(string path, string stateFolder, string name, int port)
    {
        SyncStore store = await OpenAsync(path, stateFolder).ConfigureAwait(false);
        _ = Task.Run(() => name == "left" ? ServeAsync(store, port) : ConnectAsync(store, port));
        Dataset save = await store.Identity.OpenDatasetAsync("save").ConfigureAwait(false);
        for (long n = save.Counter(name).Value + 1; ; n++)
        {
            long number = n;
            await save.WriteAsync(w =>
            {
                w[name + (number % 50)] = number;
                w["both" + (number % 20)] = name + number;
                w.Counter(name).Add(1);
            }).ConfigureAwait(false);
            Say(n.ToString(CultureInfo.InvariantCulture));
            await Task.Delay((int)(n % 4)).ConfigureAwait(false);
        }
    }

    public static ValueTask<SyncStore> OpenAsync(string path, string stateFolder) => LiteDbSyncStore.OpenAsync(
        path, storageOptions: new LiteDbStorageOptions { LocalStateFolder = stateFolder });

    private static async Task ServeAsync(SyncStore store, int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        while (true)
        {
            TcpClient client = await listener.AcceptTcpClientAsync().ConfigureAwait(false);
            client.NoDelay = true;
            _ = Task.Run(() => Guard(() => store.ServeAsync(new StreamTransport(client.GetStream()), _options).AsTask()));
        }
    }

    private static async Task ConnectAsync(SyncStore store, int port)
    {
        var connector = new TcpConnector("127.0.0.1", port);
        while (true)
        {
            await Guard(async () =>
            {
                ISyncTransport transport = await connector.ConnectAsync(CancellationToken.None).ConfigureAwait(false);
                await store.ExchangeAsync(transport, _options).ConfigureAwait(false);
            }).ConfigureAwait(false);
            await Task.Delay(5).ConfigureAwait(false);
        }
    }

    /// <summary>A peer that is killed breaks the connection; anything else is a fault that the parent is told of.</summary>
    private static async Task Guard(Func<Task> exchange)
    {
        try
        {
            await exchange().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException
            || (e is SyncException { Code: SyncErrorCode.ConnectionFailed }))
        {
            // The parent killed the other side.
        }
        catch (Exception e)
        {
            Say("fault " + e.ToString().ReplaceLineEndings(" | "));
        }
    }

    private static void Say(string line)
    {
        lock (_options)
        {
            Console.Out.Write(line + "\n");
            Console.Out.Flush();
        }
    }
}
