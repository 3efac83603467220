using Microsoft.AspNetCore.Http;
using SyncEngine.Hub.Identities;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Turns what the directory refuses into answers.</summary>
internal static class DirectoryFailures
{
    public static async ValueTask<object?> GuardAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context).ConfigureAwait(false);
        }
        catch (DirectoryException e)
        {
            return Of(e);
        }
    }

    public static Problem Of(DirectoryException failure) => failure.Fault switch
    {
        DirectoryFault.NotFound => Problems.NotFound("not-found", failure.Message),
        DirectoryFault.Disabled => Problems.Forbidden("identity-disabled", failure.Message),
        DirectoryFault.DeviceRevoked => Problems.Forbidden("device-revoked", failure.Message),
        DirectoryFault.TooManyDevices => Problems.Conflict("too-many-devices", failure.Message),
        DirectoryFault.TooManyLogins => Problems.Conflict("too-many-logins", failure.Message),
        DirectoryFault.Conflict => Problems.Conflict("resource-conflict", failure.Message),
        DirectoryFault.PlanOver => Problems.Conflict("plan-over", failure.Message),
        DirectoryFault.LastLogin => Problems.Conflict("last-login", failure.Message),
        DirectoryFault.ModeNotAllowed => Problems.BadRequest("bad-mode", failure.Message),
        _ => Problems.Conflict("not-undoable", failure.Message),
    };
}
