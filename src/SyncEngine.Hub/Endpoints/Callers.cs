using Microsoft.AspNetCore.Http;
using SyncEngine.Hub.Accounts;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Who asks, by the Authorization header.</summary>
internal static class Callers
{
    public const string Challenge = "Bearer realm=\"syncengine\"";
    private const string Scheme = "Bearer ";

    /// <summary>The caller of a request.</summary>
    /// <param name="entry">Knows who is let in.</param>
    /// <param name="context">The request.</param>
    /// <param name="pool">The pool that the credential must be of; null for any.</param>
    /// <exception cref="EntryException">There is no credential, or it is not accepted.</exception>
    public static async ValueTask<HubCaller> RequireAsync(DeviceEntry entry, HttpContext context, string? pool)
    {
        Microsoft.Extensions.Primitives.StringValues headers = context.Request.Headers.Authorization;
        if (headers is not [{ } header] || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            throw new EntryException(EntryFault.NotAccepted, "credential-missing",
                "Send the header Authorization: Bearer CREDENTIAL, once.");
        HubCaller? caller = await entry.FindCallerAsync(header[Scheme.Length..].Trim(), context.RequestAborted)
            .ConfigureAwait(false);
        if (caller is null || (pool is not null && caller.Row.Pool != pool))
            throw new EntryException(EntryFault.NotAccepted, "credential-over",
                "The credential is not accepted: refresh it, or log in again.");
        return caller;
    }
}
