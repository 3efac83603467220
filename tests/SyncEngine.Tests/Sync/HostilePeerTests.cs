using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using SyncEngine.Tests.Wire;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>Peers that break the protocol: each is cut off with a reason that both sides can log, nothing of what it sent is
/// applied, and another session of the same store goes on.</summary>
public sealed class HostilePeerTests
{
    private static readonly byte[] _secret = [1, 2, 3, 4];

    private static readonly Dictionary<string, (SyncErrorCode Code, string Reason, Func<Scene, IEnumerable<byte[]>> Messages)>
        _attacks = new()
    {
        ["a second hello"] = (SyncErrorCode.Malformed, "type 7", static scene => [scene.Hello, scene.Hello]),
        ["a hello with another role"] = (SyncErrorCode.Malformed, "type 7",
            static scene => [scene.Hello, scene.HelloOf(isInitiator: false)]),
        ["a hello with the same role"] = (SyncErrorCode.Malformed, "same end",
            static scene => [scene.HelloOf(isInitiator: false)]),
        ["a have before hello"] = (SyncErrorCode.Malformed, "say hello first", static scene => [Have("save")]),
        ["changes before hello"] = (SyncErrorCode.Malformed, "say hello first", static scene => [scene.Delta]),
        ["another protocol"] = (SyncErrorCode.UnsupportedVersion, "protocol 2",
            static scene => [scene.HelloOf(protocol: 2)]),
        ["another format"] = (SyncErrorCode.UnsupportedVersion, "format version 2",
            static scene => [scene.Hello, FrameSurgeon.WithEnvelope(scene.Delta, static envelope => envelope[0] = [2])]),
        ["a proof that nobody asked for"] = (SyncErrorCode.Malformed, "type 8",
            static scene => [scene.Hello, MessageCodec.WriteProof(new byte[32])]),
        ["a claim to know a secret"] = (SyncErrorCode.Unauthorized, "shared secret",
            static scene => [scene.HelloOf(needsProof: true)]),
        ["another's identity"] = (SyncErrorCode.Unauthorized, "belongs to identity",
            static scene => [scene.HelloOf(identity: SyncStore.OpenInMemory().Identity.Id.ToString())]),
        ["a clock that no calendar knows"] = (SyncErrorCode.Malformed, "clock is out of range",
            static scene => [scene.HelloOf(milliseconds: long.MinValue)]),
        ["no identity"] = (SyncErrorCode.Malformed, "names no identity", static scene => [scene.HelloOf(identity: "x")]),
        ["a bundle"] = (SyncErrorCode.Malformed, "type 4",
            static scene => [scene.Hello, FrameWriter.WriteBundle(scene.Identity, [scene.Delta])]),
        ["a stored frame"] = (SyncErrorCode.Malformed, "type 3",
            static scene => [scene.Hello, FrameSurgeon.WithEnvelope(scene.Delta, static envelope => envelope[1] = [3])]),
        ["dots outside the vector"] = (SyncErrorCode.Malformed, "outside the vector", static scene =>
            [scene.Hello, FrameSurgeon.WithColumns(scene.Delta, static columns => columns[10] = FrameSurgeon.Encode(9, 1))]),
        ["dots of a replica that is not named"] = (SyncErrorCode.Malformed, "not in the table", static scene =>
            [scene.Hello, FrameSurgeon.WithColumns(scene.Delta, static columns => columns[9] = FrameSurgeon.Encode(1, 1))]),
        ["a base above the vector"] = (SyncErrorCode.Malformed, "base lies above", static scene =>
            [scene.Hello, FrameSurgeon.WithBody(scene.Delta, static body => body[FrameSurgeon.Base] = [0x91, 2])]),
        ["a counter too high"] = (SyncErrorCode.Malformed, "2^48", static scene => [scene.Hello, FrameSurgeon.WithBody(
            scene.Delta, static body => body[FrameSurgeon.To] = FrameSurgeon.Encode((1L << 48) + 1))]),
        ["a have that is too high"] = (SyncErrorCode.Malformed, "2^48",
            static scene => [scene.Hello, Have("save", (1L << 48) + 1)]),
        ["an acknowledgement of an unknown dataset"] = (SyncErrorCode.Malformed, "nothing was sent",
            static scene => [scene.Hello, Acknowledge("unknown", 1)]),
        ["a frame that is too large"] = (SyncErrorCode.LimitExceeded, "larger than", static scene =>
            [scene.Hello, new byte[Scene.FrameBytesMax + 1]]),
        ["a packed message"] = (SyncErrorCode.Malformed, "never packed", static scene =>
            [scene.Hello, FrameSurgeon.WithEnvelope(scene.Delta, static envelope => envelope[4] = [100])]),
        ["a message cut off"] = (SyncErrorCode.Malformed, "", static scene => [scene.Hello, scene.Delta[..^20]]),
        ["a message of nothing"] = (SyncErrorCode.Malformed, "", static scene => [scene.Hello, []]),
        ["datasets without end"] = (SyncErrorCode.LimitExceeded, "FrameLimits.DatasetsMax", static scene =>
            Enumerable.Range(0, 200).Select(i => Have("new" + i)).Prepend(scene.Hello)),
        ["changes that build on nothing, without end"] = (SyncErrorCode.Malformed, "reads no answer", static scene =>
            Enumerable.Repeat(scene.GapDelta, 5000).Prepend(scene.Hello)),
    };

