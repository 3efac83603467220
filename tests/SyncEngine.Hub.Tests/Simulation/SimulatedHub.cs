using System.Text.Json;
using SyncEngine.Causality;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tokens;
using SyncEngine.Identities;
using SyncEngine.Storage;
using SyncEngine.Testing;
using SyncEngine.Tests.Simulation;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>The hub's own parts on a simulated disk and clock, without threads, so that the simulation says when something
/// becomes durable; only HTTP and proofs are left out.</summary>
internal sealed class SimulatedHub
{
    public const string Pool = "game";
    public const int RecordsMax = 5;
    public const int ValueBytesMax = 40;
    private const long SnapshotSlackBytes = 1500;
    private readonly ulong _seed;
    private SimulatedDisk _disk = new();
    private SimulatedDisk _last;
    private Faults _faults = new();
    private ulong _openings;

    public SimulatedHub(ulong seed)
    {
        _seed = seed;
        Open();
        Wait(Pools.CreateAsync(Definition()));
        _last = _disk.Copy();
    }

    /// <summary>When histories begin, in milliseconds since 1970.</summary>
    public const long Begin = 1_800_000_000_000;

    public SimulatedClock Clock { get; } = new(Begin);

    public HubStore Store { get; private set; } = null!;

    public IdentityDirectory Directory { get; private set; } = null!;

    public OpenSessions Sessions { get; private set; } = null!;

    public Fences Fences { get; private set; } = null!;

    public IdentityMerging Merging { get; private set; } = null!;

    public PoolRegistry Pools { get; private set; } = null!;

    public Journal Journal => Store.Journal;

    /// <summary>Whether its disk is about to fail, or has failed.</summary>
    public bool IsBroken => _faults.PowerFailsAfter != int.MaxValue;

    public static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    public static void Wait(Task task) => task.GetAwaiter().GetResult();

    /// <summary>What a device that is let in may do.</summary>
    public SyncCaller CallerOf(IdentityRow row, DeviceRow device) =>
        new SessionCallers(Pools, Fences, new Attestations()).OfAsync(new HubCaller(row, device, new AccessClaims
        {
            Pool = Pool, Id = row.Id, Device = device.Id, Role = "", KeyThumbprint = "",
            Expires = DateTimeOffset.MaxValue,
        }), default).AsTask().GetAwaiter().GetResult();

    public IdentityRow? Find(IdentityId id) => Directory.FindAsync(Pool, id).AsTask().GetAwaiter().GetResult();

    public IdentityRow? Resolve(IdentityId id) => Directory.ResolveAsync(Pool, id).AsTask().GetAwaiter().GetResult();

    public IdentityLease Lease(IdentityId id) => Store.LeaseAsync(Pool, id).AsTask().GetAwaiter().GetResult();

    /// <summary>So many commits succeed yet, then the disk is gone.</summary>
    public void Break(int commits) => _faults.PowerFailsAfter = _faults.Commits + commits;

    /// <summary>Stops in good order and starts again.</summary>
    public void Restart()
    {
        Wait(Store.DisposeAsync().AsTask());
        Open();
    }

    /// <summary>The process dies as it is and starts again.</summary>
    /// <param name="lands">Whether a commit under way still reaches the disk.</param>
    /// <param name="forgets">Whether the disk forgets all that came after the last crash.</param>
    public void Crash(bool lands, bool forgets)
    {
        SimulatedDisk before = _last;
        _faults.PowerFailsAfter = int.MaxValue;
        if (lands && Journal.Gathered is { } batch)
        {
            _ = Journal.RunAsync(storage =>
            {
                storage.Commit(batch);
                return true;
            });
        }

        _last = _disk.Copy();
        _disk = forgets ? before.Copy() : _last.Copy();
        Open();
    }

    /// <summary>Everyone reads rules and nobody writes them; bonus is for accounts to write; secret is for nobody.</summary>
    private static IdentityPool Definition() => new()
    {
        Name = Pool,
        AllowsGuests = true,
        Roles = new Dictionary<string, JsonElement>
        {
            ["guest"] = Policy("rules*", "bonus*"),
            ["authenticated"] = Policy("rules*"),
        },
        GuestCeiling = null,
        Limits = new PoolLimits { DatasetsMax = 60, RecordsMax = RecordsMax, ValueBytesMax = ValueBytesMax },
    };

    private static JsonElement Policy(params string[] closed) => JsonSerializer.SerializeToElement(new
    {
        version = 1,
        statements = new object[]
        {
            new { effect = "allow", action = "dataset:*", resource = "identity/${identity.id}/dataset/*" },
            new { effect = "deny", action = "dataset:write", resource = closed.Select(name => "identity/*/dataset/" + name) },
            new { effect = "deny", action = "dataset:*", resource = "identity/*/dataset/secret*" },
        },
    });

    private void Open()
    {
        _faults = new Faults();
        Store = HubStore.OpenAsync(() => new FaultyStorage(_disk.Open(), _faults), new HubStoreOptions
        {
            Time = Clock, Random = RandomSource.Seeded((_seed * 7_919) + ++_openings), StoresByHand = true,
            SweepEvery = Timeout.InfiniteTimeSpan, SnapshotSlackBytes = SnapshotSlackBytes,
            Memory = new HubMemoryOptions { IdleTime = TimeSpan.FromSeconds(3) },
        }).AsTask().GetAwaiter().GetResult();
        var locks = new KeyedLocks();
        Directory = new IdentityDirectory(Store.Rows, locks, Clock);
        Sessions = new OpenSessions();
        Fences = new Fences(Store, Directory, Sessions, Clock);
        Merging = new IdentityMerging(Store, Directory, locks, Sessions, Clock);
        Pools = new PoolRegistry(Store.Rows, Clock);
    }
}
