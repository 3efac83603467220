using System.Diagnostics;
using System.Text.Json.Nodes;

namespace SyncEngine.Cli.Cognito;

/// <summary>
/// Full rounds of old clients against a hub: each makes a guest, gets credentials, lists a dataset and writes a record to it,
/// which is durable when the answer comes.
/// </summary>
internal sealed class CognitoLoad(CognitoClient client, CognitoKeys developer)
{
    private string _pool = "";

    /// <summary>Makes a pool for them.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        JsonObject made = await client.IdentityAsync("CreateIdentityPool", new JsonObject
        {
            ["IdentityPoolName"] = "load", ["AllowUnauthenticatedIdentities"] = true,
        }, developer, cancellationToken);
        _pool = Text(made, "IdentityPoolId");
        await client.IdentityAsync("SetIdentityPoolRoles", new JsonObject
        {
            ["IdentityPoolId"] = _pool,
            ["Roles"] = new JsonObject { ["unauthenticated"] = "arn:aws:iam::123456789012:role/guest" },
        }, developer, cancellationToken);
    }

    /// <summary>Does rounds until the time is over.</summary>
    /// <returns>How long each took, in milliseconds.</returns>
    public async Task<List<double>> RunAsync(long end, CancellationToken cancellationToken)
    {
        var latencies = new List<double>();
        while (Stopwatch.GetTimestamp() < end)
        {
            long begun = Stopwatch.GetTimestamp();
            await RoundAsync(cancellationToken);
            latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        return latencies;
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        string id = Text(await client.IdentityAsync(
            "GetId", new JsonObject { ["IdentityPoolId"] = _pool }, null, cancellationToken), "IdentityId");
        JsonObject given = await client.IdentityAsync(
            "GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = id }, null, cancellationToken);
        JsonObject credentials = given["Credentials"] as JsonObject ?? throw NoAnswer("Credentials");
        var keys = new CognitoKeys(
            Text(credentials, "AccessKeyId"), Text(credentials, "SecretKey"), Text(credentials, "SessionToken"));
        string[] dataset = ["identitypools", _pool, "identities", id, "datasets", "save"];
        JsonObject listed = await client.SyncAsync(
            HttpMethod.Get, [.. dataset, "records"], [("lastSyncCount", "0")], null, keys, cancellationToken);
        await client.SyncAsync(HttpMethod.Post, dataset, [], new JsonObject
        {
            ["SyncSessionToken"] = Text(listed, "SyncSessionToken"),
            ["RecordPatches"] = new JsonArray(new JsonObject
            {
                ["Op"] = "replace", ["Key"] = "level", ["Value"] = "1", ["SyncCount"] = 0,
            }),
        }, keys, cancellationToken);
    }

    private static string Text(JsonObject answer, string member) => answer[member]?.GetValue<string>() ?? throw NoAnswer(member);

    private static CommandFailure NoAnswer(string member) =>
        new(ExitCode.OperationFailed, $"The hub's answer has no {member}: is it of this version?");
}
