using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Cells;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Tests.Push;
using Xunit;
using static SyncEngine.Hub.Tests.Cognito.Sync.SyncApi;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

/// <summary>What the Sync API tells the outside world, and asks it.</summary>
public sealed class OutsideTests
{
    private const string Secret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private const string Function = "arn:aws:lambda:us-east-1:123456789012:function:check";
    private const string PushSetup = """
        {"PushSync":{"ApplicationArns":["arn:aws:sns:us-east-1:123456789012:app/GCM/game"],
         "RoleArn":"arn:aws:iam::123456789012:role/push"}}
        """;

    [Fact]
    public async Task A_subscribed_device_is_told_of_others_changes_and_never_of_its_own()
    {
        var sender = new RecordingSender();
        await using SyncApi api = await StartAsync(configure: services => services.AddSingleton<IPushSender>(sender));
        await RefusedAsync("InvalidConfigurationException", () => RegisterAsync(api, "GCM", "token-1"));
        JsonElement set = await api.CallAsync("SetIdentityPoolConfiguration", PushSetup, caller: Developer);
        Assert.Equal("arn:aws:sns:us-east-1:123456789012:app/GCM/game",
            set.GetProperty("PushSync").GetProperty("ApplicationArns")[0].GetString());
        await RefusedAsync("InvalidConfigurationException", () => RegisterAsync(api, "APNS", "token-1"));
        await RefusedAsync("InvalidParameterException", () => RegisterAsync(api, "PIGEON", "token-1"));
        await RefusedAsync("InvalidParameterException", () => RegisterAsync(api, "GCM", "no token"));
        string first = await RegisterAsync(api, "GCM", "token-1"), second = await RegisterAsync(api, "GCM", "token-2");
        Assert.Equal(first, await RegisterAsync(api, "GCM", "token-1"));
        Assert.NotEqual(first, second);
        await api.CallAsync("SubscribeToDataset", device: first);
        await api.CallAsync("SubscribeToDataset", device: second);
        await RefusedAsync("ResourceNotFoundException", () => api.CallAsync(
            "SubscribeToDataset", device: "us-east-1:00000000-0000-0000-0000-000000000001"));

        await api.UpdateAsync(Put("a", "1"), device: second);
        PushMessage push = await sender.NextAsync();
        Assert.Equal("token-1", push.Token);
        Assert.Equal(
            [
                KeyValuePair.Create("datasetName", "save"), KeyValuePair.Create("identityId", api.WireOf(api.Ann)),
                KeyValuePair.Create("identityPoolId", api.Pool.Id), KeyValuePair.Create("source", "cognito-sync"),
                KeyValuePair.Create("syncCount", "1"),
            ], push.Data!.OrderBy(static pair => pair.Key, StringComparer.Ordinal));

        // The second was told of nothing meanwhile: the next push, of a native change, is its first.
        await api.CallAsync("UnsubscribeFromDataset", device: first);
        await api.NativeAsync(static device => device["b"] = "2");
        push = await sender.NextAsync();
        Assert.Equal("token-2", push.Token);
        Assert.Equal("2", push.Data!["syncCount"]);
    }

    [Fact]
    public async Task Devices_are_as_many_as_the_pool_allows_and_those_told_of_nothing_make_room()
    {
        await using SyncApi api = await StartAsync("""{"name":"game","allowsGuests":true,"limits":{"devicesMax":2}}""",
            services => services.AddSingleton<IPushSender>(new RecordingSender()));
        await api.CallAsync("SetIdentityPoolConfiguration", PushSetup, caller: Developer);
        string first = await RegisterAsync(api, "GCM", "token-1");
        await api.CallAsync("SubscribeToDataset", device: first);
        string second = await RegisterAsync(api, "GCM", "token-2"), third = await RegisterAsync(api, "GCM", "token-3");
        await RefusedAsync("ResourceNotFoundException", () => api.CallAsync("SubscribeToDataset", device: second));
        await api.CallAsync("SubscribeToDataset", device: third);
        await RefusedAsync("LimitExceededException", () => RegisterAsync(api, "GCM", "token-4"));
        Assert.Equal(first, await RegisterAsync(api, "GCM", "token-1"));
        await api.CallAsync("UnsubscribeFromDataset", device: third);
        await RegisterAsync(api, "GCM", "token-4");
    }

