using System.Globalization;
using System.Reactive.Linq;
using SyncEngine.Sync;

namespace SyncEngine.Cli;

/// <summary>Tells how a link is doing: a line for each change that somebody wants to know of.</summary>
internal static class LiveStatus
{
    /// <summary>Prints the status of a link while it changes.</summary>
    public static IDisposable Follow(SyncLink link, Terminal terminal) => link.Status
        .Where(static status => status.State != SyncState.Closed)
        .Select(Describe)
        .DistinctUntilChanged()
        .Subscribe(terminal.Out.WriteLine);

    public static string Describe(SyncStatus status)
    {
        string peer = status.Peer ?? "no peer", pending = status.PendingChanges is > 0 and var count
            ? Plural(count, "change") + " to send" : "all sent";
        return status.State switch
        {
            SyncState.Live => $"live: {peer}, {pending}",
            SyncState.CatchingUp => FormattableString.Invariant(
                $"catching up: {peer}, {Math.Floor((status.Percent ?? 0) / 10) * 10:F0}%"),
            SyncState.Connecting => $"connecting: {peer}",
            SyncState.NeedsAuth => $"refused: {status.Failure?.Message}",
            _ => $"not connected: {status.Failure?.Message ?? peer + " is gone."} Trying again.",
        };
    }

    public static string Describe(SyncResult result) => string.Create(CultureInfo.InvariantCulture,
        $"{Plural(result.ChangesReceived, "change")} came, {Plural(result.ChangesSent, "change")} went")
        + string.Concat(result.Refusals.Select(static refused => $"; {refused.Key} was not synced: {refused.Value.Message}"));

    private static string Plural(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
