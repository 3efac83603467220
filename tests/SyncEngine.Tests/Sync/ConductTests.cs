using System.Net;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using SyncEngine.Tests.Wire;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>What ends when: waits, servers, transfers and silent peers; nothing waits for ever, no failure is
/// hidden.</summary>
public sealed class ConductTests
{
    private static readonly SyncOptions _adopts = new() { Adopts = true };

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Serving_ends_with_its_listener_or_its_store(bool disposesStore)
    {
        using SyncStore client = SyncStore.OpenInMemory();
        SyncStore server = SyncStore.OpenInMemory();
        await using var listener = new SyncListener(new IPEndPoint(IPAddress.Loopback, 0));
        Task serving = server.ServeAsync(listener, _adopts);
        await using SyncLink link = client.Connect(
            new TcpConnector("127.0.0.1", ((IPEndPoint)listener.EndPoint).Port), _adopts);
        await client.WaitForFirstSyncAsync(Soon);
        if (disposesStore) await server.DisposeAsync();
        else await listener.DisposeAsync();
        await serving.WaitAsync(Soon);
        await server.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => server.ServeAsync(listener, _adopts));
    }

    [Fact]
    public async Task A_callback_that_throws_harms_no_peer()
    {
        var told = new List<Exception>();
        using SyncStore client = SyncStore.OpenInMemory();
        using SyncStore server = SyncStore.OpenInMemory(new SyncStoreOptions { ObserverFailed = told.Add });
        await using var listener = new SyncListener(new IPEndPoint(IPAddress.Loopback, 0));
        using var stop = new CancellationTokenSource();
        Task serving = server.ServeAsync(
            listener, _adopts, _ => throw new InvalidOperationException("a bug"), cancellationToken: stop.Token);
        var connector = new TcpConnector("127.0.0.1", ((IPEndPoint)listener.EndPoint).Port);
        Assert.True((await client.SynchronizeAsync(connector, _adopts, null, Soon)).IsComplete);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
        Assert.Contains(told, failure => failure.Message == "a bug");
    }

    [Fact]
    public async Task The_first_sync_may_come_through_a_bundle_and_never_after_the_end()
    {
        using SyncStore from = SyncStore.OpenInMemory();
        from.Identity.Dataset("save")["x"] = 1;
        SyncStore to = SyncStore.OpenInMemory(), ended = SyncStore.OpenInMemory();
        Task waiting = to.WaitForFirstSyncAsync(Soon).AsTask(), never = ended.WaitForFirstSyncAsync(Soon).AsTask();
        await to.ApplyAsync(await from.ExportAsync(), adopts: true);
        await waiting;
        Assert.NotNull(to.Identity.LastSync);
        await ended.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => never);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ended.WaitForFirstSyncAsync().AsTask());
        await to.DisposeAsync();
    }

    [Fact]
    public async Task A_transport_that_cannot_send_is_told_with_its_reason()
    {
        using SyncStore store = SyncStore.OpenInMemory();
        SyncException failure = await Assert.ThrowsAsync<SyncException>(
            () => store.SynchronizeAsync(new Mute(), null, null, Soon).AsTask());
        Assert.Equal(SyncErrorCode.ConnectionFailed, failure.Code);
        Assert.Contains("the radio is off", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_leaves_before_its_hello_is_a_failure()
    {
        using SyncStore store = SyncStore.OpenInMemory();
        (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair();
        await far.DisposeAsync();
        SyncException failure = await Assert.ThrowsAsync<SyncException>(
            () => store.SynchronizeAsync(near, null, null, Soon).AsTask());
        Assert.Equal(SyncErrorCode.ConnectionFailed, failure.Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silent_peer_is_given_up_though_the_app_writes_or_sending_waits(bool saysHello)
    {
        using SyncStore store = SyncStore.OpenInMemory(), other = SyncStore.OpenInMemory();
        Dataset save = store.Identity.Dataset("save");
        for (int i = 0; i < 20_000; i++) save["k" + i] = new string('x', 200);
        (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair();
        if (saysHello)
        {
            using var peer = new SyncSession(other.Identity, new SessionOptions { Adopts = true });
            while (peer.TryTake(out ReadOnlyMemory<byte> message)) await far.SendAsync(message.ToArray(), Soon);
            await far.SendAsync(MessageCodec.WriteTold(), Soon);
        }

        Task<SyncResult> running = store.SynchronizeAsync(
            near, new SyncOptions { Adopts = true, ResendAfter = TimeSpan.FromMilliseconds(20) }, null, Soon).AsTask();
        while (!running.IsCompleted)
        {
            save["n"] = Environment.TickCount64;
            await Task.Delay(5);
        }

        SyncException failure = await Assert.ThrowsAsync<SyncException>(() => running);
        Assert.Contains("said nothing", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_is_cancelled_though_its_transport_does_not_hear_of_it()
    {
        using SyncStore store = SyncStore.OpenInMemory();
        using var stop = new CancellationTokenSource();
        Task running = store.ServeAsync(
            new Deaf(), new SyncOptions { ResendAfter = TimeSpan.FromHours(1) }, stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void A_side_that_was_paired_after_its_hello_asks_to_connect_again()
    {
        using SyncStore guest = SyncStore.OpenInMemory();
        using SyncStore first = SyncStore.OpenInMemory(), second = SyncStore.OpenInMemory();
        using var early = new SyncSession(guest.Identity, new SessionOptions { IsInitiator = true, Adopts = true });
        using var late = new SyncSession(guest.Identity, new SessionOptions { IsInitiator = true, Adopts = true });
        using var one = new SyncSession(first.Identity, new SessionOptions());
        using var two = new SyncSession(second.Identity, new SessionOptions { Adopts = true });
        foreach (SyncSession session in (SyncSession[])[early, late, one, two])
            Assert.True(session.TryTake(out ReadOnlyMemory<byte> _));
        using var hello = new SyncSession(first.Identity, new SessionOptions());
        hello.TryTake(out ReadOnlyMemory<byte> ofFirst);
        early.Receive(ofFirst);
        Assert.Equal(first.Identity.Id, guest.Identity.Id);
        using var again = new SyncSession(second.Identity, new SessionOptions { Adopts = true });
        again.TryTake(out ReadOnlyMemory<byte> ofSecond);
        SyncException failure = Assert.Throws<SyncException>(() => late.Receive(ofSecond));
        Assert.Contains("Connect again", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_opening_told_of_two_replicas_is_refused_for_no_peer_would_take_it_on()
    {
        using SyncStore store = SyncStore.OpenInMemory();
        Dataset save = store.Identity.Dataset("save");
        Assert.Equal(JoinOutcome.Joined, save.Join(FrameOf(70)).Outcome);
        string before = CellReader.Fingerprint(save);
        Assert.Equal(SyncErrorCode.Malformed, Assert.Throws<SyncException>(() => save.Join(FrameOf(71))).Code);
        Assert.Equal(before, CellReader.Fingerprint(save));
    }

    [Fact]
    public void Who_brings_no_more_parts_gives_way_to_another_peer()
    {
        var time = new ManualTime();
        using SyncStore source = SyncStore.OpenInMemory();
        using SyncStore target = SyncStore.OpenInMemory(new SyncStoreOptions { TimeProvider = time });
        Dataset from = source.Identity.Dataset("save"), to = target.Identity.Dataset("save");
        for (int i = 0; i < 100; i++) from["k" + i] = i;
        byte[] part = from.EncodePart(
            false, VersionVector.Empty, from.Version, VersionVector.Empty, default, 200, out _, out _)!;
        using DecodedFrame frame = FrameReader.Read(part, new FrameLimits());
        object idle = new(), eager = new();
        Assert.Equal(PartOutcome.Taken, to.TakePart(frame, part, idle));
        using DecodedFrame again = FrameReader.Read(part, new FrameLimits());
        Assert.Equal(PartOutcome.Busy, to.TakePart(again, part, eager));
        time.Advance(20_000);
        Assert.NotEqual(PartOutcome.Busy, to.TakePart(again, part, eager));
    }

    [Fact]
    public async Task What_a_snapshot_does_not_shrink_asks_for_no_further_one()
    {
        var disk = new MemoryDisk();
        var faults = new Faults();
        SyncStore store = await SyncStore.OpenAsync(() => new FaultyStorage(disk.Open(), faults));
        Dataset save = store.Identity.Dataset("save");
        save.Write(w =>
        {
            for (int i = 0; i < 20_000; i++) w[i + new string('k', 200)] = i;
        });
        await save.FlushAsync();
        save.Write(w =>
        {
            for (int i = 0; i < 20_000; i++) w.Delete(i + new string('k', 200));
        });
        await store.DisposeAsync();
        Assert.InRange(faults.Commits, 3, 12);
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused_at_once()
    {
        Assert.Throws<ArgumentException>(() => new SyncOptions { Secret = new byte[15] });
        Assert.Throws<ArgumentOutOfRangeException>(() => new SyncOptions { ResendAfter = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new SyncFolder("f") { PollInterval = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TcpConnector("localhost", 99_999));
        Assert.Throws<ArgumentException>(() => new TlsConnector("", 1));
        using var listener = new System.Net.Sockets.Socket(
            System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        SyncException taken = Assert.Throws<SyncException>(() => new SyncListener(listener.LocalEndPoint!));
        Assert.Contains("Cannot listen on", taken.Message, StringComparison.Ordinal);
    }

    /// <summary>A sound delta whose replica is another and whose opening is always the same.</summary>
    private static byte[] FrameOf(byte replica)
    {
        using var site = new Site(4);
        site.Dataset["from" + replica] = 1;
        return FrameSurgeon.WithBody(Site.Encode(site.Dataset), body =>
        {
            body[FrameSurgeon.Replicas] = FrameSurgeon.Encode(replica);
            body[FrameSurgeon.Lines] = [0x91, .. FrameSurgeon.Encode(1, 99)];
        });
    }

    private sealed class Mute : ISyncTransport
    {
        public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("the radio is off");

        public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return default;
        }

        public ValueTask DisposeAsync() => default;
    }
    private sealed class Deaf : ISyncTransport
    {
        private readonly TaskCompletionSource _ends = new();

        public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => default;

        public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
        {
            await _ends.Task;
            return default;
        }

        public ValueTask DisposeAsync()
        {
            _ends.TrySetResult();
            return default;
        }
    }
}
