using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using SyncEngine.Wire;

namespace SyncEngine.Tests.Golden;

/// <summary>One end of a trace: the engine in memory, with a fixed identity, clock and random source; or, where it is
/// scripted, nothing, for the golden file says what it sent.</summary>
internal sealed class TraceSide(string name, string arrow, bool isScripted) : IDisposable
{
    private SyncSession? _session;
    private int _datasets;

    public string Name => name;

    public string Arrow => arrow;

    public Identity? Identity { get; private set; }

    public void Open(IdentityId id, ulong seed, bool isPaired, TimeProvider time, FrameLimits limits)
    {
        if (isScripted) return;
        var context = new DatasetContext { Time = time, Random = RandomSource.Seeded(seed), FrameLimits = limits };
        Identity = new Identity(1, new IdentityPage(id.High, id.Low, isPaired, [1], []), context,
            new IdentityHome(() => ++_datasets, static _ => Task.CompletedTask));
    }

    public void Connect(SessionOptions options)
    {
        _session?.Dispose();
        _session = Identity is null ? null : new SyncSession(Identity, options);
    }

    public void Leave() => _session?.Close();

    public byte[]? TryTake() =>
        _session is { } session && session.TryTake(out ReadOnlyMemory<byte> message) ? message.ToArray() : null;

    /// <summary>Who is cut off is told so by the farewell that follows.</summary>
    public void Receive(byte[] message)
    {
        try
        {
            _session?.Receive(message);
        }
        catch (SyncException)
        {
        }
    }

    /// <summary>Everything here that the digest covers; null where the side is scripted.</summary>
    public string? Holds(string dataset)
    {
        if (Identity is null) return null;
        Dataset data = Identity.Dataset(dataset);
        CellReader.AssertFiguresAreRight(data);
        IEnumerable<string> vector = data.Version.Select(static dot => $"{dot.Replica}:{dot.Counter}");
        return $"{data.Count} records at {string.Join(' ', vector)} with digest {data.Digest:x16}";
    }

    public void Dispose() => _session?.Dispose();
}
