using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SyncEngine.Hub.Cognito.Signing;

/// <summary>What both sides of Signature Version 4 hash: the request in one agreed form. Pure.</summary>
internal static class CanonicalRequest
{
    public const string Algorithm = "AWS4-HMAC-SHA256";
    public const string Terminator = "aws4_request";

    /// <summary>The canonical request.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path as it was on the wire, percent-encodings and all.</param>
    /// <param name="query">The query as it was on the wire, without the question mark.</param>
    /// <param name="headers">The signed headers in their order: lower-case name and value.</param>
    /// <param name="bodyHash">The SHA-256 of the body, in lower-case digits.</param>
    public static string Of(
        string method, string path, string query, IReadOnlyList<(string Name, string Value)> headers, string bodyHash)
    {
        var text = new StringBuilder(512);
        text.Append(method).Append('\n').Append(PathOf(path)).Append('\n').Append(QueryOf(query)).Append('\n');
        foreach ((string name, string value) in headers) text.Append(name).Append(':').Append(Collapse(value)).Append('\n');
        text.Append('\n').AppendJoin(';', headers.Select(static header => header.Name)).Append('\n').Append(bodyHash);
        return text.ToString();
    }

    /// <summary>The text that is signed.</summary>
    /// <param name="time">When, as <c>yyyyMMddTHHmmssZ</c>.</param>
    /// <param name="scope">Date, region, service and terminator with slashes between.</param>
    /// <param name="canonical">The canonical request.</param>
    public static string TextToSign(string time, string scope, string canonical) =>
        $"{Algorithm}\n{time}\n{scope}\n{HashOf(Encoding.UTF8.GetBytes(canonical))}";

    /// <summary>The signature in lower-case digits.</summary>
    public static string Sign(string secret, string date, string region, string service, string textToSign)
    {
        byte[] key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (string part in (ReadOnlySpan<string>)[date, region, service, Terminator])
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(textToSign)));
    }

    public static string HashOf(ReadOnlySpan<byte> body) => Convert.ToHexStringLower(SHA256.HashData(body));

    /// <summary>The path without dot segments and empty ones, and percent-encoded once more than it was on the wire.</summary>
    private static string PathOf(string path)
    {
        var segments = new List<string>();
        foreach (string segment in path.Split('/'))
        {
            if (segment is "" or ".") continue;
            if (segment != "..") segments.Add(Encode(segment));
            else if (segments.Count > 0) segments.RemoveAt(segments.Count - 1);
        }

        string joined = "/" + string.Join('/', segments);
        return segments.Count > 0 && path.EndsWith('/') ? joined + "/" : joined;
    }

    private static string QueryOf(string query)
    {
        if (query.Length == 0) return "";
        var parts = new List<(string Name, string Value)>();
        foreach (string part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? part : part[..equals], value = equals < 0 ? "" : part[(equals + 1)..];
            parts.Add((Encode(Uri.UnescapeDataString(name)), Encode(Uri.UnescapeDataString(value))));
        }

        parts.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name) is not 0 and var order
            ? order : string.CompareOrdinal(one.Value, other.Value));
        return string.Join('&', parts.Select(static part => $"{part.Name}={part.Value}"));
    }

    /// <summary>Everything but the unreserved characters as upper-case <c>%XX</c> of its UTF-8.</summary>
    private static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length + 16);
        foreach (byte octet in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)octet)
                || (octet is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~'))
                encoded.Append((char)octet);
            else encoded.Append('%').Append(octet.ToString("X2", CultureInfo.InvariantCulture));
        }

        return encoded.ToString();
    }

    private static string Collapse(string value) => string.Join(' ', value.Split(
        (char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
