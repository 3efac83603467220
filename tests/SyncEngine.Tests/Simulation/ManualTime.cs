namespace SyncEngine.Tests.Simulation;

/// <summary>A clock that moves only when told: wall and monotonic time together, or the wall alone as a jump.</summary>
internal sealed class ManualTime(long wallMilliseconds = 1_700_000_000_000) : TimeProvider
{
    private long _wallMilliseconds = wallMilliseconds;
    private long _monotonicMilliseconds;

    private TimeZoneInfo _zone = TimeZoneInfo.Utc;

    public override long TimestampFrequency => 1000;

    public override TimeZoneInfo LocalTimeZone => _zone;

    public long WallMilliseconds => Interlocked.Read(ref _wallMilliseconds);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(WallMilliseconds);

    public override long GetTimestamp() => Interlocked.Read(ref _monotonicMilliseconds);

    public void Advance(long milliseconds)
    {
        Interlocked.Add(ref _wallMilliseconds, milliseconds);
        Interlocked.Add(ref _monotonicMilliseconds, milliseconds);
    }

    /// <summary>The user travels.</summary>
    public void MoveTo(TimeZoneInfo zone) => _zone = zone;

    /// <summary>The user sets the clock, or the machine resumes: only the wall moves.</summary>
    public void Jump(long milliseconds) => Interlocked.Add(ref _wallMilliseconds, milliseconds);
}
