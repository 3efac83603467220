using System.Globalization;
using System.Reactive.Linq;
using SyncEngine.Sync;

namespace SyncEngine.Cli.Commands;

/// <summary>Syncs a file through a folder that another program carries.</summary>
internal static class FolderSync
{
    public static async Task<int> RunAsync(
        Terminal terminal, string path, string folder, bool watches, bool adopts, CancellationToken cancellationToken)
    {
        await using SyncStore store = await StoreFile.OpenAsync(path, terminal);
        var shared = new SyncFolder(folder) { Adopts = adopts };
        if (watches) return await WatchAsync(terminal, store, shared, cancellationToken);
        FolderResult result = await terminal.ShowProgressAsync(
            begin => store.SynchronizeAsync(shared, begin(folder), cancellationToken));
        terminal.Out.WriteLine(Describe(result, path));
        foreach (SkippedFile skipped in result.Skipped)
            terminal.Error.WriteLine($"syncengine: {skipped.Name} was skipped: {skipped.Reason.Message}");
        return result.IsComplete ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static async Task<int> WatchAsync(
        Terminal terminal, SyncStore store, SyncFolder folder, CancellationToken cancellationToken)
    {
        await using SyncFolderLink link = store.Watch(folder);
        using IDisposable following = link.Status
            .Select(static status => status.State switch
            {
                FolderLinkState.Idle when status.Last is { } last => "in sync: " + Describe(last, null),
                FolderLinkState.Failed => "failed: " + status.Failure?.Message + " Trying again.",
                _ => "",
            })
            .Where(static words => words.Length > 0)
            .DistinctUntilChanged()
            .Subscribe(terminal.Out.WriteLine);
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            terminal.Out.WriteLine("Stopped. What came is in the file.");
        }

        return ExitCode.Success;
    }

    private static string Describe(FolderResult result, string? path)
    {
        string words = string.Create(CultureInfo.InvariantCulture, $"{result.ChangesReceived} changes came from "
            + $"{result.FilesRead} files, {result.ChangesSent} went into {result.FilesWritten}");
        if (result.HasAdopted && path is not null)
            words = $"{path} was a guest that had never synced; it now shares the identity {result.Identity}.\n{words}";
        if (result.OtherIdentities.Count > 0)
            words += $"\nnote: the folder also holds files of {result.OtherIdentities.Count} other "
                + $"{(result.OtherIdentities.Count == 1 ? "identity" : "identities")}, which this file does not share: "
                + string.Join(", ", result.OtherIdentities);
        return result.Waiting.Count == 0 ? words : words + $"; waiting for {result.Waiting.Count} files that are not here yet";
    }
}
