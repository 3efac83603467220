using SyncEngine.Identities;

namespace SyncEngine.Hub.Syncing;

/// <summary>Who syncs, as its credential says.</summary>
/// <param name="Pool">The pool.</param>
/// <param name="Id">The identity.</param>
/// <param name="Device">The device.</param>
/// <param name="Expires">When its credential ends, and with it the session.</param>
/// <param name="Access">What it may do.</param>
internal sealed record SyncCaller(string Pool, IdentityId Id, string Device, DateTimeOffset Expires, SessionAccess Access)
{
    /// <summary>Cuts a session when the credential ends, unless the result is disposed before.</summary>
    public ITimer CutAtExpiry(OpenSession session, TimeProvider time)
    {
        TimeSpan left = Expires - time.GetUtcNow();
        return time.CreateTimer(static session => _ = ((OpenSession)session!).CutAsync(), session,
            left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left, Timeout.InfiniteTimeSpan);
    }
}
