namespace SyncEngine.Hub.Logins;

/// <summary>Remembers what may happen once only.</summary>
internal interface ISingleUse
{
    /// <summary>
    /// Marks a key as used: true the first time, false from then on until <paramref name="expires"/> at least, also after a
    /// restart. Two calls at once never both get true. The key is of bounded length and printable ASCII.
    /// </summary>
    ValueTask<bool> TryUseAsync(string key, DateTimeOffset expires, CancellationToken cancellationToken);
}
