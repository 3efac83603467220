using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace SyncEngine.Hub.Logins;

/// <summary>
/// The rules that ID tokens and assertions share, over Microsoft.IdentityModel.JsonWebTokens, which checks form, type, algorithm,
/// signature and issuer. What it leaves to the caller or takes from the system's clock is checked here.
/// </summary>
internal sealed class SignedToken
{
    /// <summary>How far the clocks of hub and issuer may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    private const int SubjectMax = 255;
    private static readonly JsonWebTokenHandler _handler = new()
    {
        MapInboundClaims = false,
        MaximumTokenSizeInBytes = LoginToken.CharactersMax,
    };

    private SignedToken(string text, JsonElement claims, string algorithm) =>
        (Text, Claims, Algorithm) = (text, claims, algorithm);

    /// <summary>The token's text.</summary>
    public string Text { get; }

    /// <summary>The payload, whose signature is right.</summary>
    public JsonElement Claims { get; }

    /// <summary>The algorithm of the signature.</summary>
    public string Algorithm { get; }

    public string? Subject => StringOf("sub");

    /// <summary>Whether text has the form of a signed token: three parts. An encrypted one has five.</summary>
    public static bool HasForm(string text) => text.AsSpan().Count('.') == 2;

    /// <summary>Checks form, type, algorithm, signature and issuer.</summary>
    /// <param name="text">The token.</param>
    /// <param name="keys">The keys and algorithms allowed.</param>
    /// <param name="issuers">The issuers allowed.</param>
    /// <param name="acceptsType">Tells which <c>typ</c> is right; null stands for none.</param>
    /// <param name="triesAllKeys">Whether a token that names no known key is tried with each.</param>
    /// <returns>The token, or null and why.</returns>
    public static async ValueTask<(SignedToken? Token, LoginReason Reason)> VerifyAsync(
        string text, IssuerKeys keys, IReadOnlyList<string> issuers, Func<string?, bool> acceptsType,
        bool triesAllKeys = true)
    {
        if (!HasForm(text) || Read(text) is not { } read) return (null, LoginReason.Malformed);
        // Before the signature, so that a token which no key can save has no keys fetched anew for it.
        if (!keys.Algorithms.Contains(read.Algorithm)) return (null, LoginReason.Algorithm);
        if (!issuers.Contains(read.Issuer)) return (null, LoginReason.Issuer);
        var parameters = new TokenValidationParameters
        {
            ValidAlgorithms = keys.Algorithms,
            IssuerSigningKeys = keys.Keys,
            ValidIssuers = issuers,
            // Not ValidTypes: real ID tokens often have no typ, which that refuses.
            TypeValidator = (type, _, _) => acceptsType(string.IsNullOrEmpty(type) ? null : type)
                ? type : throw new SecurityTokenInvalidTypeException("typ"),
            RequireSignedTokens = true,
            TryAllIssuerSigningKeys = triesAllKeys,
            // Both are checked by this class, with the hub's clock and the definition's ids.
            ValidateAudience = false,
            ValidateLifetime = false,
        };
        TokenValidationResult result = await _handler.ValidateTokenAsync(read.Token, parameters).ConfigureAwait(false);
        if (!result.IsValid) return (null, ReasonOf(result.Exception));
        return result.SecurityToken is JsonWebToken token && Payload(token) is { } claims
            ? (new SignedToken(text, claims, token.Alg), LoginReason.None) : (null, LoginReason.Malformed);
    }

    /// <summary>Checks when the token was issued and how long it lives.</summary>
    /// <param name="now">The hub's time.</param>
    /// <param name="lifetimeMax">Longest time from issue to expiry.</param>
    /// <param name="expires">When it ends.</param>
    public LoginReason CheckLifetime(DateTimeOffset now, TimeSpan lifetimeMax, out DateTimeOffset expires)
    {
        expires = default;
        if (SecondsOf("exp") is not { } ends || SecondsOf("iat") is not { } issued) return LoginReason.NoLifetime;
        expires = ends;
        if (issued > now + Skew) return LoginReason.NotYetValid;
        if (Claims.TryGetProperty("nbf", out _) && (SecondsOf("nbf") is not { } starts || starts > now + Skew))
            return LoginReason.NotYetValid;
        if (ends <= now - Skew) return LoginReason.Expired;
        return ends <= issued || ends - issued > lifetimeMax ? LoginReason.LifetimeTooLong : LoginReason.None;
    }

    /// <summary>Checks that the subject can name somebody.</summary>
    public LoginReason CheckSubject() => IsSubject(Subject) ? LoginReason.None : LoginReason.Subject;

    public static bool IsSubject(string? subject) =>
        subject is { Length: >= 1 and <= SubjectMax } && !string.IsNullOrWhiteSpace(subject) && !subject.Any(char.IsControl);

    /// <summary>The audiences; empty if there are none or they are of a wrong form.</summary>
    public IReadOnlyList<string> Audiences()
    {
        if (StringOf("aud") is { } one) return [one];
        if (!Claims.TryGetProperty("aud", out JsonElement list) || list.ValueKind != JsonValueKind.Array) return [];
        var audiences = new List<string>();
        foreach (JsonElement entry in list.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.String || ProviderAnswer.Unescaped(entry) is not { } audience) return [];
            audiences.Add(audience);
        }

        return audiences;
    }

    /// <summary>A claim that is text; null if it is missing or anything else.</summary>
    public string? StringOf(string claim) =>
        Claims.TryGetProperty(claim, out JsonElement member) && member.ValueKind == JsonValueKind.String
            ? ProviderAnswer.Text(Claims, claim) : null;

    public bool Has(string claim) => Claims.TryGetProperty(claim, out _);

    private DateTimeOffset? SecondsOf(string claim)
    {
        // RFC 7519 allows fractions; anything outside of years 1970 to 9999 is no time.
        if (!Claims.TryGetProperty(claim, out JsonElement member) || member.ValueKind != JsonValueKind.Number
            || !member.TryGetDouble(out double seconds) || seconds is not (>= 0 and < 253_402_300_800)) return null;
        return DateTimeOffset.FromUnixTimeSeconds((long)seconds);
    }

    private static (JsonWebToken Token, string Algorithm, string Issuer)? Read(string text)
    {
        try
        {
            JsonWebToken token = _handler.ReadJsonWebToken(text);
            return (token, token.Alg, token.Issuer);
        }
        catch (Exception failure) when (failure is ArgumentException or SecurityTokenException or FormatException
            or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static JsonElement? Payload(JsonWebToken token)
    {
        try
        {
            byte[] bytes = Base64Url.DecodeFromChars(token.EncodedPayload);
            var options = new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false };
            using var document = JsonDocument.Parse(bytes, options);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (Exception failure) when (failure is FormatException or JsonException)
        {
            return null;
        }
    }

    private static LoginReason ReasonOf(Exception? failure) => failure switch
    {
        SecurityTokenInvalidTypeException => LoginReason.Type,
        SecurityTokenInvalidAlgorithmException => LoginReason.Algorithm,
        SecurityTokenInvalidIssuerException => LoginReason.Issuer,
        SecurityTokenInvalidSignatureException => LoginReason.Signature,
        _ => LoginReason.Malformed,
    };
}
