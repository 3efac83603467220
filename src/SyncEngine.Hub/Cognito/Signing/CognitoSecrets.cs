using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Cognito.Signing;

/// <summary>
/// The secrets that credentials of this API are made with, in rows <c>cognito/secret/ID</c>. A new one takes over every 90 days;
/// an old one stays until what was issued with it has expired. Thread-safe.
/// </summary>
internal sealed class CognitoSecrets(HubRows rows, TimeProvider time) : IPeriodicTask, IDisposable
{
    private const string Prefix = "cognito/secret/";
    private const int SecretBytes = 32;
    private const int SecretsMax = 16;

    /// <summary>How old the secret in use gets.</summary>
    public static readonly TimeSpan Age = TimeSpan.FromDays(90);

    private readonly SemaphoreSlim _changing = new(1, 1);
    private volatile IReadOnlyList<CognitoSecret>? _secrets;

    public string Name => "rotate secrets of credentials";

    /// <summary>The secret that new credentials are made with.</summary>
    public async ValueTask<CognitoSecret> CurrentAsync(CancellationToken cancellationToken = default) =>
        (_secrets ?? await LoadAsync(cancellationToken).ConfigureAwait(false))[^1];

    /// <summary>The secret of an id; null if it is gone or never was.</summary>
    public async ValueTask<CognitoSecret?> FindAsync(uint id, CancellationToken cancellationToken = default) =>
        (_secrets ?? await LoadAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(secret => secret.Id == id);

    /// <summary>Puts a new secret in use.</summary>
    public async Task RotateAsync(CancellationToken cancellationToken = default)
    {
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await AddAsync().ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<CognitoSecret> secrets = await LoadAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = time.GetUtcNow();
        if (secrets[^1].CreatedAt + Age <= now) await RotateAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            secrets = _secrets!;
            List<CognitoSecret> gone = [.. secrets.Where((_, i) => i + 1 < secrets.Count
                && secrets[i + 1].CreatedAt + (2 * IssuedCredentials.Life) <= now)];
            if (gone.Count == 0) return;
            await rows.WriteAsync([.. gone.Select(static secret =>
                new KeyValuePair<string, byte[]?>(KeyOf(secret.Id), null))]).ConfigureAwait(false);
            _secrets = [.. secrets.Except(gone)];
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Dispose() => _changing.Dispose();

    private static string KeyOf(uint id) => FormattableString.Invariant($"{Prefix}{id:x8}");

    private async ValueTask<IReadOnlyList<CognitoSecret>> LoadAsync(CancellationToken cancellationToken)
    {
        if (_secrets is { } known) return known;
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_secrets is { } loaded) return loaded;
            IReadOnlyList<KeyValuePair<string, byte[]>> stored =
                await rows.ReadRangeAsync(Prefix, null, SecretsMax, cancellationToken).ConfigureAwait(false);
            if (stored.Count == 0) await AddAsync().ConfigureAwait(false);
            else
                _secrets = [.. stored.Select(static row => CognitoSecret.Read(row.Value)).OrderBy(static s => s.CreatedAt)];
            return _secrets!;
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task AddAsync()
    {
        var row = new CognitoSecretRow(BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4)),
            RandomNumberGenerator.GetBytes(SecretBytes), time.GetUtcNow());
        await rows.WriteAsync(new KeyValuePair<string, byte[]?>(KeyOf(row.Id), JsonSerializer.SerializeToUtf8Bytes(row)))
            .ConfigureAwait(false);
        _secrets = [.. _secrets ?? [], new CognitoSecret(row)];
    }
}

/// <summary>A secret as it is stored.</summary>
internal sealed record CognitoSecretRow(uint Id, byte[] Secret, DateTimeOffset CreatedAt);

/// <summary>A secret, and the keys that follow from it: one to seal with, one to derive with.</summary>
internal sealed class CognitoSecret(CognitoSecretRow row)
{
    public uint Id => row.Id;

    public DateTimeOffset CreatedAt => row.CreatedAt;

    public byte[] SealingKey { get; } = KeyFor(row.Secret, "seal");

    public byte[] DerivingKey { get; } = KeyFor(row.Secret, "derive");

    public static CognitoSecret Read(byte[] bytes) => new(JsonSerializer.Deserialize<CognitoSecretRow>(bytes)
        ?? throw new InvalidDataException("A secret of credentials is empty."));

    private static byte[] KeyFor(byte[] secret, string purpose) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, secret, 32, info: Encoding.ASCII.GetBytes("syncengine cognito credentials " + purpose));
}