    public static TheoryData<string> Attacks() => new(_attacks.Keys);

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task A_peer_is_cut_off_for(string attack)
    {
        using Scene scene = await Scene.Open();
        (SyncErrorCode code, string reason, Func<Scene, IEnumerable<byte[]>> messages) = _attacks[attack];
        SyncException? cut = null;
        string before = CellReader.Fingerprint(scene.Dataset);
        foreach (byte[] message in messages(scene))
        {
            try
            {
                scene.Session.Receive(message);
            }
            catch (SyncException e)
            {
                cut = e;
                break;
            }
        }

        Assert.NotNull(cut);
        Assert.Equal(code, cut.Code);
        Assert.Contains(reason, cut.Message, StringComparison.Ordinal);
        scene.AssertToldTo(code, cut.Message);
        Assert.Equal(before, CellReader.Fingerprint(scene.Dataset));
        Assert.Equal(["save"], scene.Store.Identity.DatasetNames);
        scene.AssertAnotherSessionGoesOn();
    }

    [Fact]
    public async Task The_far_future_is_refused_and_the_session_goes_on()
    {
        using Scene scene = await Scene.Open();
        scene.Session.Receive(scene.Hello);
        string before = CellReader.Fingerprint(scene.Dataset);
        scene.Session.Receive(ClockTests.FrameAt((1L << 48) - 1));
        Assert.Equal(before, CellReader.Fingerprint(scene.Dataset));
        Assert.Equal(SyncErrorCode.ClockAhead, scene.Session.Progress.Refusals["save"].Code);
        scene.Session.Receive(scene.Delta);
        Assert.Equal(1, scene.Dataset["theirs"]);
        scene.AssertAnotherSessionGoesOn();
    }

    [Fact]
    public async Task Garbage_after_a_farewell_is_ignored()
    {
        using Scene scene = await Scene.Open();
        scene.Session.Receive(scene.Hello);
        scene.Session.Receive(MessageCodec.WriteFarewell(SyncErrorCode.Malformed, "I go"));
        Assert.Contains("I go", scene.Session.Progress.PeerReason!.Message, StringComparison.Ordinal);
        string before = CellReader.Fingerprint(scene.Dataset);
        scene.Session.Receive(scene.Delta);
        scene.Session.Receive(new byte[] { 1, 2, 3 });
        Assert.Equal(before, CellReader.Fingerprint(scene.Dataset));
        scene.AssertAnotherSessionGoesOn();
    }

    /// <summary>A peer may know, from others, more than was sent to it; whoever lies about it misses data, nobody else
    /// does.</summary>
    [Fact]
    public async Task Acknowledging_more_than_was_sent_harms_only_the_liar()
    {
        using Scene scene = await Scene.Open();
        scene.Session.Receive(scene.Hello);
        string before = CellReader.Fingerprint(scene.Dataset);
        scene.Session.Receive(MessageCodec.Write(new AcknowledgeMessage(
            "save", new VersionVector([new Dot(scene.Dataset.Version.Span[0].Replica, 1L << 40)]))));
        while (scene.Session.TryTake(out _))
        {
        }

        Assert.Equal(before, CellReader.Fingerprint(scene.Dataset));
        Assert.False(scene.Session.Progress.IsLive);
        scene.AssertAnotherSessionGoesOn();
    }

    [Fact]
    public async Task Replicas_without_end_in_acknowledgements_are_bounded()
    {
        using Scene scene = await Scene.Open();
        scene.Session.Receive(scene.Hello);
        SyncException? cut = null;
        for (ulong i = 1; cut is null && i < 500; i++)
        {
            try
            {
                scene.Session.Receive(Acknowledge("save", i));
            }
            catch (SyncException e)
            {
                cut = e;
            }
        }

        Assert.Contains("replicas", cut!.Message, StringComparison.Ordinal);
        scene.AssertAnotherSessionGoesOn();
    }

