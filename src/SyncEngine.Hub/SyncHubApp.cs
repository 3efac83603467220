using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.IdentityApi;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Logins;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tokens;
using SyncEngine.LiteDB;

namespace SyncEngine.Hub;

/// <summary>Puts a hub into an ASP.NET Core app.</summary>
public static class SyncHubApp
{
    private const string DiscoveryPath = "/.well-known/openid-configuration";
    internal const string FileName = "hub.db";

    /// <summary>
    /// Adds a hub: its file in <see cref="SyncHubOptions.DataFolder"/>, identity pools, credentials, sync. Options come from the
    /// configuration section <see cref="SyncHubOptions.Section"/>, and from the delegate after it. The app then needs
    /// <see cref="MapSyncHub"/>, <see cref="MapSyncHubAdmin"/> and <c>app.UseWebSockets()</c>.
    /// </summary>
    public static IServiceCollection AddSyncHub(this IServiceCollection services, Action<SyncHubOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<StoredAdminKey>();
        services.TryAddSingleton(static provider =>
            provider.GetRequiredService<IOptions<SyncHubOptions>>().Value.AdminKey is { } configured
                ? AdminKeys.For(configured) : provider.GetRequiredService<StoredAdminKey>().Check);
        services.AddSyncHubAdmin();
        if (configure is not null) services.Configure(configure);
        services.TryAddSingleton(Open);
        services.TryAddSingleton(static provider => provider.GetRequiredService<HubStore>().Rows);
        services.TryAddSingleton(static provider =>
        {
            SyncHubOptions options = provider.GetRequiredService<IOptions<SyncHubOptions>>().Value;
            IServer? server = provider.GetService<IServer>();
            return new HubAddress(options.Issuer, options.Audience,
                () => server?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault());
        });
        services.TryAddSingleton(static provider =>
        {
            // What a session may do is asked when it begins, so those that are open begin anew when the answer may be another.
            var sessions = new OpenSessions();
            provider.GetRequiredService<PoolRegistry>().Changed += (pool, definition) =>
                _ = sessions.CutPoolAsync(pool);
            provider.GetRequiredService<IdentityDirectory>().LoginsChanged += (pool, id) => _ = sessions.CutAsync(pool, id);
            return sessions;
        });
        services.TryAddSingleton<KeyedLocks>();
        services.TryAddSingleton<IdentityDirectory>();
        services.TryAddSingleton<SigningKeys>();
        services.TryAddSingleton<AccessCredentials>();
        services.TryAddSingleton<RefreshHandles>();
        services.TryAddSingleton<Challenges>();
        services.TryAddSingleton<Revocations>();
        services.TryAddSingleton<Fences>();
        services.TryAddSingleton<IdentityMerging>();
        services.TryAddSingleton<IdentityRemoval>();
        services.TryAddSingleton<DeviceEntry>();
        services.TryAddSingleton<LoginPlans>();
        services.TryAddSingleton<HubNonces>();
        services.TryAddSingleton(static provider => new Lazy<LoginProviders>(() => new LoginProviders(
            provider.GetRequiredService<HubAddress>().Issuer, provider.GetRequiredService<HubNonces>(),
            provider.GetRequiredService<HubNonces>(), provider.GetRequiredService<TimeProvider>())));
        services.TryAddSingleton<LoginEntry>();
        services.TryAddSingleton<SessionCallers>();
        services.TryAddSingleton<Attestations>();
        services.TryAddSingleton<SyncServing>();
        services.TryAddSingleton<HttpExchange>();
        services.TryAddSingleton<ClientEndpoints>();
        services.TryAddSingleton<SyncEndpoints>();
        services.TryAddSingleton<IdentityEndpoints>();
        services.TryAddSingleton<DatasetEndpoints>();
        services.AddHubPush();
        services.AddHubCognito();
        services.AddSingleton<IPeriodicTask, DeleteForgetting>();
        services.AddSingleton<IPeriodicTask>(static provider => provider.GetRequiredService<SigningKeys>());
        services.AddSingleton<IPeriodicTask>(static provider => provider.GetRequiredService<Challenges>());
        services.AddSingleton<IPeriodicTask>(static provider => provider.GetRequiredService<RefreshHandles>());
        services.AddSingleton<IPeriodicTask>(static provider => provider.GetRequiredService<Revocations>());
        services.AddHostedService<PeriodicWork>();
        services.AddHealthChecks().AddCheck<HubHealth>("syncengine-hub");
        return services;
    }

