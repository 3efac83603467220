using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using SyncEngine.Hubs;
using Xunit;

namespace SyncEngine.Cli.Tests;

/// <summary>The pool command at a real hub.</summary>
public sealed class PoolCommandTests : IAsyncLifetime, IDisposable
{
    private readonly Sandbox _sandbox = new();
    private RunningHub _hub = null!;

    private string Definition => _sandbox.PathOf("game.json");

    public async Task InitializeAsync() => _hub = await RunningHub.StartAsync(_sandbox);

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    // The last of all that xUnit calls.
    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task A_pool_is_created_listed_described_changed_and_deleted()
    {
        await _hub.DoAsync("pool", "create", "game", "--guests", "--google", "app-1");
        await _hub.DoAsync("pool", "create", "other");
        string[] rows = (await _hub.DoAsync("pool", "list")).Split('\n');
        Assert.Contains(rows, static row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["game", "yes", "google"]);
        Assert.Contains(rows, static row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["other", "no"]);
        JsonArray listed = JsonNode.Parse(await _hub.DoAsync("pool", "list", "--json"))!.AsArray();
        Assert.Equal(["game", "other"], listed.Select(static pool => pool!["name"]!.GetValue<string>()));

        await DescribeAsync(pool => pool["description"] = "A game");
        await _hub.DoAsync("pool", "update", "game", "--from", Definition, "--oidc", "corp=https://login.example.com,client-1");
        await _hub.DoAsync("pool", "update", "game", "--google", "app-2");
        JsonObject now = await DescribeAsync();
        Assert.Equal("A game", now["description"]!.GetValue<string>());
        Assert.Equal(["corp", "google"],
            now["providers"]!.AsArray().Select(static provider => provider!["name"]!.GetValue<string>()).Order());
        Assert.Contains("app-2", now.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("app-1", now.ToJsonString(), StringComparison.Ordinal);

        await _hub.DoAsync("pool", "delete", "game");
        Assert.Contains("no such pool", await _hub.FailAsync(1, "pool", "describe", "game"), StringComparison.Ordinal);
        await _hub.FailAsync(1, "pool", "update", "game", "--guests");
        await _hub.FailAsync(1, "pool", "delete", "game");
        Assert.Contains("There is a pool of this name", await _hub.FailAsync(2, "pool", "create", "other"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_update_undoes_nothing_that_was_changed_since_the_definition_was_described()
    {
        await _hub.DoAsync("pool", "create", "game", "--guests");
        await DescribeAsync(pool => pool["description"] = "mine");
        await _hub.DoAsync("pool", "update", "game", "--guests", "false");
        string error = await _hub.FailAsync(2, "pool", "update", "game", "--from", Definition);
        Assert.Contains("revision 1, now 2", error, StringComparison.Ordinal);
        JsonObject older = JsonNode.Parse(await File.ReadAllTextAsync(Definition))!.AsObject();
        Assert.False((await DescribeAsync())["allowsGuests"]!.GetValue<bool>());

        // Another pool of the same name and revision is another pool.
        await _hub.DoAsync("pool", "delete", "game");
        await _hub.DoAsync("pool", "create", "game");
        await File.WriteAllTextAsync(Definition, older.ToJsonString());
        await _hub.FailAsync(2, "pool", "update", "game", "--from", Definition);

        older.Remove("revision");
        older.Remove("createdAt");
        await File.WriteAllTextAsync(Definition, older.ToJsonString());
        await _hub.DoAsync("pool", "update", "game", "--from", Definition);
        JsonObject now = await DescribeAsync();
        Assert.True(now["allowsGuests"]!.GetValue<bool>());
        Assert.Equal("mine", now["description"]!.GetValue<string>());
    }

    [Fact]
    public async Task Of_two_updates_that_meet_one_is_refused_and_neither_undoes_the_other()
    {
        await _hub.DoAsync("pool", "create", "game");
        await using MeetingUpdates meeting = await MeetingUpdates.StartAsync(_hub.Admin, 2);
        string[][] updates = [["--guests"], ["--google", "app-1"]];
        ProgramRun[] runs = await Task.WhenAll(updates.Select(update => Task.Run(() => _sandbox.RunAsync(
            ["pool", "update", "game", .. update, "--hub", meeting.Address, "--key-file", _hub.KeyFile]))));
        Assert.Equal([ExitCode.Success, ExitCode.BadInput], runs.Select(static run => run.ExitCode).Order());
        int refused = Array.FindIndex(runs, static run => run.ExitCode != ExitCode.Success);
        Assert.Equal("syncengine: The hub says: The pool was changed meanwhile: describe it again, and apply your change to what "
            + "it is now.\n", runs[refused].Error);
        Assert.Equal((refused != 0, refused != 1), await ChangesAsync());
        await _hub.DoAsync(["pool", "update", "game", .. updates[refused]]);
        Assert.Equal((true, true), await ChangesAsync());

        async Task<(bool Guests, bool Google)> ChangesAsync()
        {
            JsonObject pool = await DescribeAsync();
            return (pool["allowsGuests"]!.GetValue<bool>(), pool["providers"]!.AsArray().Count == 1);
        }
    }

    [Theory]
    [InlineData("{\"allowsGuests\":", "is no JSON")]
    [InlineData("{\"allowsGuests\":true,\"allowsGuests\":false}", "is no JSON")]
    [InlineData("[]", "holds no JSON object")]
    [InlineData("", "is no JSON")]
    [InlineData("{\"name\":\"other\"}", "a pool keeps its name")]
    [InlineData("{\"allowsGuest\":true}", "The hub says: ")]
    [InlineData("{\"providers\":[7,{\"name\":8}]}", "The hub says: ")]
    public async Task A_wrong_definition_is_refused_and_changes_nothing(string text, string words)
    {
        await _hub.DoAsync("pool", "create", "game");
        JsonObject before = await DescribeAsync();
        await File.WriteAllTextAsync(Definition, text);
        string error = await _hub.FailAsync(2, "pool", "update", "game", "--from", Definition, "--google", "app-1");
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.True(JsonNode.DeepEquals(before, await DescribeAsync()));
    }

    [Fact]
    public async Task What_is_no_file_of_text_is_bad_input()
    {
        await _hub.DoAsync("pool", "create", "game");
        string[] update = ["pool", "update", "game", "--from", Definition];
        Assert.Contains("There is no file", await _hub.FailAsync(2, update), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(Definition, [.. "{\"description\":\""u8, 0xFF, .. "\"}"u8]);
        Assert.Contains("no UTF-8 at byte 16", await _hub.FailAsync(2, update), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(Definition, new byte[(1024 * 1024) + 1]);
        Assert.Contains("too large", await _hub.FailAsync(2, update), StringComparison.Ordinal);
        File.Delete(Definition);
        Directory.CreateDirectory(Definition);
        Assert.Contains("is a folder", await _hub.FailAsync(2, update), StringComparison.Ordinal);
        await _hub.FailAsync(2, "pool", "update", "game", "--developer", "backend=" + _sandbox.PathOf("missing.jwk"));
        await _hub.FailAsync(2, "pool", "update", "game", "--developer", "backend");
    }

    [Fact]
    public async Task A_pool_with_people_in_it_is_deleted_by_force_only()
    {
        await _hub.DoAsync("pool", "create", "game", "--guests");
        await using SyncStore store = SyncStore.OpenInMemory();
        await using (HubClient client = HubClient.Connect(store, new HubClientOptions(_hub.Devices, "game")))
            await client.GetAccessTokenAsync();
        Assert.Contains("force", await _hub.FailAsync(2, "pool", "delete", "game"), StringComparison.Ordinal);
        await _hub.DoAsync("pool", "delete", "game", "--force");
        await _hub.FailAsync(1, "pool", "describe", "game");
    }

    [Fact]
    public async Task Key_and_address_are_checked_and_told_of_clearly()
    {
        string key = (await File.ReadAllTextAsync(_hub.KeyFile)).Trim();
        await _sandbox.DoAsync("pool", "list", "--hub", _hub.Admin, "--key", key);
        await _sandbox.FailAsync(2, "pool", "list", "--hub", _hub.Admin, "--key", key, "--key-file", _hub.KeyFile);
        await _sandbox.FailAsync(2, "pool", "list", "--hub", _hub.Admin, "--key-file", _sandbox.PathOf("nothing"));
        await _sandbox.FailAsync(2, "pool", "list", "--hub", _hub.Admin, "--key", "żółw");
        string wrong = await _sandbox.FailAsync(3, "pool", "list", "--hub", _hub.Admin, "--key", new string('x', 30));
        Assert.DoesNotContain("xxx", wrong, StringComparison.Ordinal);
        await File.AppendAllTextAsync(_hub.KeyFile, "more\n");
        await _sandbox.FailAsync(2, "pool", "list", "--hub", _hub.Admin, "--key-file", _hub.KeyFile);
        foreach (string address in (string[])["127.0.0.1:7118", "ftp://127.0.0.1", "hub"])
            Assert.Contains("is no address", await _sandbox.FailAsync(2, "pool", "list", "--hub", address, "--key", key),
                StringComparison.Ordinal);
        using var stranger = new TcpListener(IPAddress.Loopback, 0);
        stranger.Start();
        string elsewhere = $"http://{stranger.LocalEndpoint}";
        Task answering = AnswerOnceAsync(stranger);
        Assert.Contains("no admin interface", await _sandbox.FailAsync(3, "pool", "list", "--hub", elsewhere, "--key", key),
            StringComparison.Ordinal);
        await answering;
        stranger.Stop();
        Assert.Contains("cannot be reached", await _sandbox.FailAsync(3, "pool", "list", "--hub", elsewhere, "--key", key),
            StringComparison.Ordinal);
    }

    private async Task<JsonObject> DescribeAsync(Action<JsonObject>? change = null)
    {
        JsonObject pool = JsonNode.Parse(await _hub.DoAsync("pool", "describe", "game"))!.AsObject();
        if (change is null) return pool;
        change(pool);
        await File.WriteAllTextAsync(Definition, pool.ToJsonString());
        return pool;
    }

    private static async Task AnswerOnceAsync(TcpListener listener)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        NetworkStream stream = client.GetStream();
        byte[] request = new byte[4096];
        int count = 0;
        while (!request.AsSpan(0, count).EndsWith("\r\n\r\n"u8)) count += await stream.ReadAsync(request.AsMemory(count));
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"u8.ToArray());
    }
}
