using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Who signs: a key's id, its secret, and a session token or none.</summary>
internal sealed record Signer(string KeyId, string Secret, string? Token = null)
{
    /// <summary>The developer key that tests configure.</summary>
    public static Signer Developer { get; } = new("AKIDTESTDEVELOPER001", "a-secret-of-the-developer-0123456789");

    public static Signer Of(JsonElement credentials) => new(credentials.GetProperty("AccessKeyId").GetString()!,
        credentials.GetProperty("SecretKey").GetString()!, credentials.GetProperty("SessionToken").GetString());
}

/// <summary>What a test sends wrongly on purpose.</summary>
internal sealed record Twist
{
    public DateTimeOffset? At { get; init; }

    public string Region { get; init; } = "us-east-1";

    public string? Service { get; init; }

    public string? Secret { get; init; }

    /// <summary>Sent in the place of the body that was signed.</summary>
    public string? OtherBody { get; init; }

    /// <summary>Sent in the place of the path that was signed.</summary>
    public string? OtherPath { get; init; }

    /// <summary>Sent as the Authorization header.</summary>
    public string? Authorization { get; init; }

    /// <summary>Header names that are sent and not signed.</summary>
    public IReadOnlyList<string> Unsigned { get; init; } = [];
}

/// <summary>An answer: status, headers, body.</summary>
internal sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, string Text, string? ContentType)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    /// <summary>The error's name, if header and body agree on it.</summary>
    public string Error => Headers.GetValues("x-amzn-errortype").Single() is var header
        && header == Json.GetProperty("__type").GetString() + ":" ? header[..^1] : $"{header} is not {Text}";

    public string Message => Json.GetProperty("message").GetString()!;
}

/// <summary>A small client of its own that signs by Signature Version 4. It has no code in common with the hub.</summary>
internal sealed class SigningClient(Uri address, TimeProvider time) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>Calls the Identity API.</summary>
    public Task<Answer> IdentityAsync(string operation, JsonNode body, Signer? signer = null, Twist? twist = null) =>
        IdentityAsync(operation, body.ToJsonString(), signer, twist);

    public Task<Answer> IdentityAsync(string operation, string body, Signer? signer = null, Twist? twist = null) => SendAsync(
        "POST", "/", "", body, signer, twist ?? new Twist(), "cognito-identity",
        [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AWSCognitoIdentityService." + operation)]);

    /// <summary>Calls the Sync API.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path as it goes on the wire.</param>
    /// <param name="query">The query as it goes on the wire.</param>
    /// <param name="body">The body; null for none.</param>
    /// <param name="signer">Who signs; null for nobody.</param>
    /// <param name="twist">What is wrong with it.</param>
    public Task<Answer> SyncAsync(
        string method, string path, string query = "", string? body = null, Signer? signer = null, Twist? twist = null) =>
        SendAsync(method, path, query, body, signer, twist ?? new Twist(), "cognito-sync",
            body is null ? [] : [("content-type", "application/json")]);

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage response = await _http.SendAsync(request);
        return new Answer(response.StatusCode, response.Headers, await response.Content.ReadAsStringAsync(),
            response.Content.Headers.ContentType?.MediaType);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The signature as the specification has it, step by step.</summary>
    internal static string SignatureOf(
        string method, string path, string query, IEnumerable<(string Name, string Value)> headers, string body, string secret,
        string time, string region, string service)
    {
        List<(string Name, string Value)> sorted = [.. headers.OrderBy(header => header.Name, StringComparer.Ordinal)];
        string canonicalPath = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        string canonicalQuery = string.Join('&', query.Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Contains('=') ? part : part + "=").Order(StringComparer.Ordinal));
        string request = $"{method}\n{canonicalPath}\n{canonicalQuery}\n"
            + string.Concat(sorted.Select(header => $"{header.Name}:{header.Value}\n"))
            + $"\n{string.Join(';', sorted.Select(header => header.Name))}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(body)))}";
        string toSign = $"AWS4-HMAC-SHA256\n{time}\n{time[..8]}/{region}/{service}/aws4_request\n"
            + Hex(SHA256.HashData(Encoding.UTF8.GetBytes(request)));
        byte[] key = Mac(Mac(Mac(Mac(Encoding.UTF8.GetBytes("AWS4" + secret), time[..8]), region), service), "aws4_request");
        return Hex(Mac(key, toSign));
    }

    private async Task<Answer> SendAsync(
        string method, string path, string query, string? body, Signer? signer, Twist twist, string service,
        List<(string Name, string Value)> headers)
    {
        if (signer is not null) Sign(method, path, query, body ?? "", signer, twist, service, headers);
        var options = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        string target = address.GetLeftPart(UriPartial.Authority) + (twist.OtherPath ?? path)
            + (query.Length == 0 ? "" : "?" + query);
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(target, options));
        if ((twist.OtherBody ?? body) is { } sent)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(sent));
            request.Content.Headers.TryAddWithoutValidation("content-type", headers.First(h => h.Name == "content-type").Value);
        }

        foreach ((string name, string value) in headers)
            if (name is not ("content-type" or "host")) request.Headers.TryAddWithoutValidation(name, value);
        return await SendAsync(request);
    }

    private void Sign(
        string method, string path, string query, string body, Signer signer, Twist twist, string service,
        List<(string Name, string Value)> headers)
    {
        string at = (twist.At ?? time.GetUtcNow()).UtcDateTime.ToString(
            "yyyyMMdd'T'HHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        headers.Add(("host", address.Authority));
        headers.Add(("x-amz-date", at));
        if (signer.Token is not null) headers.Add(("x-amz-security-token", signer.Token));
        List<(string Name, string Value)> signed = [.. headers.Where(header => !twist.Unsigned.Contains(header.Name))];
        string of = twist.Service ?? service;
        string signature = SignatureOf(
            method, path, query, signed, body, twist.Secret ?? signer.Secret, at, twist.Region, of);
        headers.Add(("authorization", twist.Authorization ?? $"AWS4-HMAC-SHA256 Credential={signer.KeyId}/{at[..8]}/"
            + $"{twist.Region}/{of}/aws4_request, "
            + $"SignedHeaders={string.Join(';', signed.Select(h => h.Name).Order(StringComparer.Ordinal))}"
            + $", Signature={signature}"));
    }

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
