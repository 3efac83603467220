namespace SyncEngine.Hub.Push;

/// <summary>Bounds of server-sent events.</summary>
public sealed class ServerSentEventsOptions
{
    /// <summary>Most streams that one device may hold open: 1 to 1,000. Default 4.</summary>
    public int StreamsPerDeviceMax { get; set; } = 4;

    /// <summary>How often a comment is sent, so that nothing on the way takes the stream for dead: 1 s to 10
    /// minutes. Default 30 s.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most entries of the pool's feed that are searched to resume a stream; beyond, a resync is sent. 0 to
    /// 1,000,000. Default 10,000.</summary>
    public int ResumeEntriesMax { get; set; } = 10_000;
}
