using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>A link that lives as long as the app: it connects again, tells how it is doing, and can be stopped at any
/// time.</summary>
public sealed class LinkTests
{
    private static readonly SyncOptions _adopts = new() { Adopts = true };

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    [Fact]
    public async Task A_link_goes_live_pushes_both_ways_and_comes_back_after_a_cut()
    {
        await using SyncStore left = await SyncStore.OpenAsync(new MemoryDisk().Open);
        await using SyncStore right = await SyncStore.OpenAsync(new MemoryDisk().Open);
        var peer = new Peer(right);
        await using SyncLink link = left.Connect(peer, _adopts);
        Dataset a = left.Identity.Dataset("save"), b = right.Identity.Dataset("save");
        a["x"] = 0;
        for (int i = 1; i <= 3; i++)
        {
            await Reaches(link, SyncState.Live);
            a["x"] = i;
            await Until(() => right.Identity.Dataset("save")["x"] == i);
            right.Identity.Dataset("save")["y"] = i;
            await Until(() => a["y"] == i);
            await Until(() => link.Current.PendingChanges == 0);
            await peer.CutAsync();
            await link.Status.FirstAsync(status => status.State != SyncState.Live).ToTask(Soon);
            a["x"] = -i;
            await Until(() => link.Current.PendingChanges == 1 || right.Identity.Dataset("save")["x"] == -i);
        }

        Assert.NotNull(link.Current.LastSync);
        Assert.Equal(SyncState.Live, (await Reaches(link, SyncState.Live)).State);
        _ = b;
    }

    [Fact]
    public async Task Pauses_between_attempts_are_random_double_and_end_at_a_minute()
    {
        var time = new TimerTime();
        var options = new SyncStoreOptions { TimeProvider = time, RandomSource = RandomSource.Seeded(3) };
        await using SyncStore store = SyncStore.OpenInMemory(options);
        var nobody = new Connector(_ => throw new IOException("nobody there"));
        await using SyncLink link = store.Connect(nobody);
        var pauses = new List<double>();
        for (int i = 0; i < 30; i++)
        {
            await Until(() => nobody.Attempts == i + 1 && link.Current.State == SyncState.Failed);
            TimeSpan pause = link.Current.NextRetry!.Value - time.GetUtcNow();
            Assert.InRange(pause.TotalSeconds, 0.1, Math.Min(60, 0.5 * Math.Pow(2, i)) + 0.1);
            Assert.Equal(SyncErrorCode.ConnectionFailed, link.Current.Failure!.Code);
            pauses.Add(pause.TotalSeconds);
            time.Advance(pause);
        }

        Assert.True(pauses.Distinct().Count() > 25, "The pauses are not random.");
        Assert.InRange(pauses.Skip(8).Average(), 15, 45);
    }

    [Fact]
    public async Task Retry_now_and_a_network_that_comes_back_end_the_pause()
    {
        var time = new TimerTime();
        var network = new Network { Available = false };
        await using SyncStore store = SyncStore.OpenInMemory(
            new SyncStoreOptions { TimeProvider = time, Connectivity = network });
        var nobody = new Connector(_ => throw new IOException("nobody there"));
        await using SyncLink link = store.Connect(nobody);
        await Until(() => nobody.Attempts == 1 && link.Current.State == SyncState.Offline);
        link.RetryNow();
        await Until(() => nobody.Attempts == 2 && link.Current.State == SyncState.Offline);
        network.Available = true;
        network.Raise();
        await Until(() => nobody.Attempts == 3 && link.Current.State == SyncState.Failed);
    }

