using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SyncEngine.Hub.Syncing;
using Xunit;

namespace SyncEngine.Hub.Tests;

/// <summary>A whole hub on the loopback, on a file in a folder of its own.</summary>
internal sealed class HubApp : IAsyncDisposable
{
    public const string AdminKey = "admin-key-of-the-tests-0123456789";
    private readonly WebApplication _app;
    private readonly bool _ownsFolder;
    private int _disposed;

    private HubApp(WebApplication app, string folder, bool ownsFolder)
    {
        (_app, Folder, _ownsFolder) = (app, folder, ownsFolder);
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
        Admin = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
        Admin.DefaultRequestHeaders.Authorization = new("Bearer", AdminKey);
    }

    public string Folder { get; }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public HttpClient Admin { get; }

    public IServiceProvider Services => _app.Services;

    public HubStore Store => Services.GetRequiredService<HubStore>();

    public static async Task<HubApp> StartAsync(
        Action<IServiceCollection>? configure = null, string? folder = null, Action<SyncHubOptions>? options = null,
        Action<WebApplication>? map = null)
    {
        bool ownsFolder = folder is null;
        folder ??= Directory.CreateTempSubdirectory("syncengine-hub-test").FullName;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSyncHub(hub =>
        {
            hub.DataFolder = folder;
            hub.AdminKey = AdminKey;
            hub.RatePerAddress = new RequestRate { Burst = 0, PerSecond = 1 };
            hub.RatePerPool = new RequestRate { Burst = 0, PerSecond = 1 };
            hub.AdminRatePerAddress = new RequestRate { Burst = 0, PerSecond = 1 };
            options?.Invoke(hub);
        });
        configure?.Invoke(builder.Services);
        WebApplication app = builder.Build();
        app.UseWebSockets();
        app.MapSyncHub("/sync");
        app.MapSyncHubAdmin();
        app.MapCognitoApi();
        app.MapHealthChecks("/health");
        map?.Invoke(app);
        await app.StartAsync();
        return new HubApp(app, folder, ownsFolder);
    }

    public async Task<JsonObject> CreatePoolAsync(string json)
    {
        using var content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Admin.PostAsync("/admin/pools", content);
        Assert.True(response.StatusCode == HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, object body, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        return await SendAsync(request);
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(HttpMethod method, string path, string? token = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        return await SendAsync(request);
    }

    /// <summary>Stops as an operator does, so that the folder can be opened again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        Http.Dispose();
        Admin.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (_ownsFolder) Directory.Delete(Folder, recursive: true);
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage response = await Http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }
}
