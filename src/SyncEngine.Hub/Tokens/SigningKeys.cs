using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Tokens;

/// <summary>
/// The hub's P-256 keys, in its rows. A new key is published for an hour before it signs, so that whoever caches the key set has
/// it by then; an old one stays published until what it signed has expired.
/// </summary>
internal sealed class SigningKeys(HubRows rows, TimeProvider time) : IPeriodicTask, IDisposable
{
    private const string Prefix = "key/";
    private const int KeysMax = 32;

    /// <summary>For how long a key is published before it signs.</summary>
    public static readonly TimeSpan LeadTime = TimeSpan.FromHours(1);

    /// <summary>The longest that something signed holds: the tokens by which a developer vouches for his users.</summary>
    public static readonly TimeSpan SignedLifeMax = TimeSpan.FromHours(24);

    /// <summary>How old a signing key gets.</summary>
    public static readonly TimeSpan Age = TimeSpan.FromDays(90);

    private readonly SemaphoreSlim _changing = new(1, 1);
    private volatile IReadOnlyList<Key>? _keys;

    public string Name => "rotate signing keys";

    /// <summary>All published keys, for validation.</summary>
    public async ValueTask<IReadOnlyList<SecurityKey>> AllAsync(CancellationToken cancellationToken = default) =>
        [.. (await LoadAsync(cancellationToken).ConfigureAwait(false)).Select(static key => key.Security)];

    /// <summary>The key that signs now.</summary>
    public async ValueTask<ECDsaSecurityKey> CurrentAsync(CancellationToken cancellationToken = default)
    {
        IReadOnlyList<Key> keys = await LoadAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = time.GetUtcNow();
        return (keys.LastOrDefault(key => key.SignsFrom <= now) ?? keys[0]).Security;
    }

    /// <summary>The JSON Web Key Set (RFC 7517).</summary>
    public async ValueTask<string> JwksAsync(CancellationToken cancellationToken = default)
    {
        var keys = new JsonArray();
        foreach (Key key in await LoadAsync(cancellationToken).ConfigureAwait(false))
        {
            ECPoint point = key.Security.ECDsa.ExportParameters(false).Q;
            keys.Add(new JsonObject
            {
                ["kty"] = "EC", ["crv"] = "P-256", ["use"] = "sig", ["alg"] = "ES256", ["kid"] = key.Security.KeyId,
                ["x"] = DeviceProof.Encode(point.X!), ["y"] = DeviceProof.Encode(point.Y!),
            });
        }

        return new JsonObject { ["keys"] = keys }.ToJsonString();
    }

    /// <summary>The discovery document by which stock handlers find the keys.</summary>
    /// <param name="issuer">The hub's issuer.</param>
    /// <param name="address">Where the hub's client interface is.</param>
    public static string Discovery(string issuer, string address) => new JsonObject
    {
        ["issuer"] = issuer, ["jwks_uri"] = address + "/jwks.json",
        ["id_token_signing_alg_values_supported"] = new JsonArray("ES256"), ["subject_types_supported"] = new JsonArray("public"),
        ["response_types_supported"] = new JsonArray("none"),
    }.ToJsonString();

    /// <summary>Makes a key that takes over after the lead time.</summary>
    public async Task RotateAsync(CancellationToken cancellationToken = default)
    {
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await AddAsync(time.GetUtcNow() + LeadTime).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Replaces a key that is old, and forgets those that nothing valid was signed with.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Key> keys = await LoadAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = time.GetUtcNow();
        if (keys[^1].SignsFrom + Age <= now) await RotateAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            keys = _keys!;
            List<Key> gone = [.. keys.Where((_, i) => i + 1 < keys.Count
                && keys[i + 1].SignsFrom + SignedLifeMax + AccessCredentials.Skew <= now)];
            if (gone.Count == 0) return;
            await rows.WriteAsync([.. gone.Select(static key =>
                new KeyValuePair<string, byte[]?>(Prefix + key.Security.KeyId, null))]).ConfigureAwait(false);
            _keys = [.. keys.Except(gone)];
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Dispose() => _changing.Dispose();

    private async ValueTask<IReadOnlyList<Key>> LoadAsync(CancellationToken cancellationToken)
    {
        if (_keys is { } known) return known;
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_keys is { } loaded) return loaded;
            IReadOnlyList<KeyValuePair<string, byte[]>> stored =
                await rows.ReadRangeAsync(Prefix, null, KeysMax, cancellationToken).ConfigureAwait(false);

            // Nobody may see the keys before there is one.
            if (stored.Count == 0) await AddAsync(time.GetUtcNow()).ConfigureAwait(false);
            else
                _keys = [.. stored.Select(static row => Read(row.Key[Prefix.Length..], row.Value))
                    .OrderBy(static key => key.SignsFrom)];
            return _keys!;
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task AddAsync(DateTimeOffset signsFrom)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string id = DeviceProof.ThumbprintOf(key.ExportSubjectPublicKeyInfo());
        var row = new KeyRow(key.ExportPkcs8PrivateKey(), signsFrom);
        await rows.WriteAsync(new KeyValuePair<string, byte[]?>(Prefix + id, JsonSerializer.SerializeToUtf8Bytes(row)))
            .ConfigureAwait(false);
        _keys = [.. _keys ?? [], new Key(new ECDsaSecurityKey(key) { KeyId = id }, signsFrom)];
    }

    private static Key Read(string id, byte[] bytes)
    {
        KeyRow row = JsonSerializer.Deserialize<KeyRow>(bytes) ?? throw new InvalidDataException("A signing key is empty.");
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(row.Pkcs8, out _);
        return new Key(new ECDsaSecurityKey(key) { KeyId = id }, row.SignsFrom);
    }

    private sealed record KeyRow(byte[] Pkcs8, DateTimeOffset SignsFrom);

    private sealed record Key(ECDsaSecurityKey Security, DateTimeOffset SignsFrom);
}
