using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Options;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito;

/// <summary>
/// Ids as clients write them: <c>REGION:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx</c>. The region is part of a pool, and the ids of
/// its identities are written with it.
/// </summary>
internal sealed class CognitoIds(IOptions<SyncHubOptions> options)
{
    public const int CharactersMax = 55;
    private const string GuidFormat = "D";
    private static readonly SearchValues<char> _regionCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    private static readonly SearchValues<char> _idCharacters =
        SearchValues.Create("0123456789abcdef-");

    /// <summary>The region of pools that are made from now on.</summary>
    public string Region => options.Value.Cognito.Region;

    /// <summary>Whether a region's ids and signatures are taken.</summary>
    public bool IsRegion(string region) =>
        region == options.Value.Cognito.Region || options.Value.Cognito.OtherRegions.Contains(region, StringComparer.Ordinal);

    public static string Of(string region, Guid id) => $"{region}:{id.ToString(GuidFormat, CultureInfo.InvariantCulture)}";

    public static string Of(string region, IdentityId id) => Of(region, GuidOf(id));

    /// <summary>The GUID whose digits are the identity's.</summary>
    public static Guid GuidOf(IdentityId id) => Guid.ParseExact(id.ToString(), "N");

    /// <summary>The identity whose digits are the GUID's.</summary>
    public static IdentityId IdentityOf(Guid id) => IdentityId.Parse(id.ToString("N", CultureInfo.InvariantCulture));

    /// <summary>Whether it has the shape of an id: <c>[\w-]+:[0-9a-f-]+</c>, at most 55 characters.</summary>
    public static bool IsShaped(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return text.Length <= CharactersMax && colon > 0 && colon < text.Length - 1
            && text.AsSpan(0, colon).IndexOfAnyExcept(_regionCharacters) < 0
            && text.AsSpan(colon + 1).IndexOfAnyExcept(_idCharacters) < 0;
    }

    /// <summary>Whether it is a region, a colon and a GUID.</summary>
    public static bool IsWhole(string text) => IsShaped(text)
        && Guid.TryParseExact(text.AsSpan(text.IndexOf(':', StringComparison.Ordinal) + 1), GuidFormat, out _);

    /// <summary>Reads an id of a region that this hub takes.</summary>
    public bool TryParse(string text, out string region, out Guid id)
    {
        (region, id) = ("", default);
        if (!IsShaped(text)) return false;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        region = text[..colon];
        return IsRegion(region) && Guid.TryParseExact(text.AsSpan(colon + 1), GuidFormat, out id);
    }
}