    /// <summary>A frame that claims the own replica wrote up to the highest counter: the next write takes another id, so
    /// that it still reaches everybody.</summary>
    [Fact]
    public async Task A_claim_to_the_own_counters_silences_nobody()
    {
        using Scene scene = await Scene.Open();
        byte[] own = await scene.Dataset.SnapshotAsync();
        byte[] claim = FrameSurgeon.WithBody(own, static body => body[FrameSurgeon.To] = FrameSurgeon.Encode(1L << 48));
        scene.Session.Receive(scene.Hello);
        scene.Session.Receive(claim);
        scene.Dataset["more"] = "told";
        scene.AssertAnotherSessionGoesOn();
        Assert.Equal("told", scene.Other.Identity.Dataset("save")["more"].AsString());
    }

    [Theory]
    [InlineData("a second time")]
    [InlineData("wrong")]
    [InlineData("not at all")]
    [InlineData("over another channel")]
    [InlineData("of an earlier connection")]
    public async Task A_proof_is_refused_that_comes(string how)
    {
        using Scene scene = await Scene.Open();
        using SyncStore peer = SyncStore.OpenInMemory();
        await peer.AdoptIdentityAsync(scene.Store.Identity.Id);
        byte[] here = [1, 1], there = how == "over another channel" ? [2, 2] : [1, 1];
        using var initiator = new SyncSession(
            peer.Identity, new SessionOptions { IsInitiator = true, Secret = _secret, ChannelBinding = there });
        using var session = new SyncSession(
            scene.Store.Identity, new SessionOptions { Secret = _secret, ChannelBinding = here });
        session.TryTake(out ReadOnlyMemory<byte> hello);
        initiator.Receive(hello);
        initiator.TryTake(out ReadOnlyMemory<byte> answer);
        session.Receive(answer);
        initiator.TryTake(out ReadOnlyMemory<byte> proof);
        byte[] sent = how switch
        {
            "wrong" => MessageCodec.WriteProof(new byte[32]),
            "not at all" => Have("save"),
            "of an earlier connection" => EarlierProof(scene, peer, here),
            _ => proof.ToArray(),
        };
        if (how == "a second time") session.Receive(sent);
        SyncException cut = Assert.Throws<SyncException>(() => session.Receive(sent));
        Assert.Contains(cut.Code, new[] { SyncErrorCode.Unauthorized, SyncErrorCode.Malformed });
        initiator.Receive(Last(session));
        Assert.Equal(cut.Code, initiator.Progress.PeerReason!.Code);
        scene.AssertAnotherSessionGoesOn();
    }

    /// <summary>Whoever does not know the secret could otherwise answer with what it was just told.</summary>
    [Fact]
    public async Task A_proof_sent_back_to_who_made_it_is_refused()
    {
        using Scene scene = await Scene.Open();
        using var initiator = new SyncSession(
            scene.Store.Identity, new SessionOptions { IsInitiator = true, Secret = _secret });
        initiator.Receive(scene.HelloOf(isInitiator: false, needsProof: true));
        initiator.TryTake(out _);
        Assert.True(initiator.TryTake(out ReadOnlyMemory<byte> proof));
        SyncException cut = Assert.Throws<SyncException>(() => initiator.Receive(proof));
        Assert.Equal(SyncErrorCode.Unauthorized, cut.Code);
        scene.AssertAnotherSessionGoesOn();
    }

