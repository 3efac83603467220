using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SyncEngine.Hub.Push;

/// <summary>Signs payloads as Standard Webhooks 1.0.0 says, so that any of its libraries verifies them.</summary>
internal static class WebhookSignature
{
    private const string Prefix = "whsec_";
    private const int BytesMin = 24;
    private const int BytesMax = 64;

    public static string NewSecret() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether a text is "whsec_" and 24 to 64 bytes in base64.</summary>
    public static bool IsSecret(string text) => KeyOf(text) is not null;

    /// <summary>The signature header: one signature for each secret that still signs, the current one first.</summary>
    public static string Sign(
        IReadOnlyList<WebhookSecret> secrets, string messageId, DateTimeOffset now, ReadOnlySpan<byte> body)
    {
        byte[] head = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{messageId}.{now.ToUnixTimeSeconds()}."));
        byte[] content = [.. head, .. body];
        return string.Join(' ', secrets
            .Where(secret => secret.Until is null || secret.Until > now)
            .Select(secret => KeyOf(secret.Text))
            .Where(static key => key is not null)
            .Select(key => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key!, content)))); // Not null: filtered.
    }

    private static byte[]? KeyOf(string text)
    {
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > Prefix.Length + 100) return null;
        byte[] bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[Prefix.Length..], bytes, out int count)) return null;
        return count is >= BytesMin and <= BytesMax ? bytes[..count] : null;
    }
}
