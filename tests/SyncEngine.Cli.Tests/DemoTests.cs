using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class DemoTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task The_demo_converges_and_leaves_its_files()
    {
        string folder = _sandbox.PathOf("demo.folder");
        string[] lines = (await _sandbox.DoAsync("demo", "--folder", folder)).Split('\n');
        Assert.Equal(["converged: 3 devices, 8 records, 0 lost", ""], lines[^2..]);
        Assert.All(lines, static line => Assert.InRange(line.Length, 0, 150));
        string laptop = Path.Combine(folder, "laptop.db"), phone = Path.Combine(folder, "phone.db");
        Assert.Equal(await _sandbox.DoAsync("export", laptop), await _sandbox.DoAsync("export", phone));
        Assert.Equal("130\n", await _sandbox.DoAsync("get", laptop, "save", "coins"));
        Assert.Contains("Ann the Brave", await _sandbox.DoAsync("explain", laptop, "save", "hero"), StringComparison.Ordinal);
        await _sandbox.DoAsync("verify", laptop);
        await _sandbox.FailAsync(2, "demo", "--folder", folder);
    }

    [Fact]
    public async Task A_lost_write_is_found()
    {
        using var terminal = new Terminal(Stream.Null, Stream.Null, Stream.Null) { StateFolder = _sandbox.PathOf("state") };
        await using Demo.DemoDevice device = await Demo.DemoDevice.OpenAsync(
            _sandbox.Folder, "laptop", terminal, new Demo.DemoClock());
        var ledger = new Demo.WriteLedger();
        await ledger.WriteAsync(device, "hero", "names the hero", static w => w["hero"] = "Ann");
        await ledger.AddAsync(device, "coins", 5, "finds coins");
        Assert.Empty(ledger.FindLost(device, out int kept));
        Assert.Equal(2, kept);
        await ledger.WriteAsync(device, "hero", "renames the hero", static w => w["hero"] = "Bea");
        Assert.Empty(ledger.FindLost(device, out _));

        // Nobody told the ledger of these, so they destroy acknowledged writes.
        device.Save["hero"] = "Eve";
        device.Save.Counter("coins").Add(-5);
        Assert.Equal(3, ledger.FindLost(device, out _).Count);
    }
}
