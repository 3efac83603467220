using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Turns failures of the storage, and what must wait for a merge, into answers that say when to try again.</summary>
internal static partial class StorageFailures
{
    private const int RetryAfterSeconds = 5;
    private const string LogCategory = "SyncEngine.Hub.Storage";

    public static async ValueTask<object?> GuardAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context).ConfigureAwait(false);
        }
        catch (SyncException e) when (e.Code == SyncErrorCode.ConnectionFailed)
        {
            return Problems.Unavailable("identity-busy", e.Message, RetryAfterSeconds);
        }
        catch (SyncException e) when (e.Code is SyncErrorCode.StorageFailed or SyncErrorCode.StorageFull)
        {
            if (context.HttpContext.RequestServices.GetService<ILoggerFactory>() is { } logs)
                LogNotDurable(logs.CreateLogger(LogCategory), e.Message);
            return Problems.Unavailable("storage-failed", "The hub could not make this durable. Try again later; its "
                + "operator finds "
                + "the reason in its log.", RetryAfterSeconds);
        }
    }

    [LoggerMessage(30, LogLevel.Error, "What was asked could not be made durable: {Reason}")]
    private static partial void LogNotDurable(ILogger logger, string reason);
}