    /// <summary>Maps what devices use: registration, logins, credentials, sync.</summary>
    /// <param name="endpoints">The app.</param>
    /// <param name="path">The base path, such as <c>/sync</c>.</param>
    public static IEndpointConventionBuilder MapSyncHub(this IEndpointRouteBuilder endpoints, string path = "/sync")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        IServiceProvider services = endpoints.ServiceProvider;
        Wire(services);
        var address = services.GetRequiredService<HubAddress>();
        var keys = services.GetRequiredService<SigningKeys>();
        RouteGroupBuilder client = endpoints.MapGroup(path).ExcludeFromDescription();
        var rates = services.GetRequiredService<RateLimits>();
        RouteGroupBuilder guarded = client.MapGroup("")
            .AddEndpointFilter(rates.GuardClientAsync)
            .AddEndpointFilter(StorageFailures.GuardAsync);
        services.GetRequiredService<ClientEndpoints>().Map(guarded);
        services.GetRequiredService<SyncEndpoints>().Map(guarded);
        services.GetRequiredService<PushEndpoints>().Map(guarded);
        guarded.MapGet("/jwks.json", (Func<CancellationToken, Task<IResult>>)(async cancellationToken =>
            Results.Text(await keys.JwksAsync(cancellationToken).ConfigureAwait(false), "application/json")));
        Func<HttpRequest, IResult> discovery = request => Results.Text(
            SigningKeys.Discovery(address.Issuer, (address.Configured ?? AddressOf(request.HttpContext)) + path),
            "application/json");
        guarded.MapGet(DiscoveryPath, discovery);

        // Where handlers that know the issuer alone look. It is the last choice, so that a document of the app's own stays.
        if (path.Trim('/').Length > 0)
        {
            endpoints.MapGet(DiscoveryPath, discovery).AddEndpointFilter(rates.GuardClientAsync)
                .ExcludeFromDescription().WithOrder(int.MaxValue);
        }

        client.MapFallback("{*path}", static () => Problems.NoSuchAddress());
        return client;
    }

    /// <summary>Maps the admin interface under <c>/admin</c>. It answers on <see cref="SyncHubOptions.AdminPort"/> alone, or,
    /// if that is not set, to this machine alone; and only to who has the admin key.</summary>
    public static IEndpointConventionBuilder MapSyncHubAdmin(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        Wire(endpoints.ServiceProvider);
        RouteGroupBuilder admin = AdminEndpoints.MapSyncHubAdmin(endpoints);
        endpoints.ServiceProvider.GetRequiredService<IdentityEndpoints>().Map(admin);
        endpoints.ServiceProvider.GetRequiredService<DatasetEndpoints>().Map(admin);
        endpoints.ServiceProvider.GetRequiredService<EventEndpoints>().Map(admin);
        endpoints.ServiceProvider.GetRequiredService<CognitoAdmin>().Map(admin);
        endpoints.ServiceProvider.GetRequiredService<PoolImport>().Map(admin);
        endpoints.ServiceProvider.GetRequiredService<LegacyImport>().Map(admin);
        return admin;
    }

    private static string AddressOf(HttpContext context) =>
        $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}";

    private static HubStore Open(IServiceProvider provider)
    {
        SyncHubOptions options = provider.GetRequiredService<IOptions<SyncHubOptions>>().Value;
        string folder = Path.GetFullPath(options.DataFolder);
        Directory.CreateDirectory(folder);
        return HubStore.OpenAsync(() => LiteDbStorage.Open(Path.Combine(folder, FileName)), new HubStoreOptions
        {
            Time = provider.GetRequiredService<TimeProvider>(), Memory = options.Memory, DeletesKept = options.DeletesKept,
        }).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Connects what would need each other in a circle.</summary>
    private static void Wire(IServiceProvider services)
    {
        var removal = services.GetRequiredService<IdentityRemoval>();
        removal.Revoking = services.GetRequiredService<DeviceEntry>().RevokeAsync;
        var pools = services.GetRequiredService<PoolRegistry>();
        var webhooks = services.GetRequiredService<Webhooks>();
        var feed = services.GetRequiredService<ChangeFeed>();
        pools.RemoveIdentities = removal.DeleteAllAsync;
        pools.RemoveRest = async (pool, cancellationToken) =>
        {
            await webhooks.DeleteAllAsync(pool, cancellationToken).ConfigureAwait(false);
            await feed.DeleteAsync(pool, cancellationToken).ConfigureAwait(false);
        };
        services.GetRequiredService<SyncServing>().Review = services.GetRequiredService<HookedReview>();
        var changes = services.GetRequiredService<ChangeHub>();
        var time = services.GetRequiredService<TimeProvider>();
        services.GetRequiredService<HubStore>().Advanced = (pool, id, dataset, revision, device) => changes.Publish(
            new HubChange(pool, id, dataset, revision, device, time.GetUtcNow().ToUnixTimeMilliseconds()));
    }
}
