using System.Collections.Concurrent;
using System.Security.Cryptography;
using SyncEngine.Hub.Logins;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Nonces and single uses in memory.</summary>
internal sealed class UsedOnce : INonces, ISingleUse
{
    private readonly ConcurrentDictionary<(string Pool, string Nonce), bool> _nonces = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _uses = new();

    public IReadOnlyDictionary<string, DateTimeOffset> Uses => _uses;

    public string Issue(string pool = LoginBench.Pool)
    {
        string nonce = RandomNumberGenerator.GetHexString(32, lowercase: true);
        _nonces[(pool, nonce)] = true;
        return nonce;
    }

    public bool Has(string nonce) => _nonces.ContainsKey((LoginBench.Pool, nonce));

    ValueTask<bool> INonces.TryUseAsync(string pool, string nonce, CancellationToken cancellationToken) =>
        new(_nonces.TryRemove((pool, nonce), out _));

    ValueTask<bool> ISingleUse.TryUseAsync(string key, DateTimeOffset expires, CancellationToken cancellationToken) =>
        new(_uses.TryAdd(key, expires));
}
