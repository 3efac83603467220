using Microsoft.Extensions.Logging.Abstractions;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>A hub in a process of its own, told to stop while devices write to it.</summary>
public sealed class StopTests
{
    private const int Devices = 12;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task A_hub_that_is_told_to_stop_under_load_loses_nothing_and_closes_its_feed_with_all_of_it()
    {
        if (OperatingSystem.IsWindows()) return;
        string folder = Directory.CreateTempSubdirectory("syncengine-hub-stop").FullName;
        int port = HubChild.FreePort(), admin = HubChild.FreePort();
        using var ends = new CancellationTokenSource(_patience);
        using (HubChild hub = await HubChild.StartAsync(folder, port, admin, ends.Token))
        {
            await HubChild.CreatePoolAsync(admin, ends.Token);
            await using HubLoad load = await HubLoad.StartAsync(Devices, port, ends.Token);
            await load.AwaitSavedAsync(200);
            (int exitCode, string said) = await hub.StopAsync(ends.Token);
            Assert.Equal(0, exitCode);
            Assert.Contains("Stopped.", said, StringComparison.Ordinal);
            await load.EndAsync();
            await using HubStore left = await HubLoad.OpenAsync(folder);
            Dictionary<IdentityId, long> revisions = await load.CheckAsync(left, ends.Token);
            List<FeedEntry> entries = await ReadFeedAsync(left);
            Assert.DoesNotContain(entries, static entry => entry.Type == FeedEntryType.Interrupted);
            Assert.Equal(revisions, entries.GroupBy(static entry => entry.IdentityId)
                .ToDictionary(static group => group.Key, static group => group.Max(static entry => entry.Revision)));
        }

        // The same file after a kill: the feed tells of it.
        using (HubChild hub = await HubChild.StartAsync(folder, port, admin, ends.Token)) hub.Dispose();
        await using (HubStore left = await HubLoad.OpenAsync(folder))
            Assert.Contains(await ReadFeedAsync(left), static entry => entry.Type == FeedEntryType.Interrupted);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Opening the feed notes the interruption, if there was one, so that it is read then, too.</summary>
    private static async Task<List<FeedEntry>> ReadFeedAsync(HubStore store)
    {
        await using var feed = new ChangeFeed(store.Rows, TimeProvider.System, NullLogger<ChangeFeed>.Instance);
        var entries = new List<FeedEntry>();
        string? cursor = null;
        while (true)
        {
            FeedPage page = await feed.ReadAsync(HubChild.Pool, cursor, ChangeFeed.PageEntriesMax);
            Assert.Equal(FeedOutcome.Read, page.Outcome);
            entries.AddRange(page.Entries);
            cursor = page.Cursor;
            if (!page.HasMore) return entries;
        }
    }
}
