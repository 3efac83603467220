using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Policies;

/// <summary>
/// Verifies the access credentials of a hub, for a service that is not the hub: JSON Web Tokens signed with ES256. It opens no
/// connection: the caller fetches the hub's key set and gives it. Thread-safe.
/// </summary>
/// <remarks>
/// Fetch the key set again every half hour and call <see cref="Update"/>: the hub publishes a key an hour before it signs.
/// Clocks may differ by 60 seconds. A credential that the hub has revoked is valid here until it ends, at most an hour later.
/// </remarks>
public sealed class CredentialVerifier
{
    /// <summary>Longest credential, in characters.</summary>
    public const int CharactersMax = 8 * 1024;

    private const string Type = "cred+jwt";
    private const string Algorithm = "ES256";
    private const int SignatureBytes = 64;
    private const long SkewSeconds = 60;
    private const long SecondsMax = 253_402_300_799;
    private static readonly JsonDocumentOptions _strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    private readonly string _issuer;
    private readonly string _audience;
    private readonly TimeProvider _time;
    private volatile CredentialKeySet _keys;

    /// <summary>Makes a verifier.</summary>
    /// <param name="issuer">The hub's issuer, as its discovery document has it.</param>
    /// <param name="audience">The audience that the hub is configured with.</param>
    /// <param name="keySet">The text of the hub's <c>jwks.json</c>.</param>
    /// <param name="time">The clock. Default: the system's.</param>
    /// <exception cref="FormatException">The key set is none, or holds no key that signs credentials.</exception>
    public CredentialVerifier(string issuer, string audience, string keySet, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        ArgumentNullException.ThrowIfNull(audience);
        ArgumentNullException.ThrowIfNull(keySet);
        (_issuer, _audience, _time) = (issuer, audience, time ?? TimeProvider.System);
        _keys = CredentialKeySet.Parse(keySet, null);
    }

    /// <summary>Replaces the key set: credentials signed with a key that is no longer in it are refused from now on.</summary>
    /// <param name="keySet">The text of the hub's <c>jwks.json</c>.</param>
    /// <exception cref="FormatException">The key set is none; the one before stays.</exception>
    public void Update(string keySet)
    {
        ArgumentNullException.ThrowIfNull(keySet);
        _keys = CredentialKeySet.Parse(keySet, _keys);
    }

    /// <summary>Verifies a credential.</summary>
    /// <param name="credential">The token, as it comes after <c>Bearer</c>.</param>
    /// <exception cref="SyncException"><see cref="SyncErrorCode.Unauthorized"/>: it is not valid. Why is not told, for whoever
    /// forges one would learn from it.</exception>
    public VerifiedCredential Verify(string credential) => TryVerify(credential, out VerifiedCredential? verified)
        ? verified
        : throw new SyncException(SyncErrorCode.Unauthorized, "The credential is not valid: get a new one from the hub.");

    /// <summary>Verifies a credential without an exception.</summary>
    /// <param name="credential">The token, as it comes after <c>Bearer</c>.</param>
    /// <param name="verified">What it says.</param>
    /// <returns>Whether it is valid.</returns>
    public bool TryVerify(string credential, [NotNullWhen(true)] out VerifiedCredential? verified)
    {
        ArgumentNullException.ThrowIfNull(credential);
        verified = null;
        if (credential.Length > CharactersMax) return false;
        int first = credential.IndexOf('.'), last = credential.LastIndexOf('.');
        if (first <= 0 || last == first) return false;
        ReadOnlySpan<char> text = credential.AsSpan();
        if (StrictBase64Url.Decode(text[..first]) is not { } header
            || StrictBase64Url.Decode(text[(first + 1)..last]) is not { } payload
            || StrictBase64Url.Decode(text[(last + 1)..]) is not { Length: SignatureBytes } signature
            || !Utf8.IsValid(header) || !Utf8.IsValid(payload)) return false;
        try
        {
            // Both parts are ASCII, for they were decoded.
            byte[] signed = Encoding.ASCII.GetBytes(credential, 0, last);
            if (KeyOf(header) is not { } key || !_keys.Verify(key, signed, signature)) return false;
            verified = Read(payload);
            return verified is not null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // An InvalidOperationException is a text that is no Unicode.
            return false;
        }
    }

    private static string? KeyOf(byte[] header)
    {
        using JsonDocument document = JsonDocument.Parse(header, _strict);
        JsonElement root = document.RootElement;
        return root.ValueKind == JsonValueKind.Object && Text(root, "alg") == Algorithm && Text(root, "typ") == Type
            && !root.TryGetProperty("crit", out _) ? Text(root, "kid") : null;
    }

    private VerifiedCredential? Read(byte[] payload)
    {
        using JsonDocument document = JsonDocument.Parse(payload, _strict);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || Text(root, "iss") != _issuer || Text(root, "aud") != _audience
            || Seconds(root, "exp") is not { } expires || Seconds(root, "iat") is not { } issued) return null;
        long now = _time.GetUtcNow().ToUnixTimeSeconds();
        if (expires + SkewSeconds <= now || issued - SkewSeconds > now || issued > expires) return null;
        if (root.TryGetProperty("nbf", out _) && (Seconds(root, "nbf") is not { } from || from - SkewSeconds > now)) return null;
        if (Id(Text(root, "sub")) is not { } id || Text(root, "pool") is not { Length: > 0 } pool
            || Text(root, "role") is not { Length: > 0 } role || Text(root, "dev") is not { Length: > 0 } device) return null;
        string? policy = root.TryGetProperty("pol", out _) ? Text(root, "pol") : "";
        if (policy is null || Claims(root) is not { } claims) return null;
        return new VerifiedCredential
        {
            IdentityId = id, Pool = pool, Role = role, DeviceId = device, Claims = claims, PolicyHash = policy,
            IssuedAt = DateTimeOffset.FromUnixTimeSeconds(issued), Expires = DateTimeOffset.FromUnixTimeSeconds(expires),
        };
    }

    private static Dictionary<string, string>? Claims(JsonElement root)
    {
        var claims = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!root.TryGetProperty("clm", out JsonElement carried)) return claims;
        if (carried.ValueKind != JsonValueKind.Object) return null;
        foreach (JsonProperty claim in carried.EnumerateObject())
        {
            if (claim.Value.ValueKind != JsonValueKind.String) return null;
            claims.Add(claim.Name, claim.Value.GetString()!);
        }

        return claims;
    }

    private static IdentityId? Id(string? text)
    {
        if (text is not { Length: 32 }) return null;
        foreach (char c in text)
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f'))) return null;
        return IdentityId.Parse(text);
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Seconds(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out long seconds) && seconds is >= 0 and <= SecondsMax ? seconds : null;
}
