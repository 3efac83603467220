namespace SyncEngine.Hub.Logins;

/// <summary>The nonces that the hub issued for logins.</summary>
internal interface INonces
{
    /// <summary>
    /// Uses a nonce up: true if the hub issued it for this pool, it has not expired and nobody used it before. Two calls at once
    /// never both get true. The text is hostile and of up to 255 characters.
    /// </summary>
    ValueTask<bool> TryUseAsync(string pool, string nonce, CancellationToken cancellationToken);
}
