using System.Net;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hubs;
using SyncEngine.Identities;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Each defect of the sync clients and service that apps come from, and what happens here instead.</summary>
public sealed class OldDefectsTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task An_empty_string_is_a_value_and_no_remove()
    {
        await using DevicePair pair = await DevicePair.StartAsync();
        Dataset one = pair.One.Identity.Dataset("save"), two = pair.Two.Identity.Dataset("save");
        one["note"] = "hello";
        one["gone"] = "soon";
        await pair.ExchangeAsync();
        one["note"] = "";
        one.Delete("gone");
        await pair.ExchangeAsync();
        Assert.True(two.Contains("note"));
        Assert.False(two["note"].IsMissing);
        Assert.Equal("", two["note"].AsString());
        Assert.True(two["gone"].IsMissing);
        Assert.Equal(1, two.GetStatistics().Records);
    }

    [Fact]
    public async Task A_declined_or_failed_first_sync_locks_nothing_and_what_was_queued_runs()
    {
        await using DevicePair pair = await DevicePair.StartAsync();
        Dataset one = pair.One.Identity.Dataset("save"), two = pair.Two.Identity.Dataset("save");
        one["first"] = 1;
        var nobody = new TcpConnector("127.0.0.1", 1);
        await Assert.ThrowsAsync<SyncException>(async () => await pair.One.SynchronizeAsync(nobody));
        await Assert.ThrowsAsync<SyncException>(
            async () => await pair.One.SynchronizeAsync(pair.DeviceOne.Connector("no credential")));
        using (var given = new CancellationTokenSource())
        {
            given.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.One.SynchronizeAsync(
                pair.DeviceOne.Connector(), cancellationToken: given.Token));
        }

        // Several at once, with writes in between: each of them runs, and says the truth.
        var rounds = new List<Task<SyncResult>>();
        for (int i = 0; i < 5; i++)
        {
            one["queued"] = i;
            rounds.Add(pair.One.SynchronizeAsync(pair.DeviceOne.Connector()).AsTask());
        }

        Assert.All(await Task.WhenAll(rounds).WaitAsync(_patience), static round => Assert.True(round.IsComplete));
        await pair.Two.SynchronizeAsync(pair.DeviceTwo.Connector());
        Assert.Equal([1, 4], [two["first"].AsInteger(), two["queued"].AsInteger()]);
    }

    [Fact]
    public async Task A_refused_write_is_told_and_blocks_nothing_that_comes_after_it()
    {
        await using DevicePair pair = await DevicePair.StartAsync(""","limits":{"recordsMax":3}""");
        Dataset one = pair.One.Identity.Dataset("save"), two = pair.Two.Identity.Dataset("save");
        for (int round = 0; round < 6; round++)
        {
            // Both write the same record without knowing of each other, round after round.
            (one["level"], two["level"]) = (round, round + 100);
            one["surplus" + round] = round;
            await pair.ExchangeAsync();
            Assert.Equal(one["level"], two["level"]);
            Assert.Equal(one.Digest, two.Digest);
        }

        Assert.Equal(4, one.Refused.Count);
        Assert.All(one.Refused, static write => Assert.Equal(SyncErrorCode.LimitExceeded, write.Code));
        one["level"] = "after all that";
        await pair.ExchangeAsync();
        Assert.Equal("after all that", two["level"]);
    }

    [Fact]
    public async Task Success_means_that_the_newest_data_is_there()
    {
        await using DevicePair pair = await DevicePair.StartAsync();
        Dataset one = pair.One.Identity.Dataset("save"), two = pair.Two.Identity.Dataset("save");
        for (int i = 1; i <= 30; i++)
        {
            one["n"] = i;
            Assert.True((await pair.One.SynchronizeAsync(pair.DeviceOne.Connector())).IsComplete);
            Assert.True((await pair.Two.SynchronizeAsync(pair.DeviceTwo.Connector())).IsComplete);
            Assert.Equal(i, two["n"]);
            two["n"] = -i;
            Assert.True((await pair.Two.SynchronizeAsync(pair.DeviceTwo.Connector())).IsComplete);
            Assert.True((await pair.One.SynchronizeAsync(pair.DeviceOne.Connector())).IsComplete);
            Assert.Equal(-i, one["n"]);
        }
    }

    [Fact]
    public async Task A_money_counter_of_100_and_10_here_and_20_there_is_130()
    {
        await using DevicePair pair = await DevicePair.StartAsync();
        CounterRecord one = pair.One.Identity.Dataset("save").Counter("money");
        CounterRecord two = pair.Two.Identity.Dataset("save").Counter("money");
        one.Add(100);
        await pair.ExchangeAsync();
        one.Add(10);
        two.Add(20);
        await pair.ExchangeAsync();
        await pair.ExchangeAsync();
        Assert.Equal([130, 130], [one.Value, two.Value]);
    }

    [Fact]
    public async Task The_size_of_a_dataset_is_told_after_a_record_was_deleted()
    {
        await using DevicePair pair = await DevicePair.StartAsync();
        Dataset one = pair.One.Identity.Dataset("save"), two = pair.Two.Identity.Dataset("save");
        one["keep"] = "1234";
        long before = one.GetStatistics().LiveBytes;
        one["gone"] = "567890";
        await pair.ExchangeAsync();
        long full = two.GetStatistics().LiveBytes;
        one.Delete("gone");
        await pair.ExchangeAsync();
        foreach (Dataset dataset in new[] { one, two })
        {
            DatasetStatistics left = dataset.GetStatistics();
            Assert.Equal((1, 1, before), (left.Records, left.Tombstones, left.LiveBytes));
            Assert.True(left.LiveBytes < full);
        }
    }

    [Fact]
    public async Task Guest_data_neither_vanishes_nor_doubles_and_merged_datasets_do_not_pile_up()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore home = SyncStore.OpenInMemory();
        await using HubClient at = HubClient.Connect(home, Options(hub));
        home.Identity.Dataset("save").Counter("coins").Add(100);
        await at.CommitLoginAsync(await at.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")));
        for (int device = 1; device <= 4; device++)
        {
            await using SyncStore store = SyncStore.OpenInMemory();
            store.Identity.Dataset("save").Counter("coins").Add(device);
            store.Identity.Dataset("save")["device" + device] = "played";
            await using HubClient client = HubClient.Connect(store, Options(hub));
            await store.WaitForFirstSyncAsync().AsTask().WaitAsync(_patience);

            // Twice: an app that asks again must not count again.
            for (int again = 0; again < 2; again++)
            {
                await client.CommitLoginAsync(
                    await client.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")));
            }

            Assert.Equal(home.Identity.Id, store.Identity.Id);
        }

        using RawDevice fresh = await DevicePair.SignInAsync(hub, backend, "ann");
        await using SyncStore seen = await fresh.OpenStoreAsync();
        await seen.SynchronizeAsync(fresh.Connector());
        Dataset save = seen.Identity.Dataset("save");
        Assert.Equal(100 + 1 + 2 + 3 + 4, save.Counter("coins").Value);
        Assert.All(Enumerable.Range(1, 4), device => Assert.Equal("played", save["device" + device]));
        Assert.Equal(["save"], seen.Identity.DatasetNames);
    }

    [Fact]
    public async Task Data_of_one_account_never_shows_under_another_on_the_same_device()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore store = SyncStore.OpenInMemory();
        await using HubClient client = HubClient.Connect(store, Options(hub));
        await client.CommitLoginAsync(
            await client.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")));
        store.Identity.Dataset("save")["secret"] = "of Ann";
        await store.SynchronizeAsync(await ConnectorAsync(hub, client));
        await client.LogoutAsync();
        store.Identity.Dataset("save")["guest"] = "before Bob";
        await client.CommitLoginAsync(
            await client.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "bob")));
        await store.SynchronizeAsync(await ConnectorAsync(hub, client));
        Assert.True(store.Identity.Dataset("save")["secret"].IsMissing);
        Assert.Equal("before Bob", store.Identity.Dataset("save")["guest"]);

        foreach ((string person, string own, string others) in new[] { ("ann", "secret", "guest"), ("bob", "guest", "secret") })
        {
            using RawDevice device = await DevicePair.SignInAsync(hub, backend, person);
            await using SyncStore seen = await device.OpenStoreAsync();
            await seen.SynchronizeAsync(device.Connector());
            Assert.False(seen.Identity.Dataset("save")[own].IsMissing);
            Assert.True(seen.Identity.Dataset("save")[others].IsMissing);
        }
    }

    [Fact]
    public async Task A_number_in_place_of_a_string_harms_nothing_but_that_reading()
    {
        await using DevicePair pair = await DevicePair.StartAsync();
        Dataset one = pair.One.Identity.Dataset("save"), two = pair.Two.Identity.Dataset("save");
        (one["name"], one["other"]) = ("Ann", "there");
        await pair.ExchangeAsync();
        one["name"] = 42;
        await pair.ExchangeAsync();
        Assert.Equal(42, two["name"]);
        Assert.Throws<InvalidOperationException>(() => two["name"].AsString());
        Assert.False(two["name"].TryAs(out string? _));
        Assert.Equal("there", two["other"]);
        two["name"] = "Ann again";
        await pair.ExchangeAsync();
        Assert.Equal("Ann again", one["name"]);
        Assert.Equal(one.Digest, two.Digest);
    }

    [Fact]
    public async Task A_push_never_wakes_the_device_that_wrote()
    {
        var sender = new ListedPushes();
        using var backend = new DeveloperBackend();
        HubApp hub = await HubApp.StartAsync(services => services.AddSingleton<IPushSender>(sender));
        await hub.CreatePoolAsync(backend.Pool("game"));
        using RawDevice writer = await DevicePair.SignInAsync(hub, backend, "ann");
        using RawDevice reader = await DevicePair.SignInAsync(hub, backend, "ann");
        foreach (RawDevice device in new[] { writer, reader })
        {
            using var body = new StringContent(
                $$"""{"platform":"listed","token":"{{device.DeviceId}}"}""", System.Text.Encoding.UTF8, "application/json");
            using var request = new HttpRequestMessage(HttpMethod.Put, "/sync/identity/push") { Content = body };
            request.Headers.Authorization = new("Bearer", device.AccessToken);
            using HttpResponseMessage answer = await hub.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        }

        await using SyncStore store = await writer.OpenStoreAsync();
        store.Identity.Dataset("save")["level"] = 1;
        await store.SynchronizeAsync(writer.Connector());

        // A device with a session would not be woken anyway; and what stops sends what it gathered, so that all are there.
        var sessions = (OpenSessions)hub.Services.GetService(typeof(OpenSessions))!; // AddSyncHub registers it.
        using var patience = new CancellationTokenSource(_patience);
        while (sessions.IsOpen("game", IdentityId.Parse(writer.IdentityId), writer.DeviceId))
            await Task.Delay(5, patience.Token);
        await hub.DisposeAsync();
        Assert.Equal([reader.DeviceId], sender.Tokens);
    }

    [Fact]
    public async Task A_remote_delete_needs_no_handler_and_a_handler_that_throws_stops_no_sync()
    {
        await using DevicePair pair = await DevicePair.StartAsync();
        Dataset one = pair.One.Identity.Dataset("save"), two = pair.Two.Identity.Dataset("save");
        (one["a"], one["b"], one["c"]) = (1, 2, 3);
        one.Map("settings")["volume"] = 1;
        await pair.ExchangeAsync();
        one.Delete("a");
        one.Delete("settings", RecordKind.Map);
        await pair.ExchangeAsync();
        Assert.True(two["a"].IsMissing);
        Assert.Equal(0, two.Map("settings").Count);

        var thrown = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using IDisposable handler = two.Changes.Subscribe(new Thrower(thrown));
        one.Delete("b");
        await pair.ExchangeAsync();
        await thrown.Task.WaitAsync(_patience);
        one["c"] = 4;
        await pair.ExchangeAsync();
        Assert.True(two["b"].IsMissing);
        Assert.Equal(4, two["c"]);
    }

    [Theory]
    [InlineData(300, 0)]
    [InlineData(0, 300)]
    [InlineData(-3650, 300)]
    [InlineData(300, -3650)]
    public async Task Who_saw_a_value_and_writes_wins_whatever_the_clocks_say(int daysOne, int daysTwo)
    {
        await using DevicePair pair = await DevicePair.StartAsync(clockOne: new Shifted(daysOne), clockTwo: new Shifted(daysTwo));
        Dataset one = pair.One.Identity.Dataset("save"), two = pair.Two.Identity.Dataset("save");
        for (int round = 0; round < 3; round++)
        {
            one["level"] = "one " + round;
            await pair.ExchangeAsync();
            Assert.Equal("one " + round, two["level"]);
            two["level"] = "two " + round;
            await pair.ExchangeAsync();
            await pair.ExchangeAsync();
            Assert.Equal("two " + round, one["level"]);
            Assert.Empty(one.Conflicts);
        }

        // Neither saw the other's: the clocks choose what is shown, and nothing is lost.
        (one["level"], two["level"]) = ("one", "two");
        await pair.ExchangeAsync();
        await pair.ExchangeAsync();
        Conflict conflict = Assert.Single(one.Conflicts);
        Assert.Equal(one["level"], two["level"]);
        Assert.Equal(["one", "two"],
            conflict.Losers.Append(conflict.Winner).Select(static write => write.Value.AsString()).Order());
    }

    private static HubClientOptions Options(HubApp hub) => new(new Uri(hub.Address, "/sync"), "game") { DeviceName = "test" };

    private static async Task<WebSocketConnector> ConnectorAsync(HubApp hub, HubClient client)
    {
        string token = await client.GetAccessTokenAsync();
        return new WebSocketConnector(new Uri($"ws://{hub.Address.Authority}/sync/ws"),
            options => options.SetRequestHeader("Authorization", "Bearer " + token));
    }

    /// <summary>A clock that stands so many days ahead.</summary>
    private sealed class Shifted(int days) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddDays(days);
    }

    private sealed class Thrower(TaskCompletionSource<bool> thrown) : IObserver<ChangeSet>
    {
        public void OnNext(ChangeSet value)
        {
            thrown.TrySetResult(true);
            throw new InvalidOperationException("A handler with a fault.");
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}
