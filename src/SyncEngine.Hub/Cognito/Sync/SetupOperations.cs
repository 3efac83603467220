using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>The Sync API's operations that say how a pool tells the outside world of changes. All need a developer key.</summary>
internal sealed partial class SetupOperations(
    SyncScopes scopes, CognitoPools pools, SyncReceivers receivers, SyncStreams streams, TimeProvider time) : ICognitoOperations
{
    private const string Trigger = "SyncTrigger";
    private const int ArnLengthMax = 2048;
    private const int ApplicationsMax = 32;
    private const int StreamNameMax = 128;
    private const long DayMilliseconds = 24 * 60 * 60 * 1000;

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("GetIdentityPoolConfiguration", CognitoAccess.Developer, GetConfigurationAsync),
        new("SetIdentityPoolConfiguration", CognitoAccess.Developer, SetConfigurationAsync),
        new("GetCognitoEvents", CognitoAccess.Developer, GetEventsAsync),
        new("SetCognitoEvents", CognitoAccess.Developer, SetEventsAsync),
        new("BulkPublish", CognitoAccess.Developer, BulkPublishAsync),
        new("GetBulkPublishDetails", CognitoAccess.Developer, GetBulkPublishAsync),
    ];

    private async Task<JsonNode?> GetConfigurationAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await scopes.PoolAsync(request, cancellationToken).ConfigureAwait(false);
        return Show(pool.Id, SyncSetup.Of(pool));
    }

    private async Task<JsonNode?> SetConfigurationAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await scopes.PoolAsync(request, cancellationToken).ConfigureAwait(false);
        SyncSetup asked = new();
        JsonElement? push = request.Body.Object("PushSync");
        JsonElement? stream = request.Body.Object("CognitoStreams");
        if (push is { } pushed) asked = ReadPush(asked, pushed);
        if (stream is { } streamed) asked = ReadStream(asked, streamed);
        SyncSetup setup = await ChangeAsync(pool, known =>
        {
            if (push is not null) known = known with { ApplicationArns = asked.ApplicationArns, PushRoleArn = asked.PushRoleArn };
            if (stream is not null)
            {
                known = known with
                {
                    StreamName = asked.StreamName, StreamRoleArn = asked.StreamRoleArn, IsStreaming = asked.IsStreaming,
                };
            }

            return known;
        }, cancellationToken).ConfigureAwait(false);
        if (setup.IsStreaming) await streams.StartAsync(pool.Name, setup.StreamName!, cancellationToken).ConfigureAwait(false);
        else await streams.StopAsync(pool.Name).ConfigureAwait(false);
        return Show(pool.Id, setup);
    }

    private async Task<JsonNode?> GetEventsAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await scopes.PoolAsync(request, cancellationToken).ConfigureAwait(false);
        var events = new JsonObject();
        if (SyncSetup.Of(pool).SyncTriggerArn is { } arn) events[Trigger] = arn;
        return new JsonObject { ["Events"] = events };
    }

    private async Task<JsonNode?> SetEventsAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await scopes.PoolAsync(request, cancellationToken).ConfigureAwait(false);
        JsonElement events = request.Body.Object("Events") ?? throw CognitoMembers.Missing("Events");
        foreach (JsonProperty member in events.EnumerateObject())
            if (member.Name != Trigger) throw CognitoException.InvalidParameter($"The only event is {Trigger}.");

        // What is not named stays as it is; the empty text takes the function away.
        string? arn = events.Text(Trigger, ArnLengthMax, min: 0);
        if (arn is null) return null;
        if (arn.Length > 0) CognitoMembers.CheckText(arn, Trigger, ArnLengthMax, FunctionArn(), 1);
        if (arn.Length > 0 && receivers.FunctionOf(arn) is null)
            throw CognitoException.InvalidParameter($"The hub knows no such function: its operator names it in "
                + $"SyncHub:Cognito:Functions:{arn.Split(':')[^1]}.");
        await ChangeAsync(pool, known => known with { SyncTriggerArn = arn.Length > 0 ? arn : null },
            cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async Task<JsonNode?> BulkPublishAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await scopes.PoolAsync(request, cancellationToken).ConfigureAwait(false);
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        SyncSetup setup = await ChangeAsync(pool, known =>
        {
            if (!known.IsStreaming)
                throw CognitoException.InvalidParameter(
                    "The identity pool has no stream: enable one by SetIdentityPoolConfiguration.");
            if (known is { BulkStartedAt: not null, BulkEndedAt: null })
                throw CognitoException.DuplicateRequest("A bulk publish of this identity pool is in progress.");
            if (known is { BulkEndedAt: { } ended, BulkFailure: null } && now - ended < DayMilliseconds)
                throw CognitoException.AlreadyStreamed(
                    "A bulk publish of this identity pool succeeded within the last 24 hours.");
            return known with { BulkStartedAt = now, BulkEndedAt = null, BulkFailure = null };
        }, cancellationToken).ConfigureAwait(false);
        streams.BeginBulk(pool.Name, setup.StreamName!);
        return new JsonObject { ["IdentityPoolId"] = pool.Id };
    }

    private async Task<JsonNode?> GetBulkPublishAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await scopes.PoolAsync(request, cancellationToken).ConfigureAwait(false);
        SyncSetup setup = SyncSetup.Of(pool);
        var answer = new JsonObject { ["IdentityPoolId"] = pool.Id };
        if (setup.BulkStartedAt is { } started) answer["BulkPublishStartTime"] = SyncMembers.Seconds(started);
        if (setup.BulkEndedAt is { } ended) answer["BulkPublishCompleteTime"] = SyncMembers.Seconds(ended);
        answer["BulkPublishStatus"] = setup switch
        {
            { BulkStartedAt: null } => "NOT_STARTED",
            { BulkEndedAt: null } => "IN_PROGRESS",
            { BulkFailure: not null } => "FAILED",
            _ => "SUCCEEDED",
        };
        if (setup.BulkFailure is { } failure) answer["FailureMessage"] = failure;
        return answer;
    }

    private async Task<SyncSetup> ChangeAsync(
        CognitoPool pool, Func<SyncSetup, SyncSetup> change, CancellationToken cancellationToken)
    {
        SyncSetup setup = new();
        await pools.ChangeAsync(pool.Definition, row =>
        {
            setup = change(SyncSetup.Of(row));
            return row with { Sync = setup.Encode() };
        }, cancellationToken).ConfigureAwait(false);
        return setup;
    }

    private static SyncSetup ReadPush(SyncSetup setup, JsonElement push)
    {
        IReadOnlyList<string> arns = push.Texts("ApplicationArns", ApplicationsMax, ArnLengthMax, ApplicationArn()) ?? [];
        return setup with { ApplicationArns = arns, PushRoleArn = push.Text("RoleArn", ArnLengthMax, RoleArn()) };
    }

    private SyncSetup ReadStream(SyncSetup setup, JsonElement stream)
    {
        string name = stream.RequiredText("StreamName", StreamNameMax);
        bool isStreaming = stream.Text("StreamingStatus", int.MaxValue, min: 0) switch
        {
            "ENABLED" => true,
            "DISABLED" => false,
            _ => throw CognitoException.InvalidParameter("StreamingStatus is ENABLED or DISABLED."),
        };
        if (isStreaming && receivers.StreamOf(name) is null)
            throw CognitoException.InvalidParameter(
                $"The hub knows no such stream: its operator names it in SyncHub:Cognito:Streams:{name}.");
        string? role = stream.Text("RoleArn", ArnLengthMax, RoleArn());
        return setup with { StreamName = name, StreamRoleArn = role, IsStreaming = isStreaming };
    }

    private static JsonObject Show(string poolId, SyncSetup setup)
    {
        var answer = new JsonObject { ["IdentityPoolId"] = poolId };
        if (setup.ApplicationArns is { } arns)
        {
            var push = new JsonObject { ["ApplicationArns"] = SyncMembers.Array(arns.Select(static arn => (JsonNode?)arn)) };
            if (setup.PushRoleArn is { } role) push["RoleArn"] = role;
            answer["PushSync"] = push;
        }

        if (setup.StreamName is { } name)
        {
            var stream = new JsonObject { ["StreamName"] = name };
            if (setup.StreamRoleArn is { } role) stream["RoleArn"] = role;
            stream["StreamingStatus"] = setup.IsStreaming ? "ENABLED" : "DISABLED";
            answer["CognitoStreams"] = stream;
        }

        return answer;
    }

    [GeneratedRegex(@"^arn:[\w-]+:sns:[-0-9a-z]+:\d+:app/[A-Z_]+/[a-zA-Z0-9_.-]+\z")]
    private static partial Regex ApplicationArn();

    [GeneratedRegex(@"^arn:[\w-]+:iam::\d+:role/.+\z")]
    private static partial Regex RoleArn();

    [GeneratedRegex(@"^arn:[\w-]+:lambda:[-0-9a-z]+:\d+:function:[\w-]+\z")]
    private static partial Regex FunctionArn();
}
