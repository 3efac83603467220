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
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly string _address;

    public AdminClient(string? address, string? key)
    {
        _address = (address ?? Environment.GetEnvironmentVariable(AddressVariable) ?? DefaultAddress).TrimEnd('/');
        key ??= Environment.GetEnvironmentVariable(KeyVariable);
        if (string.IsNullOrEmpty(key))
            throw new CommandFailure(ExitCode.BadInput, $"The hub's admin key is needed: set {KeyVariable}, or give --key. "
                + $"The hub "
                + "printed it when it was started the first time; syncengine hub --new-admin-key makes another.");
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Sends a request; a refusal is told in the hub's words.</summary>
    public async Task<(JsonObject? Body, string? EntityTag)> SendAsync(
        HttpMethod method, string path, JsonNode? body, string? condition, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, $"{_address}/admin{path}");
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        if (condition is not null) request.Headers.TryAddWithoutValidation("If-Match", condition);
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new CommandFailure(ExitCode.OperationFailed, $"The hub's admin interface at {_address} cannot be reached: "
                + $"{e.Message} Is it running? Its address comes from --hub or {AddressVariable}.");
        }

        using (response)
        {
            string text = await response.Content.ReadAsStringAsync(cancellationToken);
            JsonObject? answer = null;
            try
            {
                answer = text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject;
            }
            catch (JsonException)
            {
                // Told by its status below.
            }

            if (response.IsSuccessStatusCode) return (answer, response.Headers.ETag?.ToString());
            string words = answer?["detail"]?.GetValue<string>() ?? $"it answers {(int)response.StatusCode}";
            int code = (int)response.StatusCode is 404 ? ExitCode.CheckFailed
                : (int)response.StatusCode is 401 or 403 or >= 500 ? ExitCode.OperationFailed : ExitCode.BadInput;
            string? at = answer?["path"]?.GetValue<string>();
            throw new CommandFailure(code, "The hub says: " + words + (at is null ? "" : $" (at {at})"));
        }
    }

    public void Dispose() => _http.Dispose();
}
