using Microsoft.AspNetCore.Http;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Identities;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Turns whoever is not let in into answers.</summary>
internal static class EntryFailures
{
    private const int RetryAfterSeconds = 10;

    public static async ValueTask<object?> GuardAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context).ConfigureAwait(false);
        }
        catch (EntryException e)
        {
            return Of(e);
        }
        catch (DirectoryException e)
        {
            return DirectoryFailures.Of(e);
        }
    }

    public static Problem Of(EntryException failure) => failure.Fault switch
    {
        EntryFault.BadRequest => Problems.BadRequest(failure.Code, failure.Message),
        EntryFault.NoRole => Problems.Forbidden(failure.Code, failure.Message),
        EntryFault.ProviderUnavailable => Problems.Unavailable(failure.Code, failure.Message, RetryAfterSeconds),
        _ => Problems.Unauthorized(failure.Code, failure.Message, Callers.Challenge + ", error=\"invalid_token\""),
    };
}
