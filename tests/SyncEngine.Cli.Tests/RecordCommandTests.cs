using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class RecordCommandTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Every_kind_is_written_and_exported_byte_for_byte()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "player", "\"Ann 😀 ż\"");
        Assert.Equal("100\n", await _sandbox.DoAsync("add", "a.db", "save", "coins", "100"));
        Assert.Equal("95\n", await _sandbox.DoAsync("add", "a.db", "save", "coins", "-5"));
        Assert.Equal("9\n", await _sandbox.DoAsync("raise", "a.db", "save", "best", "9"));
        Assert.Equal("9\n", await _sandbox.DoAsync("raise", "a.db", "save", "best", "8"));
        Assert.Equal("3.0\n", await _sandbox.DoAsync("lower", "a.db", "save", "lap", "3.0"));
        await _sandbox.DoAsync("set-add", "a.db", "save", "badges", "first-win");
        await _sandbox.DoAsync("set-add", "a.db", "save", "badges", "\"second\"");
        await _sandbox.DoAsync("set-add", "a.db", "save", "badges", "42");
        await _sandbox.DoAsync("set-remove", "a.db", "save", "badges", "second");
        await _sandbox.DoAsync("map-put", "a.db", "save", "settings", "volume", "0.8");
        await _sandbox.DoAsync("list-insert", "a.db", "save", "bag", "0", "\"sword\"");
        await _sandbox.DoAsync("list-insert", "a.db", "save", "bag", "1", "\"bow\"");
        await _sandbox.DoAsync("list-insert", "a.db", "save", "bag", "1", "{\"a\":[1,2.0,null]}");
        await _sandbox.DoAsync("list-move", "a.db", "save", "bag", "2", "0");
        await _sandbox.DoAsync("list-remove", "a.db", "save", "bag", "1");
        await _sandbox.DoAsync("put", "a.db", "save", "player2", "1");
        await _sandbox.DoAsync("delete", "a.db", "save", "player2");
        await _sandbox.DoAsync("put", "a.db", "Another", "coins", "9007199254740993");
        await _sandbox.DoAsync("put", "a.db", "save", "coins", "[]");
        Assert.Equal(
            """
            {"dataset":"Another","key":"coins","kind":"register","value":9007199254740993}
            {"dataset":"save","key":"badges","kind":"set","value":[42,"first-win"]}
            {"dataset":"save","key":"bag","kind":"list","value":["bow",{"a":[1,2.0,null]}]}
            {"dataset":"save","key":"best","kind":"max","value":9}
            {"dataset":"save","key":"coins","kind":"counter","value":95}
            {"dataset":"save","key":"coins","kind":"register","value":[]}
            {"dataset":"save","key":"lap","kind":"min","value":3.0}
            {"dataset":"save","key":"player","kind":"register","value":"Ann 😀 ż"}
            {"dataset":"save","key":"settings","kind":"map","value":{"volume":0.8}}

            """,
            await _sandbox.DoAsync("export", "a.db"));
        Assert.Single((await _sandbox.RunAsync("export", "a.db", "Another")).Lines);
    }

    [Fact]
    public async Task Get_prints_the_register_first_and_the_kind_that_is_asked_for()
    {
        await _sandbox.DoAsync("add", "a.db", "save", "@key", "7");
        Assert.Equal("7\n", await _sandbox.DoAsync("get", "a.db", "save", "@key"));
        await _sandbox.DoAsync("put", "a.db", "save", "@key", "-1.5e3");
        Assert.Equal("-1500.0\n", await _sandbox.DoAsync("get", "a.db", "save", "@key"));
        Assert.Equal("7\n", await _sandbox.DoAsync("get", "a.db", "save", "@key", "--kind", "counter"));
        await _sandbox.FailAsync(1, "get", "a.db", "save", "@key", "--kind", "set");
        await _sandbox.FailAsync(1, "get", "a.db", "save", "nothing");
        await _sandbox.FailAsync(1, "get", "a.db", "nowhere", "@key");
        await _sandbox.DoAsync("delete", "a.db", "save", "@key");
        await _sandbox.FailAsync(1, "get", "a.db", "save", "@key");
    }

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("put", "a.db", "save", "key")]
    [InlineData("put", "a.db", "save", "key", "Ann")]
    [InlineData("put", "a.db", "save", "key", "1 2")]
    [InlineData("put", "a.db", "save", "key", "9223372036854775808")]
    [InlineData("put", "a.db", "save", "key", "{\"$bytes\":\"?\"}")]
    [InlineData("put", "a.db", "save", "", "1")]
    [InlineData("add", "a.db", "save", "key", "1.5")]
    [InlineData("raise", "a.db", "save", "key", "\"x\"")]
    [InlineData("set-add", "a.db", "save", "key", "[1")]
    [InlineData("list-insert", "a.db", "save", "key", "1", "1")]
    [InlineData("get", "a.db", "save", "key", "--kind", "heap")]
    [InlineData("export", "missing.db")]
    [InlineData("sync", "a.db", "a.db")]
    [InlineData("sync", "missing.db", "missing2.db")]
    [InlineData("watch", "a.db", "save", "--after", "nonsense", "--once")]
    public async Task Bad_usage_and_bad_input_give_2_and_one_sentence(params string[] arguments)
    {
        await _sandbox.DoAsync("put", "a.db", "save", "there", "1");
        await _sandbox.FailAsync(2, arguments);
        Assert.Equal(
            "{\"dataset\":\"save\",\"key\":\"there\",\"kind\":\"register\",\"value\":1}\n",
            await _sandbox.DoAsync("export", "a.db"));
        Assert.False(File.Exists(_sandbox.PathOf("missing.db")));
    }

    [Fact]
    public async Task A_file_in_use_or_no_store_gives_3()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "there", "1");
        var options = new SyncEngine.LiteDB.LiteDbStorageOptions { LocalStateFolder = _sandbox.PathOf("state") };
        await using (await SyncEngine.LiteDB.LiteDbSyncStore.OpenAsync(_sandbox.PathOf("a.db"), null, options))
        {
            await _sandbox.FailAsync(3, "get", "a.db", "save", "there");
        }

        await _sandbox.DoAsync("get", "a.db", "save", "there");
        File.WriteAllText(_sandbox.PathOf("text.db"), new string('x', 20_000));
        await _sandbox.FailAsync(3, "get", "text.db", "save", "there");
        Assert.Equal(new string('x', 20_000), File.ReadAllText(_sandbox.PathOf("text.db")));
    }

    [Fact]
    public async Task List_and_explain_show_what_is_there()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "player", "\"Ann\"");
        await _sandbox.DoAsync("add", "a.db", "save", "coins", "5");
        string table = await _sandbox.DoAsync("list", "a.db");
        Assert.Contains("player", table, StringComparison.Ordinal);
        Assert.Contains("2 records", table, StringComparison.Ordinal);
        Assert.Equal("{\"dataset\":\"save\",\"key\":\"coins\",\"kind\":\"counter\"}\n",
            await _sandbox.DoAsync("list", "a.db", "save", "--prefix", "co", "--json"));
        Assert.Contains("only write", await _sandbox.DoAsync("explain", "a.db", "save", "player"), StringComparison.Ordinal);
        Assert.Contains("\"shown\":true", await _sandbox.DoAsync("explain", "a.db", "save", "player", "--json"),
            StringComparison.Ordinal);
        await _sandbox.FailAsync(1, "explain", "a.db", "save", "nobody");
    }

    [Fact]
    public async Task Help_names_every_command_and_exit_code()
    {
        string help = await _sandbox.DoAsync("--help");
        foreach (string command in (string[])
        [
            "demo", "put", "get", "delete", "add", "raise", "lower", "set-add", "set-remove", "map-put", "list-insert",
            "list-remove", "list-move", "list", "watch", "explain", "export", "import", "sync", "delta", "apply", "inspect",
            "verify", "compact", "backup",
        ])
        {
            Assert.Contains($"\n  {command} ", help, StringComparison.Ordinal);
            await _sandbox.DoAsync(command, "--help");
        }

        Assert.Contains("Exit codes", help, StringComparison.Ordinal);
        Assert.Equal(help, await _sandbox.DoAsync());
    }
}
