using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Rows;
using Xunit;

namespace SyncEngine.Hub.Tests.Endpoints;

/// <summary>What an endpoint answered.</summary>
internal sealed record Answer(HttpStatusCode Status, string Body, HttpResponseMessage Response)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public string Tag => Response.Headers.ETag!.ToString();

    /// <summary>Expects a refusal of the one shape that all have; returns its detail.</summary>
    public string Refused(HttpStatusCode status, string code, string? path = null)
    {
        Assert.True(status == Status, $"{Status}: {Body}");
        Assert.Equal("application/problem+json", Response.Content.Headers.ContentType?.ToString());
        Assert.Equal("urn:syncengine:" + code, Json.GetProperty("type").GetString());
        Assert.Equal((int)status, Json.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrEmpty(Json.GetProperty("title").GetString()));
        if (path is not null) Assert.Equal(path, Json.GetProperty("path").GetString());
        return Json.GetProperty("detail").GetString()!;
    }
}

/// <summary>An app with nothing but the admin interface, on ports of its own of this machine.</summary>
internal sealed class AdminApp : IAsyncDisposable
{
    public const string Key = "the-key-of-the-admin-interface";

    private readonly WebApplication _app;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };

    private AdminApp(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    public HubRows Rows => Services.GetRequiredService<HubRows>();

    public PoolRegistry Pools => Services.GetRequiredService<PoolRegistry>();

    /// <summary>The addresses it listens on.</summary>
    public IReadOnlyList<Uri> Addresses => [.. Services.GetRequiredService<IServer>().Features
        .Get<IServerAddressesFeature>()!.Addresses.Select(static address => new Uri(address))];

    public static async Task<AdminApp> StartAsync(
        Action<SyncHubOptions>? configure = null, int listeners = 1, Action<WebApplication>? map = null,
        ILoggerProvider? logs = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            for (int i = 0; i < listeners; i++) kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddRouting().AddLogging(logging =>
        {
            if (logs is not null) logging.AddProvider(logs);
        }).AddSingleton<HubRows>().AddSyncHubAdmin();
        builder.Services.Configure<SyncHubOptions>(options =>
        {
            options.AdminKey = Key;
            options.AdminRatePerAddress.Burst = 0;
            configure?.Invoke(options);
        });
        WebApplication app = builder.Build();
        AdminEndpoints.MapSyncHubAdmin(app);
        map?.Invoke(app);
        var made = new AdminApp(app);
        await app.StartAsync();
        return made;
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> PostAsync(string path, string json) => SendAsync(HttpMethod.Post, path, json);

    public Task<Answer> PutAsync(string path, string json, string? ifMatch) => SendAsync(HttpMethod.Put, path, json, ifMatch);

    public Task<Answer> DeleteAsync(string path, string? ifMatch = null) => SendAsync(HttpMethod.Delete, path, null, ifMatch);

    public Task<Answer> SendAsync(HttpMethod method, string path, string? json = null, string? ifMatch = null)
    {
        var request = new HttpRequestMessage(method, new Uri(Addresses[0], path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return SendAsync(request);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        HttpResponseMessage response = await _client.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }
}
