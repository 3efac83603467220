using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// Sync session tokens: each listing begins a session or goes on with one, and a call that writes must bring its token. A token
/// is bound to session, identity, dataset and expiry. Thread-safe.
/// </summary>
internal sealed class SyncSessions(SealedTexts seals, TimeProvider time)
{
    private const string Purpose = "sync session";

    /// <summary>How long a client may take between listing and writing.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, long> _begun = new(StringComparer.Ordinal);

    /// <summary>How many sessions of a pool began since the hub started.</summary>
    public long CountOf(string pool) => _begun.GetValueOrDefault(pool);

    /// <summary>A token for a session that goes on, or a new one.</summary>
    /// <param name="scope">The identity.</param>
    /// <param name="dataset">The dataset's name on the hub.</param>
    /// <param name="token">The session's token so far; null begins one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CognitoException">The token is none of the identity's for the dataset, or too old.</exception>
    public async ValueTask<string> ContinueAsync(
        SyncScope scope, string dataset, string? token, CancellationToken cancellationToken)
    {
        string session;
        if (token is null)
        {
            session = RandomNumberGenerator.GetHexString(16, lowercase: true);
            _begun.AddOrUpdate(scope.Pool.Name, 1, static (_, count) => count + 1);
        }
        else
        {
            session = await CheckAsync(scope, dataset, token, cancellationToken).ConfigureAwait(false);
        }

        string expires = (time.GetUtcNow() + Lifetime).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        return await seals.SealAsync(
            Purpose, cancellationToken, scope.Pool.Name, scope.Id.ToString(), dataset, session, expires).ConfigureAwait(false);
    }

    /// <summary>Checks a token.</summary>
    /// <returns>The session.</returns>
    /// <exception cref="CognitoException">The token is none of the identity's for the dataset, or too old.</exception>
    public async ValueTask<string> CheckAsync(
        SyncScope scope, string dataset, string token, CancellationToken cancellationToken)
    {
        if (await seals.OpenAsync(Purpose, token, 5, cancellationToken).ConfigureAwait(false)
            is not [var pool, var id, var name, var session, var expires]
            || pool != scope.Pool.Name || id != scope.Id.ToString() || name != dataset)
            throw CognitoException.InvalidParameter("SyncSessionToken is none of this dataset: list its records first.");
        if (long.Parse(expires, CultureInfo.InvariantCulture) < time.GetUtcNow().ToUnixTimeMilliseconds())
            throw CognitoException.InvalidParameter("SyncSessionToken has expired: list the dataset's records again.");
        return session;
    }
}
