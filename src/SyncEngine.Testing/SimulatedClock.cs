namespace SyncEngine.Testing;

/// <summary>A device's clock, which moves only when told.</summary>
internal sealed class SimulatedClock(long wallMilliseconds) : TimeProvider
{
    private long _wallMilliseconds = wallMilliseconds;
    private long _monotonicMilliseconds;

    public override long TimestampFrequency => 1000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(_wallMilliseconds);

    public override long GetTimestamp() => _monotonicMilliseconds;

    public void Advance(long milliseconds)
    {
        _wallMilliseconds += milliseconds;
        _monotonicMilliseconds += milliseconds;
    }

    /// <summary>Somebody sets the clock, or the machine resumes: only the wall moves.</summary>
    public void Jump(long milliseconds) => _wallMilliseconds += milliseconds;
}
