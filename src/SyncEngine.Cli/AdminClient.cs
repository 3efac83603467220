using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SyncEngine.Cli;

/// <summary>Talks to a hub's admin interface.</summary>
internal sealed class AdminClient : IDisposable
{
    public const string AddressVariable = "SYNCENGINE_HUB_ADMIN";
    public const string KeyVariable = "SYNCENGINE_ADMIN_KEY";
    public const string DefaultAddress = "http://127.0.0.1:7118";
    private const int AnswerBytesMax = 64 * 1024 * 1024;
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(60);
    private readonly HttpClient _http;
    private readonly string _address;

    public AdminClient(string? address, string? key)
    {
        _address = (address ?? Environment.GetEnvironmentVariable(AddressVariable) ?? DefaultAddress).TrimEnd('/');
        if (!Uri.TryCreate(_address, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
            throw CommandFailure.BadInput($"{_address} is no address of a hub's admin interface: write it as {DefaultAddress}.");
        key ??= Environment.GetEnvironmentVariable(KeyVariable);
        if (string.IsNullOrEmpty(key))
            throw CommandFailure.BadInput($"The hub's admin key is needed: set {KeyVariable}, or give --key-file. The hub "
                + "printed it when it was started the first time; syncengine hub --new-admin-key makes another.");
        if (!key.All(static c => c is > ' ' and < '\u007f'))
            throw CommandFailure.BadInput("An admin key has visible ASCII characters only: look where it comes from.");
        _http = new HttpClient { Timeout = _timeout, MaxResponseContentBufferSize = AnswerBytesMax };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Asks for something that is there.</summary>
    /// <returns>It, and the tag that names its version where it has one.</returns>
    public async Task<(JsonObject Body, string? EntityTag)> GetAsync(string path, CancellationToken cancellationToken)
    {
        (JsonObject? body, string? tag) = await SendAsync(HttpMethod.Get, path, null, null, cancellationToken);
        return (body ?? throw NoHub(), tag);
    }

    /// <summary>Asks for all pages of a list, one after another.</summary>
    /// <param name="path">The list's path.</param>
    /// <param name="member">The member of a page that has the items.</param>
    /// <param name="each">Given the items of each page.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task ListAsync(string path, string member, Action<JsonArray> each, CancellationToken cancellationToken)
    {
        for (string? cursor = ""; cursor is not null;)
        {
            (JsonObject page, _) = await GetAsync(
                cursor.Length == 0 ? path : $"{path}?cursor={Uri.EscapeDataString(cursor)}", cancellationToken);
            each(page[member] as JsonArray ?? throw NoHub());
            cursor = page.Text("next");
        }
    }

    /// <summary>Sends a request; a refusal is told in the hub's words.</summary>
    public async Task<(JsonObject? Body, string? EntityTag)> SendAsync(
        HttpMethod method, string path, JsonNode? body, string? condition, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, $"{_address}/admin{path}");
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        if (condition is not null) request.Headers.TryAddWithoutValidation("If-Match", condition);
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken);
            JsonObject? answer = Parse(await response.Content.ReadAsStringAsync(cancellationToken));
            return response.IsSuccessStatusCode ? (answer, response.Headers.ETag?.ToString())
                : throw Refusal((int)response.StatusCode, answer);
        }
        catch (HttpRequestException e)
        {
            throw new CommandFailure(ExitCode.OperationFailed, $"The hub's admin interface at {_address} cannot be reached: "
                + $"{e.Message} Is it running? Its address comes from --hub or {AddressVariable}.", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandFailure(ExitCode.OperationFailed,
                $"The hub's admin interface at {_address} did not answer within {_timeout.TotalSeconds:N0} s: try again.", e);
        }
    }

    public void Dispose() => _http.Dispose();

    private static JsonObject? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            // Told by its status, or as no answer of a hub.
            return null;
        }
    }

    private static CommandFailure Refusal(int status, JsonObject? answer)
    {
        string words = answer?.Text("detail") ?? $"it answers {status}";
        int code = status switch
        {
            404 => ExitCode.CheckFailed,
            401 or 403 or 429 or >= 500 => ExitCode.OperationFailed,
            _ => ExitCode.BadInput,
        };
        return new CommandFailure(code, "The hub says: " + words + (answer?.Text("path") is { } at ? $" (at {at})" : ""));
    }

    private CommandFailure NoHub() => new(ExitCode.OperationFailed,
        $"What answers at {_address} is no admin interface of a hub: look at --hub or {AddressVariable}.");
}

/// <summary>Members of JSON that is not trusted to be as expected.</summary>
internal static class JsonMembers
{
    /// <summary>A member that is a text; null if it is missing or no text.</summary>
    public static string? Text(this JsonNode? node, string member) =>
        node is JsonObject known && known[member] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>Whether a member is true.</summary>
    public static bool IsTrue(this JsonNode? node, string member) =>
        node is JsonObject known && known[member] is JsonValue value && value.TryGetValue(out bool flag) && flag;
}
