using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Puts the admin interface into an app.</summary>
internal static class AdminEndpoints
{
    public const string Path = "/admin";

    /// <summary>What the admin interface is made of. The rows and whoever removes identities come from elsewhere.</summary>
    public static IServiceCollection AddSyncHubAdmin(this IServiceCollection services)
    {
        services.AddOptions<SyncHubOptions>().BindConfiguration(SyncHubOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SyncHubOptions>, SyncHubOptionsCheck>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<PoolRegistry>();
        services.TryAddSingleton<RateLimits>();
        services.TryAddSingleton<JsonBodyReader>();
        services.TryAddSingleton<PoolEndpoints>();
        services.TryAddSingleton(static provider =>
            AdminKeys.For(provider.GetRequiredService<IOptions<SyncHubOptions>>().Value.AdminKey));
        services.TryAddSingleton<AdminGate>();
        return AdminDocument.Add(services);
    }

    /// <summary>Maps the admin interface; further routes of it may be mapped into what is returned.</summary>
    public static RouteGroupBuilder MapSyncHubAdmin(this IEndpointRouteBuilder endpoints)
    {
        IServiceProvider services = endpoints.ServiceProvider;
        AdminGate gate = services.GetRequiredService<AdminGate>();

        // The order counts: who guesses keys is slowed down, and other ports learn nothing.
        RouteGroupBuilder admin = endpoints.MapGroup(Path).WithGroupName(AdminDocument.Name)
            .AddEndpointFilter(gate.GuardPortAsync)
            .AddEndpointFilter(services.GetRequiredService<RateLimits>().GuardAdminAsync)
            .AddEndpointFilter(gate.GuardKeyAsync)
            .AddEndpointFilter(StorageFailures.GuardAsync);
        services.GetRequiredService<PoolEndpoints>().Map(admin);
        admin.MapGet("/openapi.json", (Func<HttpContext, Task>)AdminDocument.WriteAsync).ExcludeFromDescription();
        admin.MapFallback("{*path}", static () => Problems.NoSuchAddress()).ExcludeFromDescription();
        return admin;
    }
}
