using System.Runtime.ExceptionServices;

namespace SyncEngine.LiteDB.Tests.Simulation;

/// <summary>Runs work on a thread of its own, plain or with a synchronization context as a UI thread has one.</summary>
internal static class StorageThread
{
    public static T Run<T>(bool withSynchronizationContext, Func<T> work)
    {
        var result = default(T);
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            if (withSynchronizationContext) SynchronizationContext.SetSynchronizationContext(new PostingContext());
            try
            {
                result = work();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    /// <summary>Any type but the base one keeps continuations from running inline.</summary>
    private sealed class PostingContext : SynchronizationContext;
}
