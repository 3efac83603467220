namespace SyncEngine.Benchmarks.Workloads;

/// <summary>How many changes reached a subscriber, and whether all did.</summary>
internal sealed class ChangeCount : IDisposable
{
    private readonly ManualResetEventSlim _reached = new();
    private long _delivered;
    private long _awaited = long.MaxValue;

    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>Set once the subscriber was told that changes were left out.</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Ends the subscription.</summary>
    public IDisposable? Subscription { get; set; }

    public void Add(int changes)
    {
        if (Interlocked.Add(ref _delivered, changes) >= Interlocked.Read(ref _awaited)) _reached.Set();
    }

    public void Fail()
    {
        IsIncomplete = true;
        _reached.Set();
    }

    /// <summary>Waits until the given number of changes was delivered.</summary>
    public void WaitFor(long changes)
    {
        Interlocked.Exchange(ref _awaited, changes);
        if (Delivered >= changes) return;
        if (!_reached.Wait(TimeSpan.FromSeconds(60)) || IsIncomplete)
            throw new InvalidOperationException($"{Delivered} of {changes} changes were delivered.");
    }

    public void Dispose()
    {
        Subscription?.Dispose();
        _reached.Dispose();
    }
}
