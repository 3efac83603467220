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
    /// <summary>Is cancelled when the credential ends.</summary>
    public CancellationTokenSource EndsAtExpiry(TimeProvider time)
    {
        TimeSpan left = Expires - time.GetUtcNow();
        return new CancellationTokenSource(left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left, time);
    }
}
