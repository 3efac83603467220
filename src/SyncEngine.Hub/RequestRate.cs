namespace SyncEngine.Hub;

/// <summary>How many requests are taken from one source: a bucket that starts full and fills at an even rate.</summary>
public sealed class RequestRate
{
    /// <summary>Most requests at once: 1 to 1,000,000; 0 switches the limit off.</summary>
    public int Burst { get; set; }

    /// <summary>Requests a second on average, above 0 and up to 1,000,000; less than one is allowed.</summary>
    public double PerSecond { get; set; }
}
