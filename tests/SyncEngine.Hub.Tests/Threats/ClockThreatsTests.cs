using SyncEngine.Datasets;
using SyncEngine.Hubs;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Threats;

/// <summary>Devices whose clocks are far ahead: they win nothing by it, lose nothing, and are not shut out.</summary>
public sealed class ClockThreatsTests
{
    private const string Pool = """{"name":"game","allowsGuests":true}""";

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    public async Task An_older_write_of_a_clock_ahead_does_not_win(int days)
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Pool);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore wrong = await device.OpenStoreAsync(Ahead(days, out _)), right = await device.OpenStoreAsync();
        wrong.Identity.Dataset("save")["x"] = "older";
        await Task.Delay(5);
        right.Identity.Dataset("save")["x"] = "newer";
        foreach (SyncStore store in (SyncStore[])[right, wrong, right])
            Assert.Empty((await store.SynchronizeAsync(device.Connector(tellsTime: true))).Refusals);
        Assert.Equal("newer", right.Identity.Dataset("save")["x"]);
        Assert.Equal("newer", wrong.Identity.Dataset("save")["x"]);
        Assert.Equal("older", right.Identity.Dataset("save").Conflicts.Single().Losers.Single().Value);
    }

    /// <summary>Over connections that do not say that a hub is there, while the clock is wrong and after it was set.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_write_that_the_hub_does_not_take_for_its_time_is_written_anew(bool isSetRight)
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Pool);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore wrong = await device.OpenStoreAsync(Ahead(400, out Shifted clock)),
            right = await device.OpenStoreAsync();
        wrong.Identity.Dataset("save")["x"] = 1;
        if (isSetRight) clock.By = TimeSpan.Zero;
        wrong.Identity.Dataset("save")["y"] = 2;
        wrong.Identity.Dataset("other")["z"] = 3;
        SyncResult result = await wrong.SynchronizeAsync(device.Connector());
        Assert.True(result.IsComplete);
        Assert.Empty(result.Refusals);
        await right.SynchronizeAsync(device.Connector());
        Dataset save = right.Identity.Dataset("save");
        Assert.Equal((1, 2, 3), (save["x"], save["y"], right.Identity.Dataset("other")["z"]));
        Assert.Empty(wrong.Identity.Dataset("save").Refused);
        Assert.InRange(LatestOf(save), DateTimeOffset.MinValue, DateTimeOffset.UtcNow.AddMinutes(5));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hubs_client_goes_by_the_hubs_time(bool usesPlainHttp)
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Pool);
        await using SyncStore store = SyncStore.OpenInMemory(Ahead(200, out _));
        Dataset save = store.Identity.Dataset("save");
        save["before"] = 1;
        Assert.True(LatestOf(save) > DateTimeOffset.UtcNow.AddDays(199));
        await using HubClient client = HubClient.Connect(store, new HubClientOptions(new Uri(hub.Address, "/sync"), "game")
        {
            UsesPlainHttp = usesPlainHttp,
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await store.WaitForFirstSyncAsync(patience.Token);
        save["after"] = 1;
        Assert.InRange(LatestOf(save), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
    }

    private static SyncStoreOptions Ahead(int days, out Shifted clock) =>
        new() { TimeProvider = clock = new Shifted { By = TimeSpan.FromDays(days) } };

    private static DateTimeOffset LatestOf(Dataset dataset) => Enumerable.Range(0, dataset.State.Table.Bound)
        .Where(cell => dataset.State.Table.IsInUse(cell)).SelectMany(cell =>
        {
            var times = new List<DateTimeOffset>();
            foreach (Cells.EntryData entry in dataset.State.EntriesOf(cell))
                times.Add(new Causality.HybridTimestamp(entry.Clock).Wall);
            return times;
        }).Max();

    /// <summary>A clock that was set wrong.</summary>
    private sealed class Shifted : TimeProvider
    {
        public TimeSpan By { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + By;
    }
}
