using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Pools;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>What happens at the same time: nothing that was accepted is lost, nothing stale is taken, nothing breaks.</summary>
public sealed class RaceTests : WithLogins
{
    [Fact]
    public async Task Of_many_writers_with_one_count_exactly_one_wins_each_time()
    {
        string guest = await _app.GuestAsync();
        Signer signer = await _app.CredentialsAsync(guest);
        string token = await SessionAsync(guest, signer);
        for (int count = 0; count < 8; count++)
        {
            Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(
                writer => WriteAsync(guest, signer, token, "k", $"{count}/{writer}", count)));
            Answer won = Assert.Single(answers, static answer => answer.Status == HttpStatusCode.OK);
            Assert.Equal(count + 1, won.Json.GetProperty("Records")[0].GetProperty("SyncCount").GetInt64());
            Assert.All(answers.Where(answer => answer != won), answer =>
            {
                Assert.Equal(HttpStatusCode.Conflict, answer.Status);
                Assert.Equal($"Current SyncCount for: k is: {count + 1} not: {count}", answer.Message);
            });
            string kept = (await ListAsync(guest, signer)).GetProperty("Records")[0].GetProperty("Value").GetString()!;
            Assert.Equal(won.Json.GetProperty("Records")[0].GetProperty("Value").GetString(), kept);
        }
    }

    [Fact]
    public async Task A_guest_that_writes_while_it_is_merged_loses_nothing_that_was_accepted()
    {
        JsonObject logins = _issuer.Logins("ann");
        string account = (await _app.AskAsync("GetId", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["Logins"] = logins.DeepClone(),
        })).GetProperty("IdentityId").GetString()!;
        for (int round = 0; round < 5; round++)
        {
            string guest = await _app.GuestAsync();
            Signer signer = await _app.CredentialsAsync(guest);
            string token = await SessionAsync(guest, signer);
            var accepted = new ConcurrentBag<string>();
            var begun = new TaskCompletionSource();
            Task[] writers = [.. Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
            {
                for (int i = 0; i < 500; i++)
                {
                    Answer answer = await WriteAsync(guest, signer, token, $"{writer}-{i}", "x", 0);
                    if (answer.Status != HttpStatusCode.OK)
                    {
                        begun.TrySetResult();
                        Assert.Equal((HttpStatusCode.Forbidden, "NotAuthorizedException"), (answer.Status, answer.Error));
                        Assert.StartsWith("Access to Identity", answer.Message, StringComparison.Ordinal);
                        return;
                    }

                    accepted.Add($"{writer}-{i}");
                    if (accepted.Count > 5 * round) begun.TrySetResult();
                }
            }))];
            await begun.Task.WaitAsync(TimeSpan.FromSeconds(60));
            JsonElement entered = await _app.AskAsync("GetCredentialsForIdentity", new JsonObject
            {
                ["IdentityId"] = guest, ["Logins"] = logins.DeepClone(),
            });
            Assert.Equal(account, entered.GetProperty("IdentityId").GetString());
            await Task.WhenAll(writers);
            Signer owner = await _app.CredentialsAsync(account, logins);
            string name = $"save.{guest}";
            JsonElement listed = await ListAsync(account, owner, Uri.EscapeDataString(name));
            Assert.Equal(accepted.Order(StringComparer.Ordinal), listed.GetProperty("Records").EnumerateArray()
                .Select(static record => record.GetProperty("Key").GetString()!).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Calls_during_the_deletion_of_their_identity_are_answered_or_refused_and_none_breaks()
    {
        for (int round = 0; round < 5; round++)
        {
            string guest = await _app.GuestAsync();
            Signer signer = await _app.CredentialsAsync(guest);
            string token = await SessionAsync(guest, signer);
            var answers = new ConcurrentBag<Answer>();
            int count = 0;
            Func<Task<Answer>>[] calls =
            [
                () => WriteAsync(guest, signer, token, "k" + Interlocked.Increment(ref count), "x", 0),
                () => _app.Client.SyncAsync("GET", PathOf(guest) + "/records", signer: signer),
                () => _app.Client.SyncAsync("GET", PathOf(guest), signer: signer),
                () => _app.Client.SyncAsync("DELETE", PathOf(guest), signer: signer),
                () => _app.Client.SyncAsync("GET", PathOf(guest)[..^5], signer: signer),
            ];
            var begun = new TaskCompletionSource();
            Task[] callers = [.. calls.Select(call => Task.Run(async () =>
            {
                while (true)
                {
                    Answer answer = await call();
                    answers.Add(answer);
                    if (answers.Count > 10) begun.TrySetResult();
                    if (answer.Status == HttpStatusCode.Forbidden) return;
                }
            }))];
            await begun.Task.WaitAsync(TimeSpan.FromSeconds(60));
            await _app.DoAsync("DeleteIdentities", new JsonObject { ["IdentityIdsToDelete"] = new JsonArray(guest) });
            await Task.WhenAll(callers).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.All(answers, static answer => Assert.True((int)answer.Status < 500, answer.Text));
        }
    }

    [Fact]
    public async Task Tags_that_are_set_while_the_pool_is_updated_stay()
    {
        JsonObject update = new()
        {
            ["IdentityPoolId"] = _app.Pool, ["IdentityPoolName"] = "renamed", ["AllowUnauthenticatedIdentities"] = true,
        };
        string arn = $"arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{_app.Pool}";
        JsonObject map = new()
        {
            ["IdentityPoolId"] = _app.Pool, ["IdentityProviderName"] = "accounts.google.com", ["UseDefaults"] = false,
            ["PrincipalTags"] = new JsonObject { ["user"] = "sub" },
        };

        // Told when the update is half done.
        var tagged = new TaskCompletionSource();
        _app.Hub.Services.GetRequiredService<PoolRegistry>().Changed += (_, _) => Task.Run(async () =>
        {
            await _app.DoAsync("TagResource", new JsonObject
            {
                ["ResourceArn"] = arn, ["Tags"] = new JsonObject { ["team"] = "blue" },
            });
            await _app.DoAsync("SetPrincipalTagAttributeMap", map);
            tagged.SetResult();
        }).Wait();
        await _app.DoAsync("UpdateIdentityPool", update);
        await tagged.Task;
        JsonElement tags = await _app.DoAsync("ListTagsForResource", new JsonObject { ["ResourceArn"] = arn });
        Assert.Equal("blue", tags.GetProperty("Tags").GetProperty("team").GetString());
        JsonElement kept = await _app.DoAsync("GetPrincipalTagAttributeMap", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["IdentityProviderName"] = "accounts.google.com",
        });
        Assert.Equal("sub", kept.GetProperty("PrincipalTags").GetProperty("user").GetString());
        Assert.Equal("renamed", (await _app.DoAsync("DescribeIdentityPool", new JsonObject { ["IdentityPoolId"] = _app.Pool }))
            .GetProperty("IdentityPoolName").GetString());
    }

    private string PathOf(string identity, string dataset = "save") => $"/identitypools/{Uri.EscapeDataString(_app.Pool)}"
        + $"/identities/{Uri.EscapeDataString(identity)}/datasets/{dataset}";

    private async Task<JsonElement> ListAsync(string identity, Signer signer, string dataset = "save")
    {
        Answer answer = await _app.Client.SyncAsync("GET", PathOf(identity, dataset) + "/records", signer: signer);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    private async Task<string> SessionAsync(string identity, Signer signer) =>
        (await ListAsync(identity, signer)).GetProperty("SyncSessionToken").GetString()!;

    private Task<Answer> WriteAsync(string identity, Signer signer, string token, string key, string value, long count) =>
        _app.Client.SyncAsync("POST", PathOf(identity), "", new JsonObject
        {
            ["SyncSessionToken"] = token,
            ["RecordPatches"] = new JsonArray(new JsonObject
            {
                ["Op"] = "replace", ["Key"] = key, ["Value"] = value, ["SyncCount"] = count,
            }),
        }.ToJsonString(), signer);
}
