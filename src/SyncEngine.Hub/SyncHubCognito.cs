using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using SyncEngine.Hub.Cognito.Wire;
using SyncEngine.Hub.Endpoints;

namespace SyncEngine.Hub;

/// <summary>Puts the Cognito-wire-compatible API of a hub into an ASP.NET Core app.</summary>
public static class SyncHubCognito
{
    /// <summary>
    /// Maps the Cognito-wire-compatible API: all of the Identity and the Sync API, and AssumeRoleWithWebIdentity of STS. It
    /// answers whatever comes below the path and no other endpoint of the app takes, so best give it a port of its own:
    /// <c>app.MapCognitoApi().RequireHost("*:7119")</c>. Options are in <see cref="SyncHubOptions.Cognito"/>.
    /// </summary>
    /// <param name="endpoints">The app; it needs <see cref="SyncHubApp.AddSyncHub"/> and <see cref="SyncHubApp.MapSyncHub"/>
    /// too.</param>
    /// <param name="path">The base path of the clients' endpoint URL. Default none: clients are set up with an address
    /// alone.</param>
    public static IEndpointConventionBuilder MapCognitoApi(this IEndpointRouteBuilder endpoints, string path = "/")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(path);
        var endpoint = endpoints.ServiceProvider.GetRequiredService<CognitoEndpoint>();
        RouteGroupBuilder group = endpoints.MapGroup(path).ExcludeFromDescription();
        CognitoOptions options = endpoints.ServiceProvider.GetRequiredService<IOptions<SyncHubOptions>>().Value.Cognito;
        group.MapFallback("{**rest}", context =>
            options.Port is { } port && context.Connection.LocalPort != port
                ? Problems.NoSuchAddress().ExecuteAsync(context) : endpoint.AnswerAsync(context, path));
        return group;
    }
}
