namespace SyncEngine.Causality;

/// <summary>This device's clock, corrected by what a hub tells of the time, until somebody sets the clock. Thread-safe.</summary>
internal sealed class CorrectedClock(TimeProvider source) : TimeProvider
{
    /// <summary>A clock that differs less is left as it is, so that delays of messages correct nothing.</summary>
    public const long ErrorMilliseconds = 5 * 60 * 1000;

    /// <summary>The start of 2026 in milliseconds: a clock that shows an earlier time is wrong.</summary>
    public const long PlausibleMilliseconds = 1_767_225_600_000;

    /// <summary>The start of the year 9999: no clock is corrected to beyond it.</summary>
    private const long TaughtMillisecondsMax = 253_370_764_800_000;

    /// <summary>Wall and monotonic clock drifting apart by more tells that the clock was set, or the machine resumed.</summary>
    private static readonly TimeSpan _jumpMax = TimeSpan.FromMinutes(1);

    private Correction? _correction;

    /// <summary>The clock as it is.</summary>
    public TimeProvider Source => source;

    /// <summary>How far the clock is behind; negative where it is ahead, 0 where nothing else is known.</summary>
    public TimeSpan Offset => OffsetAt(source.GetUtcNow());

    public override long TimestampFrequency => source.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => source.LocalTimeZone;

    public override DateTimeOffset GetUtcNow()
    {
        DateTimeOffset wall = source.GetUtcNow();
        return wall + OffsetAt(wall);
    }

    public override long GetTimestamp() => source.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        source.CreateTimer(callback, state, dueTime, period);

    /// <summary>Goes by a time that a hub has just told, if this clock is more than five minutes off. A hub that knows no date
    /// teaches nothing.</summary>
    public void Learn(long unixMilliseconds)
    {
        if (unixMilliseconds is < PlausibleMilliseconds or > TaughtMillisecondsMax) return;
        DateTimeOffset wall = source.GetUtcNow();
        var offset = TimeSpan.FromMilliseconds(unixMilliseconds - wall.ToUnixTimeMilliseconds());
        TimeSpan error = offset - OffsetAt(wall);
        if (Math.Abs(error.TotalMilliseconds) <= ErrorMilliseconds) return;
        bool isRight = Math.Abs(offset.TotalMilliseconds) <= ErrorMilliseconds;
        Volatile.Write(ref _correction, isRight ? null : new Correction(offset, wall, source.GetTimestamp()));
    }

    private TimeSpan OffsetAt(DateTimeOffset wall)
    {
        if (Volatile.Read(ref _correction) is not { } known) return default;
        TimeSpan drift = wall - known.Wall - source.GetElapsedTime(known.Timestamp);
        if (drift.Duration() <= _jumpMax) return known.Offset;

        // Nobody knows by how much the clock is wrong now: the hub tells it again.
        Interlocked.CompareExchange(ref _correction, null, known);
        return default;
    }

    private sealed record Correction(TimeSpan Offset, DateTimeOffset Wall, long Timestamp);
}
