using Microsoft.Extensions.Logging;

namespace SyncEngine.Hub.Push;

/// <summary>What this room logs. No secret, no token and no content is ever among it.</summary>
internal static partial class PushLog
{
    [LoggerMessage(7001, LogLevel.Warning, "More changes came than could be told; every subscriber is told to resynchronise.")]
    public static partial void ChangesOverflowed(ILogger logger);

    [LoggerMessage(7002, LogLevel.Error, "Pool {Pool}: the feed could not be written; it is tried again.")]
    public static partial void FeedWriteFailed(ILogger logger, string pool, Exception exception);

    [LoggerMessage(7003, LogLevel.Error, "Old entries of a feed could not be removed; it is tried again.")]
    public static partial void SweepFailed(ILogger logger, Exception exception);

    [LoggerMessage(7010, LogLevel.Warning, "Webhook {Hook} of pool {Pool} failed ({Reason}), attempt {Attempt}; next in "
        + "{Delay}.")]
    public static partial void WebhookFailed(
        ILogger logger, string pool, string hook, string reason, int attempt, TimeSpan delay);

    [LoggerMessage(7011, LogLevel.Error, "Webhook {Hook} of pool {Pool} is disabled: {Reason}.")]
    public static partial void WebhookDisabled(ILogger logger, string pool, string hook, string reason);

    [LoggerMessage(7012, LogLevel.Error, "Webhook {Hook} of pool {Pool} stopped by an error; it is started again.")]
    public static partial void WebhookBroke(ILogger logger, string pool, string hook, Exception exception);

    [LoggerMessage(7020, LogLevel.Warning, "Push to device {Device} over {Platform} was refused: {Reason}.")]
    public static partial void PushRefused(ILogger logger, string device, string platform, string reason);

    [LoggerMessage(7021, LogLevel.Information, "Push over {Platform}: the token of device {Device} is not valid any more; its "
        + "registration is removed.")]
    public static partial void PushTokenGone(ILogger logger, string device, string platform);

    [LoggerMessage(7022, LogLevel.Warning, "Push to device {Device} over {Platform} is given up after {Attempts} attempts.")]
    public static partial void PushGivenUp(ILogger logger, string device, string platform, int attempts);

    [LoggerMessage(7023, LogLevel.Error, "Push to device {Device} over {Platform} failed.")]
    public static partial void PushBroke(ILogger logger, string device, string platform, Exception exception);

    [LoggerMessage(7024, LogLevel.Error, "The registrations for push of identity {Identity} could not be read.")]
    public static partial void PushUnreadable(ILogger logger, string identity, Exception exception);

    [LoggerMessage(7025, LogLevel.Warning, "Too many devices wait for a push; some are not told.")]
    public static partial void PushOverflowed(ILogger logger);

    [LoggerMessage(7030, LogLevel.Error, "A hook on changes failed; the changes are {Outcome}.")]
    public static partial void HookFailed(ILogger logger, string outcome, Exception exception);

    [LoggerMessage(7031, LogLevel.Error, "A hook on changes did not answer within {Limit}; the changes are {Outcome}.")]
    public static partial void HookTimedOut(ILogger logger, TimeSpan limit, string outcome);
}
