namespace SyncEngine.Causality;

/// <summary>Hands out rising hybrid timestamps. Not thread-safe: its dataset's gate guards it.</summary>
internal sealed class HybridClock(TimeProvider time)
{
    /// <summary>A received time further ahead than this never drags the local clock along.</summary>
    private const ulong AheadBitsMax = 5UL * 60 * 1000 << 16;

    /// <summary>Wall and monotonic clock drifting apart by more than this is a jump or a resume from
    /// suspension.</summary>
    private static readonly TimeSpan _jumpMax = TimeSpan.FromSeconds(10);

    private ulong _last;
    private long _wallOriginTicks;
    private long _monotonicOrigin;
    private bool _started;

    /// <summary>The latest time handed out or taken over.</summary>
    public HybridTimestamp Last => new(_last);

    /// <summary>The next time, later than all before it unless the clock was corrected by more than five
    /// minutes.</summary>
    /// <param name="jumped">
    /// Whether the wall clock jumped since the last reading (a correction, a resume from suspension or a restored
    /// image).
    /// </param>
    public HybridTimestamp Next(out bool jumped)
    {
        DateTimeOffset wall = time.GetUtcNow();
        jumped = Jumped(wall);
        ulong now = (ulong)Math.Max(0, wall.ToUnixTimeMilliseconds()) << 16;

        // A clock that was years ahead must not win concurrent writes for ever: causality does not need the old
        // reading.
        _last = _last >= now + AheadBitsMax ? now : Math.Max(_last + 1, now);
        return new HybridTimestamp(_last);
    }

    /// <summary>Takes over a received or stored time, so that later own writes order after it.</summary>
    public void Observe(HybridTimestamp received)
    {
        if (received.Bits <= _last) return;
        ulong now = (ulong)Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds()) << 16;
        if (received.Bits < now + AheadBitsMax) _last = received.Bits;
    }

    private bool Jumped(DateTimeOffset wall)
    {
        long monotonic = time.GetTimestamp();
        if (_started)
        {
            TimeSpan drift = wall - new DateTimeOffset(_wallOriginTicks, TimeSpan.Zero)
                - time.GetElapsedTime(_monotonicOrigin, monotonic);
            if (drift.Duration() < _jumpMax) return false;
        }

        bool jumped = _started;
        (_wallOriginTicks, _monotonicOrigin, _started) = (wall.UtcTicks, monotonic, true);
        return jumped;
    }
}
