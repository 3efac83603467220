using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>Where the next page of a list begins, as text that clients send back.</summary>
internal static class NextTokens
{
    private const int CharactersMax = 65_535;

    public static string Write(string after) => WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(after));

    /// <summary>What the list goes on after; null for its begin.</summary>
    /// <exception cref="CognitoException">The token is none of this hub's.</exception>
    public static string? Read(JsonElement body)
    {
        if (body.Text("NextToken", CharactersMax, CognitoPatterns.NextToken()) is not { } token) return null;
        try
        {
            return Encoding.UTF8.GetString(WebEncoders.Base64UrlDecode(token));
        }
        catch (FormatException)
        {
            throw Wrong();
        }
    }

    public static CognitoException Wrong() =>
        CognitoException.InvalidParameter("Invalid NextToken: send the one of the page before, or none for the first page.");
}
