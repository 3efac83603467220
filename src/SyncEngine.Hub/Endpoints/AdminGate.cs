using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Lets through to the admin interface who comes by its port and with its key. Made of endpoint filters.</summary>
internal sealed class AdminGate(AdminKeyCheck check, IOptions<SyncHubOptions> options)
{
    private const string Scheme = "Bearer ";
    private const int KeyCharactersMax = 512;
    private const string Challenge = "Bearer realm=\"syncengine-admin\"";

    /// <summary>Refuses other ports as if nothing were there.</summary>
    public ValueTask<object?> GuardPortAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        options.Value.AdminPort is { } port && context.HttpContext.Connection.LocalPort != port
            ? ValueTask.FromResult<object?>(Problems.NoSuchAddress())
            : next(context);

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
}
