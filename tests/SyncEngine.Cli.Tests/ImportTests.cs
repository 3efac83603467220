using System.Diagnostics;
using System.Globalization;
using System.Text;
using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class ImportTests : IDisposable
{
    private const string AllKinds =
        """
        {"dataset":"a","key":"n","kind":"counter","value":-7}
        {"dataset":"a","key":"n","kind":"max","value":1.0}
        {"dataset":"a","key":"n","kind":"min","value":-9223372036854775808}
        {"dataset":"a","key":"n","kind":"register","value":{"$$x":[{"$bytes":"AAH/"},{"$timestamp":"2026-01-31T12:00:00.0000001Z"},{"$double":"NaN"}]}}
        {"dataset":"a","key":"z","kind":"counter","value":0}
        {"dataset":"b","key":"l","kind":"list","value":[1,1,{"$double":"-Infinity"},null,true]}
        {"dataset":"b","key":"m","kind":"map","value":{"$$only":1e+300}}
        {"dataset":"b","key":"s","kind":"set","value":[1,"é",1.0]}

        """;

    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Export_import_export_gives_the_same_bytes()
    {
        Assert.Equal(0, (await _sandbox.RunWithInputAsync(AllKinds, "import", "a.db")).ExitCode);
        string first = await _sandbox.DoAsync("export", "a.db");
        Assert.Equal(AllKinds.Replace("1e+300", "1E+300", StringComparison.Ordinal), first);
        await _sandbox.DoAsync("export", "a.db", "--out", "out.jsonl");
        await _sandbox.DoAsync("import", "b.db", "--from", "out.jsonl");
        Assert.Equal(first, await _sandbox.DoAsync("export", "b.db"));
    }

    [Fact]
    public async Task Importing_twice_writes_nothing_more_and_replaces_what_differs()
    {
        await _sandbox.RunWithInputAsync(AllKinds, "import", "a.db");
        string before = await _sandbox.DoAsync("inspect", "a.db", "--json");
        await _sandbox.RunWithInputAsync(AllKinds, "import", "a.db");
        string after = await _sandbox.DoAsync("inspect", "a.db", "--json");
        Assert.Equal(Versions(before), Versions(after));
        await _sandbox.DoAsync("add", "a.db", "a", "n", "100");
        await _sandbox.DoAsync("raise", "a.db", "a", "n", "50");
        await _sandbox.DoAsync("set-add", "a.db", "b", "s", "more");
        await _sandbox.DoAsync("list-remove", "a.db", "b", "l", "0");
        await _sandbox.DoAsync("map-put", "a.db", "b", "m", "more", "1");
        await _sandbox.DoAsync("put", "a.db", "a", "other", "1");
        await _sandbox.RunWithInputAsync(AllKinds, "import", "a.db");
        Assert.Equal(AllKinds.Replace("1e+300", "1E+300", StringComparison.Ordinal).Length
            + "{\"dataset\":\"a\",\"key\":\"other\",\"kind\":\"register\",\"value\":1}\n".Length,
            (await _sandbox.DoAsync("export", "a.db")).Length);

        static string Versions(string inspect) => inspect[inspect.IndexOf("\"digest\"", StringComparison.Ordinal)..];
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"register\"}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"heap\",\"value\":1}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"\",\"kind\":\"register\",\"value\":1}")]
    [InlineData("{\"dataset\":\"\",\"key\":\"k\",\"kind\":\"register\",\"value\":1}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"register\",\"value\":1,\"more\":1}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"register\",\"value\":1,\"value\":2}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"register\",\"value\":1}{}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"register\",\"value\":{\"$what\":1}}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"register\",\"value\":{\"x\":1,\"x\":2}}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"register\",\"value\":\"\\ud800\"}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"counter\",\"value\":1.0}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"max\",\"value\":{\"$double\":\"NaN\"}}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"set\",\"value\":[1,1]}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"map\",\"value\":{\"x\":1,\"x\":2}}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"k\",\"kind\":\"list\",\"value\":{}}")]
    [InlineData("{\"dataset\":\"a\",\"key\":\"first\",\"kind\":\"register\",\"value\":2}")]
    public async Task A_bad_line_is_refused_with_its_number_and_nothing_changes(string line)
    {
        await _sandbox.DoAsync("put", "a.db", "a", "there", "1");
        string before = await _sandbox.DoAsync("export", "a.db");
        string good = "{\"dataset\":\"a\",\"key\":\"first\",\"kind\":\"register\",\"value\":1}\n\n";
        ProgramRun run = await _sandbox.RunWithInputAsync(good + line + "\n" + good, "import", "a.db");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("line 3: ", run.Error, StringComparison.Ordinal);
        Assert.Equal(before, await _sandbox.DoAsync("export", "a.db"));
        Assert.Equal(2, (await _sandbox.RunWithInputAsync(good + line, "import", "new.db")).ExitCode);
        Assert.False(File.Exists(_sandbox.PathOf("new.db")));
    }

    [Fact]
    public async Task A_text_nested_too_deep_is_refused()
    {
        string value = new string('[', 33) + new string(']', 33);
        await _sandbox.FailAsync(2, "put", "a.db", "a", "k", value);
        await _sandbox.FailAsync(2, "put", "a.db", "a", "k", new string('[', 5000));
        await _sandbox.DoAsync("put", "a.db", "a", "k", value[1..^1]);
        string line = await _sandbox.DoAsync("export", "a.db");
        Assert.Equal(0, (await _sandbox.RunWithInputAsync(line, "import", "b.db")).ExitCode);
        Assert.Equal(line, await _sandbox.DoAsync("export", "b.db"));
    }

    [Fact]
    public async Task Two_files_of_100_000_imported_records_sync_in_bounded_time()
    {
        foreach (string name in (string[])["left", "right"])
        {
            var lines = new StringBuilder();
            for (int i = 0; i < 100_000; i++)
            {
                lines.Append(CultureInfo.InvariantCulture,
                    $"{{\"dataset\":\"save\",\"key\":\"{name}-{i}\",\"kind\":\"register\",\"value\":\"v{i}\"}}\n");
            }
            File.WriteAllText(_sandbox.PathOf(name + ".jsonl"), lines.ToString());
            await _sandbox.DoAsync("import", name + ".db", "--from", name + ".jsonl");
        }

        long started = Stopwatch.GetTimestamp();
        string output = await _sandbox.DoAsync("sync", "left.db", "right.db");
        Assert.EndsWith("equal: 1 datasets, 200000 records\n", output, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 30);
        Assert.Equal(await _sandbox.DoAsync("export", "left.db"), await _sandbox.DoAsync("export", "right.db"));
    }
}
