namespace SyncEngine.Hub.Tests.Logins;

/// <summary>The system's clock, moved forward as a test says.</summary>
internal sealed class TestClock : TimeProvider
{
    private TimeSpan _ahead;
    private DateTimeOffset? _frozen;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _frozen ?? (System.GetUtcNow() + _ahead);

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public void Advance(TimeSpan by)
    {
        _ahead += by;
        _frozen += by;
    }

    /// <summary>Stands still from now on.</summary>
    public void Freeze() => _frozen = GetUtcNow();
}
