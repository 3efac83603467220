using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;

namespace SyncEngine.Hub.Logins;

/// <summary>What a provider's definition must keep, and what it means where it says nothing.</summary>
internal static class DefinitionRules
{
    private const int ListMax = 32;
    private const int KeysMax = 16;
    private const int TextMax = 255;

    public static IReadOnlyList<string> FaultsOf(ProviderDefinition definition)
    {
        var faults = new List<string>();
        if (!IsName(definition.Name)) faults.Add("name: use 1 to 32 of a-z, 0-9 and '-'.");
        if (!Enum.IsDefined(definition.Kind))
            faults.Add("kind: use openid-connect, google, apple, facebook, amazon or developer.");
        CheckList(faults, "clientIds", definition.ClientIds);
        CheckList(faults, "authorizedParties", definition.AuthorizedParties);
        CheckList(faults, "claims", definition.Claims);
        if (definition.Kind == ProviderKind.Developer) CheckDeveloper(faults, definition);
        else CheckOutside(faults, definition);
        return faults;
    }

    /// <summary>The issuer whose tokens a provider takes.</summary>
    public static string IssuerOf(ProviderDefinition definition) => definition.Issuer ?? definition.Kind switch
    {
        ProviderKind.Google => "https://accounts.google.com",
        ProviderKind.Apple => "https://appleid.apple.com",
        ProviderKind.Facebook => "https://www.facebook.com",
        _ => definition.Name,
    };

    /// <summary>Where the provider's API is, ending with a slash.</summary>
    public static Uri BaseAddressOf(ProviderDefinition definition)
    {
        string address = definition.BaseAddress
            ?? (definition.Kind == ProviderKind.Amazon ? "https://api.amazon.com" : "https://graph.facebook.com");
        return new Uri(address.EndsWith('/') ? address : address + "/");
    }

    /// <summary>Whether an address may be called or named as an issuer: https, or http on a loopback address.</summary>
    public static bool IsSafe(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0 && uri.UserInfo.Length == 0
        && uri.Query.Length == 0 && uri.Fragment.Length == 0
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && IsLoopback(uri)));

    /// <summary>Whether an address is a loopback address written as such, or localhost.</summary>
    public static bool IsLoopback(Uri uri) => string.Equals(uri.Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(uri.DnsSafeHost, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static bool IsName(string? name) => name is { Length: >= 1 and <= 32 }
        && name.All(static letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');

    private static bool IsText(string? text) => text is { Length: >= 1 and <= TextMax } && !text.Any(char.IsControl);

    private static void CheckList(List<string> faults, string name, IReadOnlyList<string>? list)
    {
        if (list is null) faults.Add($"{name}: leave it out or give a list.");
        else if (list.Count > ListMax) faults.Add($"{name}: give at most {ListMax}.");
        else if (!list.All(IsText)) faults.Add($"{name}: each must be text of 1 to {TextMax} characters.");
    }

    private static void CheckOutside(List<string> faults, ProviderDefinition definition)
    {
        if (definition.Kind == ProviderKind.OpenIdConnect && definition.Issuer is null)
            faults.Add("issuer: give the issuer's address, such as https://login.example.com.");
        if (definition.Issuer is not null && !IsSafe(definition.Issuer))
            faults.Add("issuer: give an https address without user, query and fragment (http only on loopback).");
        if (definition.BaseAddress is not null && !IsSafe(definition.BaseAddress))
            faults.Add("baseAddress: give an https address without user, query and fragment (http only on loopback).");
        if (definition.Kind == ProviderKind.Facebook)
        {
            if (!IsText(definition.AppId)) faults.Add("appId: give the app's id at Facebook.");
            if (definition.AppSecret is not null && !IsText(definition.AppSecret))
                faults.Add("appSecret: leave it out or give the app's secret at Facebook.");
        }
        else if (definition.ClientIds is { Count: 0 })
        {
            faults.Add("clientIds: give the app's id at the provider; a token for any other app must be refused.");
        }

        if (definition.Keys is { Count: > 0 }) faults.Add("keys: only a developer provider has keys; leave them out.");
    }

    private static void CheckDeveloper(List<string> faults, ProviderDefinition definition)
    {
        if (definition.Issuer is not null && !IsText(definition.Issuer))
            faults.Add($"issuer: leave it out or give text of 1 to {TextMax} characters.");
        if (definition.Keys is not { Count: >= 1 and <= KeysMax })
        {
            faults.Add($"keys: give 1 to {KeysMax} public keys of the app's backend (EC, P-256).");
            return;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (DeveloperKey? key in definition.Keys)
        {
            if (key?.Kid is not { Length: >= 1 and <= 64 } || !names.Add(key.Kid))
            {
                faults.Add("keys: each key needs a kid of 1 to 64 characters that no other key has.");
                return;
            }

            if (FaultOf(key) is { } fault) faults.Add($"keys: key '{key.Kid}' {fault}");
        }
    }

    private static string? FaultOf(DeveloperKey key)
    {
        if (key.D is not null)
            return "holds its private part: make a new key, since this one has been shown, and send x and y only.";
        if (key.Kty != "EC" || key.Crv != "P-256") return "must have kty EC and crv P-256.";
        if (key.Alg is not (null or "ES256") || key.Use is not (null or "sig"))
            return "must have alg ES256 and use sig, or leave them out.";
        if (PointOf(key) is not { } point) return "must have x and y of 32 bytes each, as base64url.";
        try
        {
            using ECDsa made = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
            return null;
        }
        catch (CryptographicException)
        {
            return "is no point of the curve P-256: export the public key again.";
        }
    }

    private static ECPoint? PointOf(DeveloperKey key)
    {
        var point = new ECPoint { X = new byte[32], Y = new byte[32] };
        return Decode(key.X, point.X) && Decode(key.Y, point.Y) ? point : null;
    }

    private static bool Decode(string? text, byte[] target) => text is { Length: 43 } && Base64Url.IsValid(text)
        && Base64Url.TryDecodeFromChars(text, target, out int written) && written == target.Length;
}
