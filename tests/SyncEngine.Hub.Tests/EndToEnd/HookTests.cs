using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tests.Push;
using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>What devices send over sessions is decided on by hooks in the process and by webhooks.</summary>
public sealed class HookTests
{
    private static readonly RecordName _bad = new("bad", RecordKind.Register);

    [Fact]
    public async Task A_hook_sees_what_would_change_and_refuses_all_of_it()
    {
        var seen = new List<ProposedChanges>();
        await using HubApp hub = await StartAsync(changes =>
        {
            seen.Add(changes);
            return changes.Changes.Any(static change => change.Record == _bad) ? HookDecision.Refuse("no bad ones")
                : HookDecision.Accept;
        });
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        Dataset save = store.Identity.Dataset("save");
        save["level"] = 1;
        await store.SynchronizeAsync(device.Connector());
        save.Write(static save => (save["level"], save["bad"]) = (2, 1));
        SyncResult result = await store.SynchronizeAsync(device.Connector());
        Assert.Contains("no bad ones", result.Refusals["save"].Message, StringComparison.Ordinal);
        Assert.Equal(["bad", "level"], save.Refused.Select(static write => write.Key).Order());
        Assert.Equal((Value)1, save["level"]);
        Assert.Equal("level=1", await HubHasAsync(hub, device));
        Assert.Equal((device.DeviceId, "save", "game", device.IdentityId), (seen[0].DeviceId, seen[0].Dataset, seen[0].Pool,
            seen[0].IdentityId.ToString()));
        Assert.Equal([new ProposedChange(_bad, ChangeType.Added, default, 1), new ProposedChange(
            new RecordName("level", RecordKind.Register), ChangeType.Updated, 1, 2)], seen[1].Changes);
    }

    [Fact]
    public async Task Only_the_records_that_a_hook_names_are_refused_however_they_came_together()
    {
        RecordName[] refused = [_bad, new("who", RecordKind.Map), new("bag", RecordKind.Set), new("todo", RecordKind.List),
            new("gold", RecordKind.Counter), new("kept", RecordKind.Register)];
        bool isStrict = false;
        await using HubApp hub = await StartAsync(changes =>
        {
            RecordName[] named = [.. changes.Changes.Select(static change => change.Record).Intersect(refused)];
            return isStrict && named.Length > 0 ? HookDecision.Refuse("not these", named) : HookDecision.Accept;
        });
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        Dataset save = store.Identity.Dataset("save");
        save.Write(static save =>
        {
            save["kept"] = 1;
            save.Map("who")["name"] = "Ann";
            save.List("todo").Add("first");
        });
        await store.SynchronizeAsync(device.Connector());
        isStrict = true;
        save.Write(static save =>
        {
            save["bad"] = 1;
            save.Map("who")["name"] = "Bob";
            save.Map("who")["age"] = 7;
            save.Set("bag").Add("sword");
            save.List("todo").Add("second");
            save.Counter("gold").Add(5);
            save.Delete("kept");
            save["alongside"] = 1;
            save.Counter("bad").Add(3);
            save.Map("other")["x"] = 1;
        });
        SyncResult result = await store.SynchronizeAsync(device.Connector());
        Assert.Contains("not these", result.Refusals["save"].Message, StringComparison.Ordinal);
        const string expected = """alongside=1 bad=3 kept=1 other={"x":1} todo=["first"] who={"name":"Ann"}""";
        Assert.Equal(expected, await HubHasAsync(hub, device));
        Assert.Equal(expected, TextOf(save));
        Assert.Equal(["bad", "bag", "gold", "kept", "todo", "who", "who"],
            save.Refused.Select(static write => write.Key).Order());
        await store.SynchronizeAsync(device.Connector());
        Assert.Equal(expected, TextOf(save));
    }

