using Microsoft.Extensions.Logging;
using SyncEngine.Causality;

namespace SyncEngine.Hosting;

/// <summary>What is logged, under the category of <see cref="SyncStore"/>. Keys and values, which may be personal, never
/// are.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(1, LogLevel.Information, "Store '{Store}' is open: {File}, identity {Identity}.")]
    public static partial void Opened(ILogger logger, string store, string file, string identity);

    [LoggerMessage(2, LogLevel.Information, "Store '{Store}' is closed; everything is durable.")]
    public static partial void Closed(ILogger logger, string store);

    [LoggerMessage(3, LogLevel.Critical, "Store '{Store}' was closed before its last changes were durable.")]
    public static partial void ClosedTooEarly(ILogger logger, string store, Exception failure);

    [LoggerMessage(4, LogLevel.Error, "An observer of store '{Store}' threw and was unsubscribed.")]
    public static partial void ObserverFailed(ILogger logger, string store, Exception failure);

    [LoggerMessage(5, LogLevel.Error,
        "Store '{Store}' cannot make changes durable: what is pending is kept and tried again, new writes are refused.")]
    public static partial void StorageFailed(ILogger logger, string store, Exception? failure);

    [LoggerMessage(6, LogLevel.Information, "Store '{Store}' makes changes durable again.")]
    public static partial void StorageRecovered(ILogger logger, string store);

    [LoggerMessage(7, LogLevel.Information, "Store '{Store}' is in sync with {Peer}.")]
    public static partial void Live(ILogger logger, string store, string? peer);

    [LoggerMessage(8, LogLevel.Information, "Store '{Store}' is no longer connected to {Peer}; it is tried again.")]
    public static partial void Disconnected(ILogger logger, string store, string? peer);

    [LoggerMessage(9, LogLevel.Warning, "Store '{Store}' cannot sync with {Peer}: {Reason} It is tried again.")]
    public static partial void LinkFailed(ILogger logger, string store, string? peer, string reason);

    [LoggerMessage(10, LogLevel.Warning, "Store '{Store}' needs a person to sync with {Peer}: {Reason}")]
    public static partial void NeedsAuth(ILogger logger, string store, string? peer, string reason);

    [LoggerMessage(11, LogLevel.Debug, "Store '{Store}': {Status}")]
    public static partial void LinkStatus(ILogger logger, string store, string status);

    [LoggerMessage(12, LogLevel.Warning,
        "The hub does not take writes of store '{Store}' to dataset {Dataset} ({Code}: {Reason}); see Dataset.Refused.")]
    public static partial void Refused(ILogger logger, string store, string dataset, SyncErrorCode code, string reason);

    [LoggerMessage(13, LogLevel.Warning,
        "Dataset {Dataset} of store '{Store}' differed from a peer's though it should not; it was healed with nothing lost.")]
    public static partial void Diverged(ILogger logger, string store, string dataset);

    [LoggerMessage(14, LogLevel.Error, "What used store '{Store}' threw when it was disposed; the store is closed all the same.")]
    public static partial void UserFailed(ILogger logger, string store, Exception failure);
}
