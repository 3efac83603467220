namespace SyncEngine.Hub.Push;

/// <summary>How devices are woken.</summary>
public sealed class DevicePushOptions
{
    /// <summary>How long changes are gathered before a device is told of all of them with one push: up to an hour. Default
    /// 2 s.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Pauses between attempts. Default 2 s, doubling up to 10 minutes.</summary>
    internal Backoff Pauses { get; set; } = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(10));

    /// <summary>Most attempts of one push: 1 to 100. Default 6.</summary>
    public int AttemptsMax { get; set; } = 6;

    /// <summary>Most pushes under way at once: 1 to 1,000. Default 16.</summary>
    public int ConcurrencyMax { get; set; } = 16;

    /// <summary>Most identities and repeated pushes that wait, 1 to 10,000,000; beyond, devices are not told. Default
    /// 100,000.</summary>
    public int WaitingMax { get; set; } = 100_000;

    /// <summary>How long the last pushes may take when the hub stops. Default 5 s.</summary>
    internal TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
