using System.Net;
using System.Net.Sockets;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>The protocol, sans-IO over a seeded bad network, and end to end over loopback.</summary>
public sealed class SessionTests
{
    private static readonly SyncOptions _adopts = new() { Adopts = true };

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Fact]
    public async Task A_round_brings_both_sides_to_the_same_state_and_adopts_the_identity()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        left.Identity.Dataset("save")["player"] = "Ann";
        right.Identity.Dataset("save").Counter("coins").Add(3);
        right.Identity.Dataset("other")["x"] = 1;
        (SyncResult l, SyncResult r) = await Round(left, right, _adopts);
        Assert.True(l.IsComplete);
        Assert.True(r.IsComplete);
        Assert.Equal(right.Identity.Id, left.Identity.Id);
        AssertEqual(left, right, "save", "other");
        Assert.Equal((2, 1), (l.ChangesReceived, l.ChangesSent));
        (l, _) = await Round(left, right, _adopts);
        Assert.True(l.IsComplete);
        Assert.Equal((0, 0), (l.ChangesReceived, l.ChangesSent));
    }

    [Fact]
    public async Task Changes_are_pushed_both_ways_over_tcp_while_connected()
    {
        using SyncStore left = SyncStore.OpenInMemory();
        var disk = new MemoryDisk();
        await using SyncStore right = await SyncStore.OpenAsync(disk.Open);
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var stop = new CancellationTokenSource();
        Task<SyncResult> serving = Task.Run(async () =>
        {
            TcpClient client = await listener.AcceptTcpClientAsync();
            return await right.ServeAsync(new StreamTransport(client.GetStream()), _adopts);
        });
        var connector = new TcpConnector("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
        ISyncTransport transport = await connector.ConnectAsync(Soon);
        Task<SyncResult> running = left.ExchangeAsync(transport, _adopts, stop.Token).AsTask();
        Dataset a = left.Identity.Dataset("save");
        for (int i = 0; i < 20; i++)
        {
            a["n"] = i;
            await Until(() => right.Identity.Dataset("save")["n"] == i);
            await right.Identity.Dataset("save").PutAsync("m", i);
            await Until(() => a["m"] == i);
        }

        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.True((await serving).IsComplete);
        listener.Stop();
    }

    [Fact]
    public async Task Different_identities_are_refused_with_a_reason_on_both_sides()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        left.Identity.Dataset("save")["x"] = 1;
        (MemoryTransport l, MemoryTransport r) = MemoryTransport.CreatePair();
        Task<SyncResult> serving = right.ServeAsync(r, null, Soon).AsTask();
        SyncException mine = await Assert.ThrowsAsync<SyncException>(() => left.SynchronizeAsync(l, null, null, Soon).AsTask());
        SyncException theirs = await Assert.ThrowsAsync<SyncException>(() => serving);
        Assert.Equal((SyncErrorCode.Unauthorized, SyncErrorCode.Unauthorized), (mine.Code, theirs.Code));
        Assert.Empty(right.Identity.DatasetNames);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_shared_secret_lets_in_only_who_knows_it(bool isSame)
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        left.Identity.Dataset("save")["x"] = 1;
        (MemoryTransport l, MemoryTransport r) = MemoryTransport.CreatePair();
        SyncOptions known = _adopts with { Secret = new byte[16] };
        SyncOptions told = isSame ? known : _adopts with { Secret = "another one of 24 bytes!"u8.ToArray() };
        Task<SyncResult> serving = right.ServeAsync(r, known, Soon).AsTask();
        Task<SyncResult> syncing = left.SynchronizeAsync(l, told, null, Soon).AsTask();
        if (isSame)
        {
            Assert.True((await syncing).IsComplete);
            Assert.True((await serving).IsComplete);
            return;
        }

        Assert.Equal(SyncErrorCode.Unauthorized, (await Assert.ThrowsAsync<SyncException>(() => serving)).Code);
        Assert.Equal(SyncErrorCode.Unauthorized, (await Assert.ThrowsAsync<SyncException>(() => syncing)).Code);
        Assert.Empty(right.Identity.DatasetNames);
    }

    [Fact]
    public async Task Only_the_datasets_that_both_want_are_exchanged()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        foreach (string name in new[] { "save1", "save2", "cache" }) left.Identity.Dataset(name)["x"] = 1;
        (SyncResult l, _) = await Round(left, right, _adopts with { Datasets = ["save*"] });
        Assert.True(l.IsComplete);
        Assert.Equal(["save1", "save2"], right.Identity.DatasetNames);
    }

    [Fact]
    public async Task A_cancelled_round_leaves_nothing_locked()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        left.Identity.Dataset("save")["x"] = 1;
        (MemoryTransport silent, _) = MemoryTransport.CreatePair();
        using var stop = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => left.SynchronizeAsync(silent, _adopts, null, stop.Token).AsTask());
        Assert.True((await Round(left, right, _adopts)).Left.IsComplete);
    }

    [Fact]
    public async Task A_peer_that_goes_in_the_middle_of_a_message_is_reported()
    {
        using SyncStore left = SyncStore.OpenInMemory();
        var stream = new MemoryStream([0, 0, 1, 0, 7, 7]);
        var transport = new StreamTransport(stream);
        Assert.True((await transport.ReceiveAsync(Soon)).IsEmpty);
        var oversize = new StreamTransport(new MemoryStream([0x7F, 0xFF, 0xFF, 0xFF, 1]), 1000);
        Assert.Equal(SyncErrorCode.LimitExceeded,
            (await Assert.ThrowsAsync<SyncException>(() => oversize.ReceiveAsync(Soon).AsTask())).Code);
        SyncException unreachable = await Assert.ThrowsAsync<SyncException>(
            () => left.SynchronizeAsync(new TcpConnector("127.0.0.1", 1), null, null, Soon).AsTask());
        Assert.Equal(SyncErrorCode.ConnectionFailed, unreachable.Code);
    }

    /// <summary>Nothing is told to a peer before it is durable.</summary>
    [Fact]
    public async Task Nothing_leaves_before_it_is_durable()
    {
        var faults = new Faults();
        var disk = new MemoryDisk();
        await using SyncStore left = await SyncStore.OpenAsync(() => new FaultyStorage(disk.Open(), faults));
        await left.Identity.Dataset("save").PutAsync("first", 1);
        using var session = new SyncSession(left.Identity, new SessionOptions { IsInitiator = true, Adopts = true });
        using SyncStore right = SyncStore.OpenInMemory();
        using var other = new SyncSession(right.Identity, new SessionOptions { Adopts = true });
        Pump(session, other, new Random(1), lossless: true);
        faults.Gate.Reset();
        left.Identity.Dataset("save")["second"] = 2;
        Pump(session, other, new Random(1), lossless: true);
        Assert.True(right.Identity.Dataset("save")["second"].IsMissing);
        faults.Gate.Set();
        await left.FlushAsync();
        Pump(session, other, new Random(1), lossless: true);
        Assert.Equal(2, right.Identity.Dataset("save")["second"].AsInteger());
        Assert.True(session.Progress.IsLive);
    }

    /// <summary>A frame holds all that is here when it is built: it waits for what is not durable yet, though some is.</summary>
    [Fact]
    public async Task A_frame_that_holds_anything_undurable_waits()
    {
        var faults = new Faults();
        var disk = new MemoryDisk();
        await using SyncStore left = await SyncStore.OpenAsync(() => new FaultyStorage(disk.Open(), faults));
        using SyncStore right = SyncStore.OpenInMemory();
        await right.AdoptIdentityAsync(left.Identity.Id);
        using var session = new SyncSession(left.Identity, new SessionOptions { IsInitiator = true });
        using var other = new SyncSession(right.Identity, new SessionOptions());
        Pump(session, other, new Random(1), lossless: true);
        await left.Identity.Dataset("save").PutAsync("durable", 1);
        faults.Gate.Reset();
        left.Identity.Dataset("save")["pending"] = 2;
        Pump(session, other, new Random(1), lossless: true);
        Assert.True(right.Identity.Dataset("save")["pending"].IsMissing);
        faults.Gate.Set();
        await left.FlushAsync();
        Pump(session, other, new Random(1), lossless: true);
        Assert.Equal(2, right.Identity.Dataset("save")["pending"].AsInteger());
        Assert.Equal(1, right.Identity.Dataset("save")["durable"].AsInteger());
    }

    /// <summary>An acknowledgement lets the peer forget: it must not come before what it acknowledges is durable.</summary>
    [Fact]
    public async Task Nothing_is_acknowledged_before_it_is_durable()
    {
        var faults = new Faults();
        var disk = new MemoryDisk();
        await using SyncStore right = await SyncStore.OpenAsync(() => new FaultyStorage(disk.Open(), faults));
        using SyncStore left = SyncStore.OpenInMemory();
        await left.AdoptIdentityAsync(right.Identity.Id);
        await right.Identity.Dataset("save").PutAsync("first", 1);
        using var session = new SyncSession(left.Identity, new SessionOptions { IsInitiator = true });
        using var other = new SyncSession(right.Identity, new SessionOptions());
        Pump(session, other, new Random(1), lossless: true);
        faults.Gate.Reset();
        left.Identity.Dataset("save")["second"] = 2;
        Pump(session, other, new Random(1), lossless: true);
        Assert.Equal(2, right.Identity.Dataset("save")["second"].AsInteger());
        Assert.True(session.Progress.AwaitsAcknowledgement);
        Assert.False(session.Progress.IsLive);
        session.Resend();
        other.Resend();
        Pump(session, other, new Random(1), lossless: true);
        Assert.True(session.Progress.AwaitsAcknowledgement);
        faults.Gate.Set();
        await right.FlushAsync();
        Pump(session, other, new Random(1), lossless: true);
        Assert.True(session.Progress.IsLive);
    }

    /// <summary>Loss, duplication, reordering and restarts of both sessions only cost a resend.</summary>
    [Fact]
    public async Task A_bad_network_only_costs_time()
    {
        for (int seed = 0; seed < 300; seed++) await RunBadNetwork(seed);
    }

    /// <summary>A hostile peer is cut off by a SyncException and changes nothing.</summary>
    [Fact]
    public async Task Mutated_messages_change_nothing()
    {
        var random = new Random(5);
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        for (int i = 0; i < 10; i++) left.Identity.Dataset("save")["k" + i] = i;
        await left.AdoptIdentityAsync(right.Identity.Id);
        for (int round = 0; round < 3000; round++)
        {
            using var honest = new SyncSession(left.Identity, new SessionOptions { IsInitiator = true });
            using var session = new SyncSession(right.Identity, new SessionOptions());
            int mutated = random.Next(4);
            try
            {
                for (int i = 0; i <= mutated && honest.TryTake(out ReadOnlyMemory<byte> message); i++)
                {
                    byte[] bytes = message.ToArray();
                    if (i == mutated) Mutate(bytes, random);
                    if (i < mutated && bytes[2] is 1 or 2) continue;
                    session.Receive(bytes);
                    while (session.TryTake(out ReadOnlyMemory<byte> back)) honest.Receive(back);
                }
            }
            catch (SyncException)
            {
                Assert.True(session.TryTake(out ReadOnlyMemory<byte> farewell));
                honest.Receive(farewell);
                Assert.NotNull(honest.Progress.PeerReason);
            }

            Assert.Empty(right.Identity.DatasetNames);
        }
    }

    private static void Mutate(byte[] bytes, Random random)
    {
        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
    }

    private static async Task RunBadNetwork(int seed)
    {
        var random = new Random(seed);
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        await left.AdoptIdentityAsync(right.Identity.Id);
        string[] names = ["a", "b", "c"];
        for (int round = 0; round < 6; round++)
        {
            int part = seed % 2 == 0 ? 40 : 256 * 1024;
            using var l = new SyncSession(left.Identity, new SessionOptions { IsInitiator = true, PartBytes = part });
            using var r = new SyncSession(right.Identity, new SessionOptions { PartBytes = part });
            for (int i = 0; i < 12; i++)
            {
                SyncStore store = random.Next(2) == 0 ? left : right;
                Dataset dataset = store.Identity.Dataset(names[random.Next(3)]);
                if (random.Next(4) == 0) dataset.Counter("n").Add(1);
                else if (random.Next(4) == 0) dataset.Delete("k" + random.Next(4));
                else dataset["k" + random.Next(4)] = seed * 1000 + round * 100 + i;
                if (random.Next(8) == 0) dataset.ForgetDeletes(dataset.Version);
                Pump(l, r, random, lossless: false);
            }

            if (round < 5) continue;
            Pump(l, r, random, lossless: true);
            for (int i = 0; i < 5; i++)
            {
                l.Resend();
                r.Resend();
                Pump(l, r, random, lossless: true);
            }

            Assert.True(l.Progress.IsLive && r.Progress.IsLive, $"seed {seed} does not come to rest");
            Assert.True(l.Progress.IsRoundComplete && r.Progress.IsRoundComplete);
        }

        foreach (string name in names)
        {
            Dataset a = left.Identity.Dataset(name), b = right.Identity.Dataset(name);
            Assert.True(a.Digest == b.Digest && a.Version.Equals(b.Version), $"seed {seed}, {name}");
        }
    }

    /// <summary>Carries messages until none is left; the handshake is never lost, as a connection would not stand.</summary>
    private static void Pump(SyncSession left, SyncSession right, Random random, bool lossless)
    {
        var mail = new List<(SyncSession To, byte[] Message)>();
        while (true)
        {
            while (left.TryTake(out ReadOnlyMemory<byte> message)) Post(mail, right, message.ToArray(), random, lossless);
            while (right.TryTake(out ReadOnlyMemory<byte> message)) Post(mail, left, message.ToArray(), random, lossless);
            if (mail.Count == 0) return;
            int next = lossless || mail[0].Message[2] == 7 ? 0 : random.Next(mail.Count);
            (SyncSession to, byte[] bytes) = mail[next];
            mail.RemoveAt(next);
            to.Receive(bytes);
        }
    }

    private static void Post(
        List<(SyncSession, byte[])> mail, SyncSession to, byte[] message, Random random, bool lossless)
    {
        if (lossless || message[2] == 7)
        {
            mail.Add((to, message));
            return;
        }

        if (random.Next(10) < 3) return;
        mail.Add((to, message));
        if (random.Next(10) < 2) mail.Add((to, message));
    }

    private static async Task<(SyncResult Left, SyncResult Right)> Round(SyncStore left, SyncStore right, SyncOptions options)
    {
        (MemoryTransport l, MemoryTransport r) = MemoryTransport.CreatePair();
        Task<SyncResult> serving = right.ServeAsync(r, options, Soon).AsTask();
        SyncResult mine = await left.SynchronizeAsync(l, options, null, Soon);
        return (mine, await serving);
    }

    private static void AssertEqual(SyncStore left, SyncStore right, params string[] names)
    {
        foreach (string name in names)
        {
            Dataset a = left.Identity.Dataset(name), b = right.Identity.Dataset(name);
            Assert.Equal(a.Version, b.Version);
            Assert.Equal(a.Digest, b.Digest);
        }
    }

    private static async Task Until(Func<bool> condition)
    {
        CancellationToken end = Soon;
        while (!condition()) await Task.Delay(1, end);
    }
}
