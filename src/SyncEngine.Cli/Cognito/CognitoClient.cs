using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SyncEngine.Cli.Cognito;

/// <summary>
/// Speaks the Identity and the Sync API with AWS or with a hub; signs by Signature Version 4. Thread-safe; the HTTP client is its
/// owner's.
/// </summary>
/// <param name="http">Sends.</param>
/// <param name="identity">The Identity API's address, without a path.</param>
/// <param name="sync">The Sync API's address, without a path.</param>
/// <param name="region">The region that signatures name.</param>
internal sealed class CognitoClient(HttpMessageInvoker http, Uri identity, Uri sync, string region)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string TargetHeader = "x-amz-target";

    /// <summary>Calls the Identity API; unsigned without keys.</summary>
    /// <exception cref="CognitoCallException">It refused.</exception>
    public Task<JsonObject> IdentityAsync(
        string operation, JsonObject body, CognitoKeys? keys, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Post, identity) { Content = ContentOf(body, "application/x-amz-json-1.1") };
        request.Headers.TryAddWithoutValidation(TargetHeader, "AWSCognitoIdentityService." + operation);
        return SendAsync(request, "cognito-identity", keys, cancellationToken);
    }

    /// <summary>Calls the Sync API.</summary>
    /// <param name="method">GET, POST or DELETE.</param>
    /// <param name="path">The path's segments after the host, not encoded.</param>
    /// <param name="query">The query, not encoded, in the order of its names.</param>
    /// <param name="body">The body; null for none.</param>
    /// <param name="keys">Who signs.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CognitoCallException">It refused.</exception>
    public Task<JsonObject> SyncAsync(
        HttpMethod method, IEnumerable<string> path, IEnumerable<(string Name, string? Value)> query, JsonObject? body,
        CognitoKeys keys, CancellationToken cancellationToken)
    {
        string encodedPath = string.Concat(path.Select(static segment => "/" + Uri.EscapeDataString(segment)));
        string encodedQuery = string.Join('&', query.Where(static pair => pair.Value is not null).Select(
            static pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value!)}")); // Filtered before.
        var address = new Uri(sync, encodedPath + (encodedQuery.Length == 0 ? "" : "?" + encodedQuery));
        HttpRequestMessage request = new(method, address);
        if (body is not null) request.Content = ContentOf(body, "application/json");
        return SendAsync(request, "cognito-sync", keys, cancellationToken);
    }

    private static ByteArrayContent ContentOf(JsonObject body, string type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return content;
    }

    private async Task<JsonObject> SendAsync(
        HttpRequestMessage request, string service, CognitoKeys? keys, CancellationToken cancellationToken)
    {
        using (request)
        {
            byte[] sent = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
            if (keys is not null) Sign(request, sent, service, keys);
            using HttpResponseMessage response = await http.SendAsync(request, cancellationToken);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            JsonObject? answer = Parse(body);
            if (response.IsSuccessStatusCode) return answer ?? [];
            string type = answer?["__type"]?.GetValue<string>() ?? "";
            if (response.Headers.TryGetValues("x-amzn-errortype", out IEnumerable<string>? names)) type = names.First();
            string message = (answer?["message"] ?? answer?["Message"])?.GetValue<string>() ?? response.StatusCode.ToString();
            throw new CognitoCallException(type.Split('#')[^1].Split(':')[0], (int)response.StatusCode, message);
        }
    }

    private static JsonObject? Parse(byte[] body)
    {
        if (body.Length == 0) return null;
        try
        {
            return JsonNode.Parse(body) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Sign(HttpRequestMessage request, byte[] body, string service, CognitoKeys keys)
    {
        Uri address = request.RequestUri!; // Both callers set it.
        string time = TimeProvider.System.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = address.Authority, ["x-amz-date"] = time,
        };
        if (keys.SessionToken is { } token) headers["x-amz-security-token"] = token;
        foreach ((string name, string value) in headers.Where(static header => header.Key != "host"))
            request.Headers.TryAddWithoutValidation(name, value);
        if (request.Headers.TryGetValues(TargetHeader, out IEnumerable<string>? targets)) headers[TargetHeader] = targets.First();
        string path = string.Join('/', address.AbsolutePath.Split('/').Select(Uri.EscapeDataString));
        string names = string.Join(';', headers.Keys);
        string canonical = $"{request.Method}\n{path}\n{address.Query.TrimStart('?')}\n"
            + string.Concat(headers.Select(static header => $"{header.Key}:{header.Value}\n"))
            + $"\n{names}\n{Convert.ToHexStringLower(SHA256.HashData(body))}";
        string scope = $"{time[..8]}/{region}/{service}/aws4_request";
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));
        string text = $"{Algorithm}\n{time}\n{scope}\n{hash}";
        byte[] key = Encoding.UTF8.GetBytes("AWS4" + keys.Secret);
        foreach (string part in scope.Split('/')) key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        string signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
        request.Headers.TryAddWithoutValidation("Authorization",
            $"{Algorithm} Credential={keys.AccessKeyId}/{scope}, SignedHeaders={names}, Signature={signature}");
    }
}