    [Fact]
    public async Task Changes_go_to_the_stream_and_everything_by_a_bulk_publish_once_a_day()
    {
        await using LoopbackServer stream = await LoopbackServer.AnsweringAsync(500, 200);
        await using SyncApi api = await StartAsync(options: options => options.Cognito.Streams["events"] =
            new CognitoReceiver { Url = stream.Address, Secret = Secret });
        await api.UpdateAsync(Put("old", "1"), "before");
        await RefusedAsync("InvalidParameterException", () => api.CallAsync("BulkPublish", caller: Developer));
        await RefusedAsync("InvalidParameterException", () => SetStreamAsync(api, "unknown"));
        Assert.Equal("NOT_STARTED", await BulkStatusAsync(api));
        await SetStreamAsync(api, "events");

        await api.UpdateAsync(Put("a", "1"));
        JsonElement failed = await NextAsync(stream), taken = await NextAsync(stream);
        Assert.Equal(failed.GetRawText(), taken.GetRawText());
        Assert.Equal("save", taken.GetProperty("dataSetName").GetString());
        Assert.Equal(api.Pool.Id, taken.GetProperty("identityPoolId").GetString());
        Assert.Equal(api.WireOf(api.Ann), taken.GetProperty("identityId").GetString());
        Assert.Equal("replace", taken.GetProperty("operation").GetString());
        Assert.Equal("Inline", taken.GetProperty("payloadType").GetString());
        Assert.Equal(JsonValueKind.Null, taken.GetProperty("kinesisSyncRecordsURL").ValueKind);
        Assert.Equal(1, taken.GetProperty("syncCount").GetInt64());
        JsonElement record = taken.GetProperty("kinesisSyncRecords")[0];
        Assert.Equal("a 1 1 replace", $"{record.GetProperty("key").GetString()} {record.GetProperty("value").GetString()} "
            + $"{record.GetProperty("syncCount").GetInt64()} {record.GetProperty("op").GetString()}");

        await api.NativeAsync(static device => device["b"] = "2");
        JsonElement native = await NextAsync(stream);
        Assert.Equal("b", native.GetProperty("kinesisSyncRecords").EnumerateArray().Single().GetProperty("key").GetString());

        JsonElement begun = await api.CallAsync("BulkPublish", caller: Developer);
        Assert.Equal(api.Pool.Id, begun.GetProperty("IdentityPoolId").GetString());
        JsonElement[] published = [await NextAsync(stream), await NextAsync(stream)];
        Assert.Equal(["before:old", "save:a,b"], published.Select(static payload => payload.GetProperty("dataSetName").GetString()
            + ":" + string.Join(',', payload.GetProperty("kinesisSyncRecords").EnumerateArray()
                .Select(static known => known.GetProperty("key").GetString()))).Order());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await BulkStatusAsync(api) == "IN_PROGRESS") await Task.Delay(20, patience.Token);
        Assert.Equal("SUCCEEDED", await BulkStatusAsync(api));
        await RefusedAsync("AlreadyStreamedException", () => api.CallAsync("BulkPublish", caller: Developer));
        await api.SetUpAsync(static setup => setup with { BulkEndedAt = null });
        await RefusedAsync("DuplicateRequestException", () => api.CallAsync("BulkPublish", caller: Developer));
        await api.SetUpAsync(static setup => setup with { BulkEndedAt = 1, BulkFailure = "no answer" });
        Assert.Equal("FAILED", await BulkStatusAsync(api));
    }

    [Fact]
    public async Task A_bulk_publish_ends_though_its_stream_is_disabled_and_the_hub_started_again()
    {
        // The first call is never answered.
        await using LoopbackServer stream = await LoopbackServer.StartAsync(static (context, number) =>
            number == 1 ? Task.Delay(Timeout.Infinite, context.RequestAborted) : Task.CompletedTask);
        string folder = Directory.CreateTempSubdirectory("syncengine-hub-test").FullName;
        try
        {
            void Options(SyncHubOptions options) => options.Cognito.Streams["events"] =
                new CognitoReceiver { Url = stream.Address, Secret = Secret };
            await using (SyncApi api = await StartAsync("""{"name":"game","allowsGuests":true}""", options: Options,
                folder: folder))
            {
                await api.UpdateAsync(Put("a", "1"));
                await SetStreamAsync(api, "events");
                await api.CallAsync("BulkPublish", caller: Developer);
                await NextAsync(stream);
                await SetStreamAsync(api, "events", "DISABLED");
                Assert.Equal("IN_PROGRESS", await BulkStatusAsync(api));
            }

            await using (SyncApi api = await StartAsync(options: Options, folder: folder))
            {
                JsonElement published = await NextAsync(stream);
                Assert.Equal("a", published.GetProperty("kinesisSyncRecords")[0].GetProperty("key").GetString());
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
                while (await BulkStatusAsync(api) == "IN_PROGRESS") await Task.Delay(20, patience.Token);
                Assert.Equal("SUCCEEDED", await BulkStatusAsync(api));

                // Disabled, it streams nothing: the next payload is the one after it was enabled again.
                await api.UpdateAsync(Put("a", "2"));
                await SetStreamAsync(api, "events");
                await api.UpdateAsync(Put("b", "1"), "other");
                Assert.Equal("other", (await NextAsync(stream)).GetProperty("dataSetName").GetString());
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_call_that_names_no_event_changes_none_and_an_empty_text_takes_it_away()
    {
        await using SyncApi api = await StartAsync(options: static options => options.Cognito.Functions["check"] =
            new CognitoReceiver { Url = new Uri("http://127.0.0.1:9/"), Secret = Secret });
        await SetEventAsync(api, Function);
        await api.CallAsync("SetCognitoEvents", """{"Events":{}}""", caller: Developer);
        Assert.Equal(Function, (await api.CallAsync("GetCognitoEvents", caller: Developer)).GetProperty("Events")
            .GetProperty("SyncTrigger").GetString());
        await SetEventAsync(api, "");
        Assert.Empty((await api.CallAsync("GetCognitoEvents", caller: Developer)).GetProperty("Events").EnumerateObject());
    }

    [Fact]
    public async Task The_function_rewrites_adds_and_leaves_out_records_or_refuses_them_all()
    {
        await using LoopbackServer function = await LoopbackServer.StartAsync(async (context, number) =>
        {
            context.Response.StatusCode = number switch { 2 => 400, 3 => 500, _ => 200 };
            if (number == 4) await context.Response.WriteAsync("{}");
            if (number > 1) return;
            await context.Response.WriteAsync("""
                {"version":2,"datasetRecords":{"a":{"oldValue":"1","newValue":"checked","op":"replace"},
                 "bonus":{"newValue":"yes","op":"replace"},"gone":{"op":"remove"}}}
                """);
        });
        await using SyncApi api = await StartAsync(options: options => options.Cognito.Functions["check"] =
            new CognitoReceiver { Url = function.Address, Secret = Secret });
        await api.UpdateAsync(Put("a", "1") + "," + Put("gone", "1"));
        await RefusedAsync("InvalidParameterException", () => SetEventAsync(api, Function + "s"));
        await RefusedAsync("InvalidParameterException", () => SetEventAsync(api, "check"));
        await SetEventAsync(api, Function);
        JsonElement events = await api.CallAsync("GetCognitoEvents", caller: Developer);
        Assert.Equal(Function, events.GetProperty("Events").GetProperty("SyncTrigger").GetString());

        JsonElement answer = await api.UpdateAsync(Put("a", "2", 1) + "," + Put("left", "1"));
        Assert.Equal("a=checked@2 bonus=yes@2 gone=-@2 left=-@0", string.Join(' ', Short(answer).Split(' ').Order()));
        JsonObject asked = JsonNode.Parse((await function.NextAsync()).Body)!.AsObject();
        Assert.Equal("SyncTrigger 2 save", $"{asked["eventType"]} {asked["version"]} {asked["datasetName"]}");
        Assert.Equal(api.WireOf(api.Ann), (string?)asked["identityId"]);
        Assert.Equal("""{"oldValue":"1","newValue":"2","op":"replace"}""", asked["datasetRecords"]!["a"]!.ToJsonString());
        Assert.Equal("""{"oldValue":null,"newValue":"1","op":"replace"}""", asked["datasetRecords"]!["left"]!.ToJsonString());

        await RefusedAsync("NotAuthorizedException", () => api.UpdateAsync(Put("a", "3", 2)));
        await RefusedAsync("LambdaThrottledException", () => api.UpdateAsync(Put("a", "3", 2)));
        await RefusedAsync("InvalidLambdaFunctionOutputException", () => api.UpdateAsync(Put("a", "3", 2)));

        // Stale, it is not even asked.
        await RefusedAsync("ResourceConflictException", () => api.UpdateAsync(Put("a", "3", 1)));
        Assert.Equal(4, function.Count);
        await api.CallAsync("SetCognitoEvents", """{"Events":{"SyncTrigger":""}}""", caller: Developer);
        Assert.Equal("a=3@3", Short(await api.UpdateAsync(Put("a", "3", 2))));
        Assert.Equal("", string.Join(' ', (await api.CallAsync("GetCognitoEvents", caller: Developer)).GetProperty("Events")
            .EnumerateObject().Select(static member => member.Name)));
        await RefusedAsync("InvalidParameterException", () => api.CallAsync(
            "SetCognitoEvents", """{"Events":{"Other":"x"}}""", caller: Developer));
    }

    [Fact]
    public async Task The_hub_s_own_hooks_see_legacy_writes_and_what_they_add_is_answered()
    {
        await using SyncApi api = await StartAsync(configure: services => services.AddSingleton<IChangeHook>(new Hook()));
        Assert.Equal("a=1@1 added=by the hook@1", Short(await api.UpdateAsync(Put("a", "1"))));
        await RefusedAsync("NotAuthorizedException", () => api.UpdateAsync(Put("a", "forbidden", 1)));

        // A call is taken as a whole or not at all, also where a hook minds one record of it.
        await RefusedAsync("NotAuthorizedException", () => api.UpdateAsync(Put("a", "2", 1) + "," + Put("b", "unwanted")));
        Assert.Equal("a=1@1 added=by the hook@1", Short(await api.ListAsync()));
    }

    [Theory]
    [InlineData("""{"PushSync":{"ApplicationArns":["mine"]}}""", "InvalidParameterException")]
    [InlineData("""{"PushSync":{"ApplicationArns":[5]}}""", "SerializationException")]
    [InlineData("""{"PushSync":{"RoleArn":"admin"}}""", "InvalidParameterException")]
    [InlineData("""{"CognitoStreams":{"StreamName":"s","StreamingStatus":"MAYBE"}}""", "InvalidParameterException")]
    [InlineData("""{"CognitoStreams":{"StreamingStatus":"DISABLED"}}""", "InvalidParameterException")]
    [InlineData("""{"CognitoStreams":[]}""", "SerializationException")]
    public async Task A_malformed_configuration_is_refused_and_nothing_changes(string body, string type)
    {
        await using SyncApi api = await StartAsync();
        await RefusedAsync(type, () => api.CallAsync("SetIdentityPoolConfiguration", body, caller: Developer));
        JsonElement known = await api.CallAsync("GetIdentityPoolConfiguration", caller: Developer);
        Assert.Equal(["IdentityPoolId"], known.EnumerateObject().Select(static member => member.Name));
    }

    private static async Task<string> RegisterAsync(SyncApi api, string platform, string token) =>
        (await api.CallAsync("RegisterDevice", $$"""{"Platform":"{{platform}}","Token":"{{token}}"}"""))
            .GetProperty("DeviceId").GetString()!;

    private static Task<JsonElement> SetStreamAsync(SyncApi api, string name, string status = "ENABLED") => api.CallAsync(
        "SetIdentityPoolConfiguration", $$$"""{"CognitoStreams":{"StreamName":"{{{name}}}","StreamingStatus":"{{{status}}}"}}""",
        caller: Developer);

    private static Task<JsonElement> SetEventAsync(SyncApi api, string arn) => api.CallAsync("SetCognitoEvents",
        $$$"""{"Events":{"SyncTrigger":"{{{arn}}}"}}""", caller: Developer);

    private static async Task<string?> BulkStatusAsync(SyncApi api) =>
        (await api.CallAsync("GetBulkPublishDetails", caller: Developer)).GetProperty("BulkPublishStatus").GetString();

    private static async Task<JsonElement> NextAsync(LoopbackServer server) =>
        JsonDocument.Parse(Encoding.UTF8.GetString((await server.NextAsync()).Body)).RootElement;

    private sealed class Hook : IChangeHook
    {
        public ValueTask<HookDecision> OnChangesAsync(ProposedChanges changes, CancellationToken cancellationToken) =>
            ValueTask.FromResult(changes.Changes.Any(static change => change.NewValue == "forbidden")
                ? HookDecision.Refuse("It is forbidden.")
                : changes.Changes.FirstOrDefault(static change => change.NewValue == "unwanted") is { } unwanted
                ? HookDecision.Refuse("It is unwanted.", unwanted.Record)
                : HookDecision.AcceptWith(new RecordAddition("added", RecordKind.Register, "by the hook")));
    }

    private sealed class RecordingSender : IPushSender
    {
        private readonly Channel<PushMessage> _sent = Channel.CreateUnbounded<PushMessage>();

        public string Platform => "fcm";

        public async ValueTask<PushResult> SendAsync(PushMessage message, CancellationToken cancellationToken)
        {
            await _sent.Writer.WriteAsync(message, cancellationToken);
            return PushResult.Sent;
        }

        public async Task<PushMessage> NextAsync() =>
            await _sent.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
    }
}