    [Fact]
    public async Task What_a_hook_adds_is_the_hubs_own_change_and_reaches_the_device_that_wrote()
    {
        await using HubApp hub = await StartAsync(static changes => HookDecision.AcceptWith(
            new RecordAddition("seen", RecordKind.Counter, changes.Changes.Count)));
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        Dataset save = store.Identity.Dataset("save");
        (save["a"], save["b"]) = (1, 1);
        await store.SynchronizeAsync(device.Connector());
        await store.SynchronizeAsync(device.Connector());
        Assert.Equal(2, save.Counter("seen").Value);
        Assert.Equal("a=1 b=1 seen=2", await HubHasAsync(hub, device));
        Assert.False(Assert.Single(Assert.Single(save.Explain("seen").Cells).Writes).IsOwn);
    }

    [Fact]
    public async Task What_a_failing_hook_should_have_seen_waits_on_the_device_and_goes_through_later()
    {
        bool fails = true;
        await using HubApp hub = await StartAsync(
            _ => fails ? throw new InvalidOperationException("broken") : HookDecision.Accept);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        Dataset save = store.Identity.Dataset("save");
        save["level"] = 1;
        await Assert.ThrowsAsync<Causality.SyncException>(async () => await store.SynchronizeAsync(device.Connector()));
        Assert.Equal(("", 0, (Value)1), (await HubHasAsync(hub, device), save.Refused.Count, save["level"]));
        fails = false;
        await store.SynchronizeAsync(device.Connector());
        Assert.Equal("level=1", await HubHasAsync(hub, device));
    }

    [Fact]
    public async Task A_webhook_refuses_a_record_of_a_device_by_a_signed_question()
    {
        await using LoopbackServer server = await LoopbackServer.StartAsync(static (context, _) =>
        {
            using JsonDocument asked = JsonDocument.Parse(context.Request.Body);
            bool isBad = asked.RootElement.GetProperty("data").GetProperty("changes").EnumerateArray()
                .Any(static change => change.GetProperty("key").GetString() == "bad");
            return context.Response.WriteAsync(isBad
                ? """{"decision":"refuse","reason":"no bad ones","records":[{"key":"bad","kind":"register"}]}"""
                : """{"decision":"accept","additions":[{"key":"checked","kind":"register","value":true}]}""");
        });
        await using HubApp hub = await StartAsync(null);
        using HttpResponseMessage made = await hub.Admin.PostAsJsonAsync("/admin/pools/game/webhooks",
            new { url = server.Address, @event = "proposal" });
        string secret = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("secret").GetString()!;
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        Dataset save = store.Identity.Dataset("save");
        save.Write(static save => (save["bad"], save["good"]) = (1, 1));
        await store.SynchronizeAsync(device.Connector());
        Assert.Equal("checked=true good=1", await HubHasAsync(hub, device));
        RefusedWrite refused = Assert.Single(save.Refused);
        Assert.Equal(("bad", (Value)1), (refused.Key, refused.Value));
        Assert.Contains("no bad ones", refused.Reason, StringComparison.Ordinal);
        ReceivedRequest first = await server.NextAsync();
        PushFixture.AssertSigned(first, secret, TimeProvider.System);
        JsonElement data = JsonDocument.Parse(Encoding.UTF8.GetString(first.Body)).RootElement.GetProperty("data");
        Assert.Equal((device.IdentityId, device.DeviceId), (data.GetProperty("identityId").GetString(),
            data.GetProperty("device").GetString()));
    }

    private static async Task<HubApp> StartAsync(Func<ProposedChanges, HookDecision>? decide)
    {
        HubApp hub = await HubApp.StartAsync(services =>
        {
            if (decide is not null) services.AddSingleton<IChangeHook>(new Hook(decide));
        });
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        return hub;
    }

    private static async Task<string> HubHasAsync(HubApp hub, RawDevice device)
    {
        using IdentityLease lease = await hub.Store.LeaseAsync("game", IdentityId.Parse(device.IdentityId));
        return TextOf(lease.Identity.OpenForJoin("save"));
    }

    private static string TextOf(Dataset dataset) => string.Join(' ', dataset.Records.Order().Select(record =>
        $"{record.Key}={Json.ValueJson.Format(json => Json.RecordJson.WriteValue(json, dataset, record))}"));

    private sealed class Hook(Func<ProposedChanges, HookDecision> decide) : IChangeHook
    {
        public ValueTask<HookDecision> OnChangesAsync(ProposedChanges changes, CancellationToken cancellationToken) =>
            new(decide(changes));
    }
}
