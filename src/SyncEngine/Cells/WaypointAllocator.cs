using System.Buffers.Binary;

namespace SyncEngine.Cells;

/// <summary>Fills a span with random bytes; a seeded source replays a run.</summary>
internal delegate void RandomFill(Span<byte> target);

/// <summary>
/// Remembers the waypoints that this opening of the file drew for one list, and which of their indexes are used, so
/// that a run of inserts shares one waypoint. One writer at a time; forgetting it costs bytes in later positions,
/// never order.
/// </summary>
internal sealed class WaypointAllocator
{
    /// <summary>Beyond this many the memory is cleared: a later run then starts a waypoint of its own.</summary>
    private const int WaypointsMax = 4096;

    private readonly Dictionary<ulong, (long Min, long Max)> _used = new();
    private readonly RandomFill _random;

    public WaypointAllocator(RandomFill random)
    {
        ArgumentNullException.ThrowIfNull(random);
        _random = random;
    }

    /// <summary>
    /// The range of indexes that this opening used of one of its waypoints; false if it is not its own.
    /// </summary>
    public bool TryGetUsed(ulong waypoint, out (long Min, long Max) used) => _used.TryGetValue(waypoint, out used);

    /// <summary>Marks an index of an own or a new waypoint as used for ever.</summary>
    public void Use(ulong waypoint, long index)
    {
        if (!_used.TryGetValue(waypoint, out (long Min, long Max) used))
        {
            if (_used.Count >= WaypointsMax) _used.Clear();
            used = (index, index);
        }
        _used[waypoint] = (Math.Min(used.Min, index), Math.Max(used.Max, index));
    }

    public void Fill(Span<byte> target) => _random(target);

    public ulong NextRandom()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        _random(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }
}
