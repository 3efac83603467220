namespace SyncEngine.Cli.Demo;

/// <summary>
/// The clock of the story: it starts an hour ago and moves only when told to, so that who wrote last is part of the
/// story and
/// not of the machine's speed.
/// </summary>
internal sealed class DemoClock : TimeProvider
{
    private readonly long _start = System.GetUtcNow().UtcTicks - TimeSpan.TicksPerHour;
    private long _passed;

    public override DateTimeOffset GetUtcNow() => new(_start + Interlocked.Read(ref _passed), TimeSpan.Zero);

    public void Pass(TimeSpan time) => Interlocked.Add(ref _passed, time.Ticks);
}
