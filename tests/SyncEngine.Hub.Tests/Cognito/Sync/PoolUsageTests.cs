using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using Xunit;
using static SyncEngine.Hub.Tests.Cognito.Sync.SyncApi;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

/// <summary>What a pool holds is told without reading all of it each time.</summary>
public sealed class PoolUsageTests
{
    private readonly LeapingClock _clock = new();

    [Fact]
    public async Task Only_what_changed_since_the_last_count_is_read()
    {
        await using SyncApi api = await StartAsync(configure: services => services.AddSingleton<TimeProvider>(_clock));
        var store = api.Services.GetRequiredService<HubStore>();
        IdentityId bob = await api.RegisterAsync();
        await api.UpdateAsync(Put("a", "1"));
        await api.UpdateAsync(Put("a", "22"), id: bob);
        await NotedAsync(api, api.Ann, 1);
        await NotedAsync(api, bob, 1);
        Assert.Equal(5, await CountAsync(api));
        await PutAwayAsync(store);
        Assert.Equal(5, await CountAsync(api));
        Assert.Equal(0, store.OpenedCount);

        // At once, and also after it was put away.
        await api.UpdateAsync(Put("a", "333", 1));
        Assert.Equal(7, await CountAsync(api));
        Assert.Equal(1, store.OpenedCount);
        await api.NativeAsync(static device => device["b"] = "1", id: bob);
        await NotedAsync(api, api.Ann, 2);
        await NotedAsync(api, bob, 2);
        await PutAwayAsync(store);
        Assert.Equal(9, await CountAsync(api));

        // Who is gone does not count, and what the feed could not tell is read again.
        await api.Services.GetRequiredService<IdentityRemoval>().DeleteAsync("game", bob, default);
        Assert.Equal(4, await CountAsync(api));
        await PutAwayAsync(store);
        Assert.Equal(4, await CountAsync(api));
        Assert.Equal(0, store.OpenedCount);
        var feed = api.Services.GetRequiredService<ChangeFeed>();
        feed.NoteLoss();
        await feed.FlushAsync("game");
        Assert.Equal(4, await CountAsync(api));
        Assert.Equal(1, store.OpenedCount);
    }

    private static async Task<long> CountAsync(SyncApi api) =>
        (await api.CallAsync("DescribeIdentityPoolUsage", caller: Developer)).GetProperty("IdentityPoolUsage")
            .GetProperty("DataStorage").GetInt64();

    /// <summary>Waits until the pool's feed tells of a change.</summary>
    private static async Task NotedAsync(SyncApi api, IdentityId id, long revision)
    {
        var feed = api.Services.GetRequiredService<ChangeFeed>();
        string cursor = FeedCursorText.Start;
        while (true)
        {
            FeedPage page = await feed.ReadAsync("game", cursor, 100, TimeSpan.FromSeconds(60));
            Assert.NotEmpty(page.Entries);
            if (page.Entries.Any(entry => entry.IdentityId == id && entry.Revision >= revision)) return;
            cursor = page.Cursor;
        }
    }

    private async Task PutAwayAsync(HubStore store)
    {
        _clock.Leap(TimeSpan.FromMinutes(2));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (store.OpenedCount > 0)
        {
            await store.SweepAsync();
            await Task.Delay(5, patience.Token);
        }
    }

    /// <summary>Time goes on, and leaps where a test says.</summary>
    private sealed class LeapingClock : TimeProvider
    {
        private long _leapt;

        public void Leap(TimeSpan by) => Interlocked.Add(ref _leapt, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _leapt);
    }
}
