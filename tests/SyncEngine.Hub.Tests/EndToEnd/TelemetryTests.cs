using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using SyncEngine.Hubs;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>What an operator's monitoring sees of a person's way through the hub.</summary>
public sealed class TelemetryTests
{
    private const string Pool = "watched-by-telemetry-tests";

    [Fact]
    public async Task Entries_logins_merges_and_sessions_are_counted_and_traced_by_pool()
    {
        var counted = new ConcurrentDictionary<string, long>();
        var traced = new ConcurrentBag<string>();
        using var meters = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == HubTelemetry.Name) listener.EnableMeasurementEvents(instrument);
            },
        };
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument.Name, value, tags));
        meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Count(instrument.Name, value, tags));
        meters.Start();
        using var activities = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == HubTelemetry.Name,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (Equals(activity.GetTagItem("pool"), Pool)) traced.Add(activity.OperationName + "/" + activity.Status);
            },
        };
        ActivitySource.AddActivityListener(activities);

        using var backend = new DeveloperBackend();
        await using (HubApp hub = await HubApp.StartAsync())
        {
            await hub.CreatePoolAsync(backend.Pool(Pool));
            await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
            HubClientOptions options = new(new Uri(hub.Address, "/sync"), Pool);
            await using HubClient one = HubClient.Connect(phone, options), two = HubClient.Connect(laptop, options);
            foreach (SyncStore store in new[] { phone, laptop }) store.Identity.Dataset("save")["level"] = 1;
            await phone.WaitForFirstSyncAsync();
            await laptop.WaitForFirstSyncAsync();
            Assert.True(phone.Identity.IsPaired && laptop.Identity.IsPaired);
            await one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, Pool, "ann"));
            await two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, Pool, "ann"));
            await Assert.ThrowsAsync<Causality.SyncException>(() => one.PlanLoginAsync(DeveloperBackend.Provider, "no token"));
        }

        Assert.Equal(2, counted["syncengine.hub.entries kind=guest"]);
        Assert.Equal(2, counted["syncengine.hub.entries kind=commit"]);
        Assert.Equal(2, counted["syncengine.hub.logins outcome=Accepted provider=backend"]);
        Assert.Equal(1, counted["syncengine.hub.logins outcome=Malformed provider=backend"]);
        Assert.Equal(1, counted["syncengine.hub.merges mode=Union"]);
        Assert.InRange(counted["syncengine.hub.frames.taken"], 1, 10);
        Assert.Equal(0, counted["syncengine.hub.sessions"]);
        Assert.Equal(2, traced.Count(static name => name == "syncengine.hub.login/Unset"));
        Assert.Equal(1, traced.Count(static name => name == "syncengine.hub.login/Error"));
        Assert.Equal(1, traced.Count(static name => name == "syncengine.hub.merge/Unset"));
        Assert.Contains("syncengine.hub.session/Unset", traced);

        void Count(string name, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            Dictionary<string, object?> told = new(tags.ToArray());
            if (!told.Remove("pool", out object? pool) || !Equals(pool, Pool)) return;
            string key = string.Join(" ", told.OrderBy(static tag => tag.Key).Select(static tag => $"{tag.Key}={tag.Value}")
                .Prepend(name));
            counted.AddOrUpdate(key, value, (_, known) => known + value);
        }
    }

    [Fact]
    public async Task Claims_that_fit_into_no_credential_are_refused_with_what_to_do()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();

        // In JSON each of these characters takes six bytes.
        (HttpStatusCode status, JsonElement body) = await PlanAsync(new string('ä', 900));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("carry fewer", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        (status, _) = await PlanAsync(new string('ä', 500));
        Assert.Equal(HttpStatusCode.OK, status);

        Task<(HttpStatusCode, JsonElement)> PlanAsync(string tenant) => hub.PostAsync("/sync/pools/game/logins/plan", new
        {
            provider = DeveloperBackend.Provider, token = backend.Vouch(hub, "game", "ann", tenant: tenant),
        }, device.AccessToken);
    }
}
