using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SyncEngine.Causality;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Tests.Hosting;
using SyncEngine.Hub.Tests.Pools;
using Xunit;

namespace SyncEngine.Hub.Tests.Endpoints;

/// <summary>Who gets through to the admin interface, and how often.</summary>
public sealed class AdminGateTests
{
    [Theory]
    [InlineData(null, "admin-key-missing")]
    [InlineData("Basic dXNlcjpwYXNz", "admin-key-missing")]
    [InlineData("Bearer", "admin-key-missing")]
    [InlineData("Bearer  ", "admin-key-missing")]
    [InlineData("Bearer wrong", "admin-key-wrong")]
    [InlineData("Bearer " + AdminApp.Key + "x", "admin-key-wrong")]
    [InlineData("Bearer THE-KEY-OF-THE-ADMIN-INTERFACE", "admin-key-wrong")]
    public async Task Without_the_key_nothing_is_told(string? header, string code)
    {
        await using AdminApp app = await AdminApp.StartAsync();
        foreach (string path in (string[])["/admin/pools", "/admin/pools/game", "/admin/openapi.json", "/admin/nothing",
            "/admin"])
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Addresses[0], path));
            if (header is not null) request.Headers.TryAddWithoutValidation("Authorization", header);
            Answer answer = await app.SendAsync(request);
            answer.Refused(HttpStatusCode.Unauthorized, code);
            Assert.Equal("Bearer", answer.Response.Headers.WwwAuthenticate.Single().Scheme);
        }
    }

    [Fact]
    public async Task The_key_given_twice_is_refused()
    {
        await using AdminApp app = await AdminApp.StartAsync();
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Addresses[0], "/admin/pools"));
        request.Headers.TryAddWithoutValidation("Authorization", ["Bearer " + AdminApp.Key, "Bearer x"]);
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Without_a_configured_key_none_opens()
    {
        await using AdminApp app = await AdminApp.StartAsync(static options => options.AdminKey = null);
        (await app.GetAsync("/admin/pools")).Refused(HttpStatusCode.Unauthorized, "admin-key-wrong");
    }

    [Fact]
    public async Task The_interface_answers_on_its_port_only()
    {
        int port = FreePort();
        await using AdminApp app = await AdminApp.StartAsync(options => options.AdminPort = port, listeners: 2);
        foreach (Uri address in app.Addresses)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/admin/pools"));
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + AdminApp.Key);
            (await app.SendAsync(request)).Refused(HttpStatusCode.NotFound, "no-such-address");
        }

        app.Services.GetRequiredService<IOptions<SyncHubOptions>>().Value.AdminPort = app.Addresses[0].Port;
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/admin/pools")).Status);
        var elsewhere = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Addresses[1], "/admin/pools"));
        elsewhere.Headers.TryAddWithoutValidation("Authorization", "Bearer " + AdminApp.Key);
        (await app.SendAsync(elsewhere)).Refused(HttpStatusCode.NotFound, "no-such-address");
    }

    [Theory]
    [InlineData("127.0.0.1", null, true)]
    [InlineData("::1", null, true)]
    [InlineData("::ffff:127.0.0.9", null, true)]
    [InlineData("192.0.2.1", null, false)]
    [InlineData("::ffff:192.0.2.1", null, false)]
    [InlineData("2001:db8::1", null, false)]
    [InlineData(null, null, false)]
    [InlineData("127.0.0.1", "X-Forwarded-For", false)]
    [InlineData("127.0.0.1", "Forwarded", false)]
    public async Task Without_a_port_it_answers_to_this_machine_alone(string? caller, string? header, bool isLetIn)
    {
        await using AdminApp app = await AdminApp.StartAsync(map: app => app.Use((context, next) =>
        {
            context.Connection.RemoteIpAddress = caller is null ? null : IPAddress.Parse(caller);
            return next(context);
        }));
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Addresses[0], "/admin/pools"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + AdminApp.Key);
        if (header is not null) request.Headers.TryAddWithoutValidation(header, "192.0.2.1");
        Answer answer = await app.SendAsync(request);
        if (isLetIn) Assert.Equal(HttpStatusCode.OK, answer.Status);
        else Assert.Contains("SyncHub:AdminPort", answer.Refused(HttpStatusCode.Forbidden, "admin-local-only"),
            StringComparison.Ordinal);

        // On its own port it is for whoever gets there and has the key.
        app.Services.GetRequiredService<IOptions<SyncHubOptions>>().Value.AdminPort = app.Addresses[0].Port;
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/admin/pools")).Status);
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_come_back()
    {
        // A token an hour: no test runs long enough to get one.
        await using AdminApp app = await AdminApp.StartAsync(
            static options => options.AdminRatePerAddress = new RequestRate { Burst = 3, PerSecond = 1 / 3600.0 });
        var guess = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Addresses[0], "/admin/pools"));
        guess.Headers.TryAddWithoutValidation("Authorization", "Bearer guess");
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.SendAsync(guess)).Status);
        for (int i = 0; i < 2; i++) Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/admin/pools")).Status);
        Answer answer = await app.GetAsync("/admin/pools");
        answer.Refused(HttpStatusCode.TooManyRequests, "too-many-requests");
        Assert.InRange(answer.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 3600);
    }

    [Fact]
    public async Task Clients_are_limited_by_pool_and_made_up_pools_together()
    {
        await using AdminApp app = await AdminApp.StartAsync(
            static options => options.RatePerPool = new RequestRate { Burst = 2, PerSecond = 1 / 3600.0 },
            map: static app => app.MapGet("/sync/pools/{pool}", static () => "hello")
                .AddEndpointFilter(
                    ((IEndpointRouteBuilder)app).ServiceProvider.GetRequiredService<RateLimits>().GuardClientAsync));
        await app.Pools.CreateAsync(SamplePools.Game);
        await app.Pools.CreateAsync(SamplePools.Game with { Name = "other" });
        Assert.Equal("200 200 429", await StatusesAsync("game", "game", "game"));
        Assert.Equal("200 200 429", await StatusesAsync("made", "up", "names"));
        Assert.Equal("200", await StatusesAsync("other"));

        async Task<string> StatusesAsync(params string[] pools)
        {
            var statuses = new List<int>();
            foreach (string pool in pools) statuses.Add((int)(await app.GetAsync("/sync/pools/" + pool)).Status);
            return string.Join(" ", statuses);
        }
    }

    [Fact]
    public async Task Clients_are_limited_by_address()
    {
        await using AdminApp app = await AdminApp.StartAsync(
            static options => options.RatePerAddress = new RequestRate { Burst = 1, PerSecond = 1 / 3600.0 },
            map: static app => app.MapGet("/sync", static () => "hello")
                .AddEndpointFilter(
                    ((IEndpointRouteBuilder)app).ServiceProvider.GetRequiredService<RateLimits>().GuardClientAsync));
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/sync")).Status);
        (await app.GetAsync("/sync")).Refused(HttpStatusCode.TooManyRequests, "too-many-requests");
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/admin/pools")).Status);
    }

    [Theory]
    [InlineData("10.0.0.1", "::ffff:10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    public void Addresses_of_one_customer_are_one_source(string one, string other, bool isSame) =>
        Assert.Equal(isSame, RateLimits.SourceOf(IPAddress.Parse(one)) == RateLimits.SourceOf(IPAddress.Parse(other)));

    [Fact]
    public async Task A_full_disk_is_told_with_a_time_to_come_back_and_the_operator_finds_why()
    {
        using var logs = new CollectedLogs("SyncEngine.Hub.Storage");
        await using AdminApp app = await AdminApp.StartAsync(map: static app => app
            .MapGet("/full", (Func<IResult>)(static () => throw new SyncException(SyncErrorCode.StorageFull,
                "The disk is full.")))
            .AddEndpointFilter(StorageFailures.GuardAsync), logs: logs);
        Answer answer = await app.GetAsync("/full");
        answer.Refused(HttpStatusCode.ServiceUnavailable, "storage-failed");
        Assert.NotNull(answer.Response.Headers.RetryAfter);
        Assert.Equal([(LogLevel.Error, "What was asked could not be made durable: The disk is full.")], logs.Lines);
    }

    /// <summary>A port that nothing listens on now; whether that stays so does not matter here.</summary>
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
