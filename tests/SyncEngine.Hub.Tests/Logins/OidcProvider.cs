using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>
/// A real, certified provider of OpenID Connect (npm's oidc-provider) as a process on loopback, and a person who logs in there by
/// authorization code with PKCE. Ends with its standard input, and is ended by process id.
/// </summary>
public sealed class OidcProvider : IAsyncLifetime
{
    public const string RedirectUri = "com.example.app:/callback";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private Process? _process;

    public static bool IsInstalled { get; } =
        Directory.Exists(Path.Combine(Folder(), "node_modules", "oidc-provider")) && HasNode();

    public string Issuer { get; private set; } = "";

    public async Task InitializeAsync()
    {
        if (!IsInstalled) return;
        var start = new ProcessStartInfo("node", "server.mjs")
        {
            WorkingDirectory = Folder(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!; // Null only where a process is reused, which is for shells.
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginErrorReadLine();
        Issuer = (await LineAsync("ready "))["ready ".Length..];
    }

    public async Task DisposeAsync()
    {
        if (_process is null) return;
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    /// <summary>Starts the provider anew, with other keys, on the same address.</summary>
    public async Task RotateAsync()
    {
        await _process!.StandardInput.WriteLineAsync("rotate"); // Set where the tests run at all.
        await _process.StandardInput.FlushAsync();
        await LineAsync("rotated");
    }

    /// <summary>Logs a person in as an app does; gives the ID token and the access token.</summary>
    public async Task<(string IdToken, string AccessToken)> LogInAsync(string clientId, string person, string? nonce)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
        using var client = new HttpClient(handler) { Timeout = _patience };
        string verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        string challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        string state = RandomNumberGenerator.GetHexString(16);
        string query = $"client_id={clientId}&response_type=code&scope=openid%20email&state={state}&login_hint={person}"
            + $"&redirect_uri={Uri.EscapeDataString(RedirectUri)}&code_challenge={challenge}&code_challenge_method=S256"
            + (nonce is null ? "" : $"&nonce={nonce}");
        var address = new Uri($"{Issuer}/auth?{query}");
        for (int step = 0; address.Scheme == Uri.UriSchemeHttp; step++)
        {
            Assert.True(step < 10, "The login goes round in circles.");
            using HttpResponseMessage answer = await client.GetAsync(address);
            Assert.True((int)answer.StatusCode is >= 300 and < 400, await answer.Content.ReadAsStringAsync());
            address = new Uri(address, answer.Headers.Location!); // A redirect without a place is a fault of the provider.
        }

        System.Collections.Specialized.NameValueCollection returned = HttpUtility.ParseQueryString(address.Query);
        Assert.Equal(state, returned["state"]);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["client_id"] = clientId,
            ["redirect_uri"] = RedirectUri,
            ["code"] = returned["code"] ?? throw new InvalidOperationException(address.Query),
            ["code_verifier"] = verifier,
        });
        using HttpResponseMessage tokens = await client.PostAsync(new Uri($"{Issuer}/token"), form);
        string body = await tokens.Content.ReadAsStringAsync();
        Assert.True(tokens.IsSuccessStatusCode, body);
        JsonNode json = JsonNode.Parse(body)!; // A token response is never the word null.
        return ((string)json["id_token"]!, (string)json["access_token"]!);
    }

    private async Task<string> LineAsync(string start)
    {
        using var limit = new CancellationTokenSource(_patience);
        while (await _process!.StandardOutput.ReadLineAsync(limit.Token) is { } line) // Called after the start only.
        {
            if (line.StartsWith(start, StringComparison.Ordinal)) return line;
        }

        throw new InvalidOperationException($"The provider ended before it said '{start}': run node server.mjs in {Folder()}.");
    }

    private static bool HasNode() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(static folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node")));

    private static string Folder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "oidc")); // A source file is in a folder.
}
