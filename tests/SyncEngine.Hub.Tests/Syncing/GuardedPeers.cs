using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Hub.Tests.Syncing;

/// <summary>Devices of one identity in memory, which meet each other and a hub that guards its side; seeds replay.</summary>
internal sealed class GuardedPeers
{
    public const string Name = "rules";
    private const int MessagesMax = 20_000;
    private readonly HubClock _time = new();
    private readonly List<Peer> _devices = [];
    private readonly Attestations _attestations = new();
    private ulong _seed;

    public GuardedPeers(ulong seed = 1)
    {
        _seed = seed << 8;
        Hub = Open("hub", null);
    }

    public Peer Hub { get; }

    public IReadOnlyList<Peer> Devices => _devices;

    /// <summary>What the last session left in the way.</summary>
    public Dictionary<string, SyncException> Refusals { get; private set; } = [];

    /// <summary>The largest refusal of writes in the last session.</summary>
    public int LargestTold { get; private set; }

    public Peer AddReader(string name) =>
        Add(name, new SessionAccess { Allows = static (action, _) => action == "dataset:read" });

    public Peer AddWriter(string name, SessionLimits? limits = null, bool takesRelays = true) => Add(name, new SessionAccess
    {
        Allows = static (_, _) => true, Limits = limits ?? new SessionLimits(), TakesRelays = takesRelays,
    });

    public Peer Add(string name, SessionAccess access)
    {
        Peer device = Open(name, access);
        device.Access = access with
        {
            IsOwn = device.Replicas.Contains,
            Attest = (dataset, replica, attested) => _attestations.Note("game", Hub.Identity.Id, dataset, replica, attested),
            Attested = (dataset, replica) => _attestations.Find("game", Hub.Identity.Id, dataset, replica),
            IsForeign = replica => _devices.Exists(other => other != device && other.Replicas.Contains(replica)),
            ForeignMayWrite = (replica, dataset) => _devices.Exists(other => other.Replicas.Contains(replica)
                && other.Access.Allows("dataset:write", dataset)),
        };
        _devices.Add(device);
        return device;
    }

    /// <summary>A session of a device with the hub, cut after so many messages.</summary>
    public void Sync(Peer device, int messages = int.MaxValue, int partBytes = 256 * 1024)
    {
        var guard = new HubGuard(Hub.Identity, new SyncCaller("game", Hub.Identity.Id, device.Name, DateTimeOffset.MaxValue,
            device.Access), null, static _ => { });
        Run(device, Hub, guard, messages, partBytes);
    }

    /// <summary>Two devices without a hub.</summary>
    public void Meet(Peer one, Peer two, int messages = int.MaxValue) => Run(one, two, null, messages, 256 * 1024);

    private Peer Open(string name, SessionAccess? access)
    {
        var id = new IdentityId(7, 7);
        int datasets = 0;
        var identity = new Identity(1, new IdentityPage(id.High, id.Low, IsPaired: true, [1], []),
            new DatasetContext { Time = _time, Random = RandomSource.Seeded(++_seed) },
            new IdentityHome(() => ++datasets, static _ => Task.CompletedTask));
        return new Peer(name, identity, _time) { Access = access! };
    }

    private void Run(Peer one, Peer two, HubGuard? guard, int messages, int partBytes)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        using var left = new SyncSession(one.Identity, new SessionOptions { IsInitiator = true, PartBytes = partBytes });
        using var right = new SyncSession(two.Identity, new SessionOptions { Guard = guard, PartBytes = partBytes });
        Refusals = left.Progress.Refusals;
        (int sent, LargestTold) = (0, 0);
        for (bool any = true; any;)
        {
            any = false;
            foreach ((SyncSession from, SyncSession to) in ((SyncSession, SyncSession)[])[(left, right), (right, left)])
            {
                while (from.TryTake(out ReadOnlyMemory<byte> message))
                {
                    any = true;
                    if (sent++ >= messages) return;
                    if (message.Span[2] == (byte)FrameType.Reject) LargestTold = Math.Max(LargestTold, message.Length);
                    to.Receive(message.ToArray());
                }
            }

            one.NoteReplica();
            Assert.True(sent < MessagesMax, "They never come to an end.");
        }
    }

    /// <summary>The hub, or a device.</summary>
    internal sealed class Peer(string name, Identity identity, HubClock time)
    {
        public string Name => name;

        public Identity Identity => identity;

        public SessionAccess Access { get; set; } = null!;

        public HashSet<ReplicaId> Replicas { get; } = [];

        public Dataset Data => identity.Dataset(GuardedPeers.Name);

        /// <summary>Writes, a second after what was before.</summary>
        public void Write(Action<Dataset> write)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            write(Data);
            NoteReplica();
        }

        public void NoteReplica()
        {
            if (!Data.ReplicaId.IsNone) Replicas.Add(Data.ReplicaId);
        }

        /// <summary>How many values stand in the cells of a dataset, shown or beneath others.</summary>
        public int Values => Enumerable.Range(0, Data.State.Table.Bound).Where(cell => Data.State.Table.IsInUse(cell)
            && !Cells.CellKinds.IsHeader(Data.State.Table[cell].Kind)).Sum(cell => Data.State.LiveEntryCount(cell));
    }
}
