using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SyncEngine.Policies;

namespace SyncEngine.Hub.Tests.OtherResource;

/// <summary>An ordinary API that takes the hub's credentials: it knows the hub's address and has its own policy.</summary>
internal static class OrdersApi
{
    public static WebApplication Build(string hub, string audience, string policy)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");

        // <sample>
        builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
        {
            options.Authority = hub; // The hub's issuer.
            options.RequireHttpsMetadata = false; // Only for a hub on this machine.
            options.AutomaticRefreshInterval = TimeSpan.FromMinutes(30);
            options.MapInboundClaims = false;
            options.TokenValidationParameters.ValidTypes = ["cred+jwt"];
            options.TokenValidationParameters.ValidAlgorithms = ["ES256"];
            options.TokenValidationParameters.ValidAudience = audience;
            options.TokenValidationParameters.ClockSkew = TimeSpan.FromSeconds(60);
        });
        builder.Services.AddSingleton(Policy.Parse(policy));
        builder.Services.AddSingleton<IAuthorizationHandler, InvokeHandler>();
        builder.Services.AddAuthorizationBuilder().AddPolicy("orders", static policy =>
            policy.RequireAuthenticatedUser().AddRequirements(new InvokeRequirement()));

        WebApplication app = builder.Build();
        app.MapGet("/orders/{tenant}/{order}", static (string tenant, string order) => $"{tenant}/{order}")
            .RequireAuthorization("orders");
        // </sample>
        return app;
    }
}

// <handler>
/// <summary>The caller's policy must allow it to invoke what the address names.</summary>
internal sealed class InvokeRequirement : IAuthorizationRequirement;

/// <summary>Asks the policy.</summary>
internal sealed class InvokeHandler(Policy policy) : AuthorizationHandler<InvokeRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, InvokeRequirement requirement)
    {
        if (context.Resource is HttpContext http
            && policy.Allows("resource:invoke", "api" + http.Request.Path.Value, ContextOf(context.User)))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }

    private static PolicyContext ContextOf(ClaimsPrincipal user) => new()
    {
        IdentityId = user.FindFirstValue("sub"), Pool = user.FindFirstValue("pool"), Role = user.FindFirstValue("role"),
        DeviceId = user.FindFirstValue("dev"), Claims = ClaimsOf(user.FindFirstValue("clm")),
    };

    private static Dictionary<string, string> ClaimsOf(string? json)
    {
        if (json is null) return [];
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject()
            .ToDictionary(static claim => claim.Name, static claim => claim.Value.GetString() ?? "");
    }
}
// </handler>