    [Fact]
    public async Task A_peer_of_another_identity_needs_a_person()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        var peer = new Peer(right);
        await using SyncLink link = left.Connect(peer);
        SyncStatus status = await Reaches(link, SyncState.NeedsAuth);
        Assert.Equal(SyncErrorCode.Unauthorized, status.Failure!.Code);
        Assert.Null(status.PendingChanges);
        StoreStatus whole = await left.Status.FirstAsync().ToTask(Soon);
        Assert.Equal(SyncState.NeedsAuth, whole.Sync.State);
        await left.AdoptIdentityAsync(right.Identity.Id);
        link.RetryNow();
        await Reaches(link, SyncState.Live);
        await left.Status.FirstAsync(now => now.Sync.State == SyncState.Live).ToTask(Soon);
    }

    [Fact]
    public async Task A_link_can_be_disposed_in_every_state()
    {
        using SyncStore right = SyncStore.OpenInMemory();
        var never = new TaskCompletionSource<ISyncTransport>();
        ISyncConnector[] peers =
        [
            new Connector(_ => throw new IOException()),
            new Connector(_ => never.Task),
            new Connector(_ => Task.FromResult<ISyncTransport>(MemoryTransport.CreatePair().Item1)),
            new Peer(right),
        ];
        foreach (ISyncConnector peer in peers)
        {
            SyncStore store = SyncStore.OpenInMemory();
            SyncLink link = store.Connect(peer, _adopts);
            await Task.Delay(30);
            long begun = Environment.TickCount64;
            if (peer is Peer) await link.DisposeAsync();
            await store.DisposeAsync();
            if (peer != peers[1]) Assert.Equal(SyncState.Closed, link.Current.State);
            Assert.InRange(Environment.TickCount64 - begun, 0, 8000);
        }
    }

    [Fact]
    public async Task A_peer_that_never_says_hello_is_given_up()
    {
        await using SyncStore store = SyncStore.OpenInMemory();
        var silent = new Connector(_ => Task.FromResult<ISyncTransport>(MemoryTransport.CreatePair().Item1));
        await using SyncLink link = store.Connect(silent, _adopts with { ResendAfter = TimeSpan.FromMilliseconds(20) });
        SyncStatus status = await Reaches(link, SyncState.Failed);
        Assert.Equal(SyncErrorCode.ConnectionFailed, status.Failure!.Code);
    }

    [Fact]
    public async Task A_link_follows_the_store_to_another_identity()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        await left.AdoptIdentityAsync(right.Identity.Id);
        await using SyncLink link = left.Connect(new Peer(right));
        await Reaches(link, SyncState.Live);
        var other = await left.CreateIdentityAsync();
        var first = left.Identity;
        await left.SwitchIdentityAsync(other.Id);
        await Reaches(link, SyncState.NeedsAuth);
        await left.SwitchIdentityAsync(first.Id);
        await Reaches(link, SyncState.Live);
    }

    [Fact]
    public async Task The_first_sync_is_waited_for_once_and_remembered_in_the_file()
    {
        using SyncStore right = SyncStore.OpenInMemory();
        for (int i = 0; i < 100; i++) right.Identity.Dataset("save")["k" + i] = i;
        var disk = new MemoryDisk();
        await using (SyncStore left = await SyncStore.OpenAsync(disk.Open))
        {
            Assert.Null(left.Identity.LastSync);
            using var soon = new CancellationTokenSource(20);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => left.WaitForFirstSyncAsync(soon.Token).AsTask());
            ValueTask waiting = left.WaitForFirstSyncAsync(Soon);
            await using SyncLink link = left.Connect(new Peer(right), _adopts);
            await waiting;
            Assert.Equal(100, left.Identity.Dataset("save").Count);
        }

        await using SyncStore again = await SyncStore.OpenAsync(disk.Open);
        await again.WaitForFirstSyncAsync(Soon);
        Assert.NotNull(again.Identity.LastSync);
    }

    [Fact]
    public async Task Progress_is_told_never_falls_and_ends_at_a_hundred()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        for (int i = 0; i < 30_000; i++) right.Identity.Dataset("save")["k" + i] = "some text that takes a few bytes " + i;
        right.Identity.Dataset("other")["x"] = 1;
        var told = new ConcurrentQueue<SyncProgress>();
        SyncResult result = await left.SynchronizeAsync(new Peer(right), _adopts, new Sink(told), Soon);
        Assert.True(result.IsComplete);
        double[] percents = told.Where(t => t.Percent is not null).Select(t => t.Percent!.Value).ToArray();
        Assert.Equal(percents.Order(), percents);
        Assert.Equal(100, percents[^1]);
        Assert.Contains(percents, percent => percent is > 5 and < 95);
    }

    [Fact]
    public async Task A_hundred_links_in_one_process_stay_live()
    {
        await using SyncStore hub = SyncStore.OpenInMemory();
        hub.Identity.Dataset("save")["x"] = 0;
        var stores = new List<SyncStore>();
        var links = new List<SyncLink>();
        for (int i = 0; i < 100; i++)
        {
            stores.Add(SyncStore.OpenInMemory());
            await stores[i].AdoptIdentityAsync(hub.Identity.Id);
            links.Add(stores[i].Connect(new Peer(hub)));
        }

        foreach (SyncLink link in links) await Reaches(link, SyncState.Live);
        stores[17].Identity.Dataset("save")["x"] = 17;
        await Until(() => stores.TrueForAll(store => store.Identity.Dataset("save")["x"] == 17));
        foreach (SyncStore store in stores) await store.DisposeAsync();
    }

    [Fact]
    public async Task A_restarted_tcp_peer_is_found_again()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        await left.AdoptIdentityAsync(right.Identity.Id);
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await using SyncLink link = left.Connect(new TcpConnector("127.0.0.1", port));
        TcpClient client = await listener.AcceptTcpClientAsync();
        Task<SyncResult> serving = right.ServeAsync(new StreamTransport(client.GetStream())).AsTask();
        await Reaches(link, SyncState.Live);
        listener.Stop();
        client.Dispose();
        await Task.WhenAny(serving, Task.Delay(5000));
        await link.Status.FirstAsync(status => status.State is SyncState.Offline or SyncState.Failed).ToTask(Soon);
        var again = new TcpListener(IPAddress.Loopback, port);
        again.Start();
        link.RetryNow();
        client = await again.AcceptTcpClientAsync();
        _ = right.ServeAsync(new StreamTransport(client.GetStream())).AsTask();
        await Reaches(link, SyncState.Live);
        again.Stop();
    }

    private static async Task<SyncStatus> Reaches(SyncLink link, SyncState state) =>
        await link.Status.FirstAsync(status => status.State == state).ToTask(Soon);

    private static async Task Until(Func<bool> condition)
    {
        CancellationToken soon = Soon;
        while (!condition()) await Task.Delay(1, soon);
    }

    private sealed class Sink(ConcurrentQueue<SyncProgress> told) : IProgress<SyncProgress>
    {
        public void Report(SyncProgress value) => told.Enqueue(value);
    }

    private sealed class Network : Connectivity
    {
        public bool Available { get; set; }

        public override bool IsAvailable => Available;

        public void Raise() => RaiseChanged();
    }

    private sealed class Connector(Func<CancellationToken, Task<ISyncTransport>> connect) : ISyncConnector
    {
        private int _attempts;

        public int Attempts => Volatile.Read(ref _attempts);

        public string Name => "test";

        public async ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _attempts);
            return await connect(cancellationToken);
        }
    }

    /// <summary>A peer in memory that serves each who connects.</summary>
    private sealed class Peer(SyncStore store) : ISyncConnector
    {
        private MemoryTransport? _last;

        public string Name => "peer";

        public ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken)
        {
            (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair();
            _last = far;
            _ = ServeAsync(far);
            return new ValueTask<ISyncTransport>(near);
        }

        public ValueTask CutAsync() => _last!.DisposeAsync();

        private async Task ServeAsync(ISyncTransport transport)
        {
            try
            {
                await store.ServeAsync(transport, new SyncOptions(), Soon);
            }
            catch (Exception e) when (e is SyncException or OperationCanceledException)
            {
            }
        }
    }
}
