using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Lets through to the admin interface who comes by its port and with its key. Made of endpoint filters.</summary>
internal sealed class AdminGate(AdminKeyCheck check, IOptions<SyncHubOptions> options)
{
    private const string Scheme = "Bearer ";
    private const int KeyCharactersMax = 512;
    private const string Challenge = "Bearer realm=\"syncengine-admin\"";

    /// <summary>Refuses other ports as if nothing were there; without a port of its own, callers from elsewhere.</summary>
    public ValueTask<object?> GuardPortAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (options.Value.AdminPort is not { } port)
        {
            return IsLocal(context.HttpContext) ? next(context) : ValueTask.FromResult<object?>(Problems.Forbidden(
                "admin-local-only", "The admin interface has no port of its own and answers to its own machine alone: set "
                    + $"{SyncHubOptions.Section}:AdminPort to a port that the app listens on."));
        }

        return context.HttpContext.Connection.LocalPort == port
            ? next(context) : ValueTask.FromResult<object?>(Problems.NoSuchAddress());
    }

    /// <summary>Refuses who has no key or a wrong one.</summary>
    public ValueTask<object?> GuardKeyAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        Microsoft.Extensions.Primitives.StringValues headers = context.HttpContext.Request.Headers.Authorization;
        string? header = headers.Count == 1 ? headers[0] : null;
        if (header is null || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return ValueTask.FromResult<object?>(Problems.Unauthorized("admin-key-missing",
                "Send the header Authorization: Bearer KEY with the admin key, once.", Challenge));
        }

        string key = header[Scheme.Length..].Trim();
        return key.Length is > 0 and <= KeyCharactersMax && check(key)
            ? next(context)
            : ValueTask.FromResult<object?>(Problems.Unauthorized("admin-key-wrong",
                "The admin key is wrong: use the one that the hub was set up with.", Challenge + ", error=\"invalid_token\""));
    }

    /// <summary>Whether it comes from this machine, and through no proxy that says whom it brings.</summary>
    private static bool IsLocal(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } caller) return false;
        return IPAddress.IsLoopback(caller.IsIPv4MappedToIPv6 ? caller.MapToIPv4() : caller)
            && !context.Request.Headers.ContainsKey("X-Forwarded-For") && !context.Request.Headers.ContainsKey("Forwarded");
    }
}
