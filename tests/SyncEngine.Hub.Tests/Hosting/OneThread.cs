using System.Collections.Concurrent;

namespace SyncEngine.Hub.Tests.Hosting;

/// <summary>A user interface's thread: what is posted to it runs on it, one after another.</summary>
internal sealed class OneThread : SynchronizationContext
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _posted = [];

    public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));

    /// <summary>Runs a job on such a thread; false where it did not end.</summary>
    public static bool TryRun(Func<Task> job)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            var context = new OneThread();
            SetSynchronizationContext(context);
            Task running = job();
            running.ContinueWith(_ => context._posted.CompleteAdding(), TaskScheduler.Default);
            foreach ((SendOrPostCallback callback, object? state) in context._posted.GetConsumingEnumerable()) callback(state);
            failure = running.Exception?.InnerException;
        }) { IsBackground = true };
        thread.Start();
        bool hasEnded = thread.Join(_patience);
        return failure is null ? hasEnded : throw new InvalidOperationException("The job failed.", failure);
    }
}