    /// <summary>What a transport refuses, such as a message that is too long, is told to the peer as well.</summary>
    [Fact]
    public async Task A_message_that_is_too_long_is_told_to_both_sides()
    {
        using Scene scene = await Scene.Open();
        (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Task<SyncResult> serving = scene.Store.ServeAsync(new Bounded(near), null, soon.Token).AsTask();
        scene.Other.Identity.Dataset("save")["x"] = new string('x', 5000);
        SyncException theirs = await Assert.ThrowsAsync<SyncException>(
            () => scene.Other.SynchronizeAsync(far, null, null, soon.Token).AsTask());
        SyncException mine = await Assert.ThrowsAsync<SyncException>(() => serving);
        Assert.Equal((SyncErrorCode.LimitExceeded, SyncErrorCode.LimitExceeded), (mine.Code, theirs.Code));
        Assert.Contains(mine.Message, theirs.Message, StringComparison.Ordinal);
    }

    /// <summary>What somebody who listened to an earlier connection would play back.</summary>
    private static byte[] EarlierProof(Scene scene, SyncStore peer, byte[] binding)
    {
        using var initiator = new SyncSession(
            peer.Identity, new SessionOptions { IsInitiator = true, Secret = _secret, ChannelBinding = binding });
        using var session = new SyncSession(
            scene.Store.Identity, new SessionOptions { Secret = _secret, ChannelBinding = binding });
        session.TryTake(out ReadOnlyMemory<byte> hello);
        initiator.Receive(hello);
        initiator.TryTake(out _);
        initiator.TryTake(out ReadOnlyMemory<byte> proof);
        return proof.ToArray();
    }

    private static byte[] Last(SyncSession session)
    {
        byte[] last = [];
        while (session.TryTake(out ReadOnlyMemory<byte> message)) last = message.ToArray();
        return last;
    }

    private static byte[] Have(string dataset, long counter = 1)
    {
        var lineage = new Lineage();
        lineage.Add(new ReplicaId(7), counter, [new Opening(1, 9)]);
        return MessageCodec.Write(new HaveMessage(dataset, lineage, null, null));
    }

    private static byte[] Acknowledge(string dataset, ulong replica) => MessageCodec.Write(
        new AcknowledgeMessage(dataset, new VersionVector([new Dot(new ReplicaId(replica), 1)])));

    /// <summary>A transport that takes no long messages.</summary>
    private sealed class Bounded(ISyncTransport inner) : ISyncTransport
    {
        public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
            inner.SendAsync(message, cancellationToken);

        public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
        {
            ReadOnlyMemory<byte> message = await inner.ReceiveAsync(cancellationToken);
            return message.Length <= 1000 ? message
                : throw new SyncException(SyncErrorCode.LimitExceeded, "1,000 bytes are allowed. Send less.");
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    /// <summary>A store with a session that a hostile peer talks to, and an honest other store.</summary>
    private sealed class Scene : IDisposable
    {
        public const int FrameBytesMax = 100_000;

        public required SyncStore Store { get; init; }

        public required SyncStore Other { get; init; }

        public required SyncSession Session { get; init; }

        public required byte[] Delta { get; init; }

        public Dataset Dataset => Store.Identity.Dataset("save");

        public string Identity => Store.Identity.Id.ToString();

        public byte[] Hello => HelloOf();

        /// <summary>Builds on a change that nobody has.</summary>
        public byte[] GapDelta => FrameSurgeon.WithBody(Delta, static body => (body[FrameSurgeon.To], body[FrameSurgeon.Base]) =
            (FrameSurgeon.Encode(3), FrameSurgeon.Encode(2)));

        public static async Task<Scene> Open()
        {
            var limits = new FrameLimits { FrameBytesMax = FrameBytesMax, DatasetsMax = 100, ReplicasMax = 200 };
            SyncStore store = SyncStore.OpenInMemory(new SyncStoreOptions { FrameLimits = limits });
            SyncStore other = SyncStore.OpenInMemory();
            await other.AdoptIdentityAsync(store.Identity.Id);
            store.Identity.Dataset("save")["mine"] = 1;
            var peer = new Dataset("save", 1, new DatasetContext());
            peer.Put("theirs", 1);
            return new Scene
            {
                Store = store, Other = other, Delta = Site.Encode(peer),
                Session = new SyncSession(store.Identity, new SessionOptions()),
            };
        }

        public byte[] HelloOf(
            int protocol = 1, bool isInitiator = true, bool needsProof = false, string? identity = null,
            long milliseconds = 1_700_000_000_000) =>
            MessageCodec.Write(new HelloMessage(
                protocol, identity ?? Identity, false, isInitiator, needsProof, new byte[16], milliseconds, null));

        /// <summary>The last that the peer hears is the reason.</summary>
        public void AssertToldTo(SyncErrorCode code, string message)
        {
            byte[] last = Last(Session);
            (SyncErrorCode told, string reason) = MessageCodec.ReadFarewell(FrameReader.Open(last, new FrameLimits()));
            Assert.Equal((code, message), (told, reason));
        }

        public void AssertAnotherSessionGoesOn()
        {
            Other.Identity.Dataset("save")["honest"] = 1;
            ClockTests.Exchange(Store, Other);
            Assert.Equal(1, Dataset["honest"].AsInteger());
            Assert.Equal(1, Other.Identity.Dataset("save")["mine"].AsInteger());
            Assert.Equal(Dataset.Digest, Other.Identity.Dataset("save").Digest);
        }

        public void Dispose()
        {
            Session.Dispose();
            Store.Dispose();
            Other.Dispose();
        }
    }
}
