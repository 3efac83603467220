using SyncEngine.Hub.Rows;
using Xunit;

namespace SyncEngine.Hub.Tests.Rows;

public sealed class HubRowsTests
{
    [Fact]
    public async Task Ranges_come_in_ordinal_order_and_in_pages()
    {
        var rows = new HubRows();
        foreach (string key in (string[])["b/2", "a/1", "b/10", "b/1", "c/1"])
            await rows.WriteAsync(KeyValuePair.Create<string, byte[]?>(key, [1]));
        Assert.Equal(["b/1", "b/10", "b/2"], (await rows.ReadRangeAsync("b/", null, 9)).Select(row => row.Key));
        Assert.Equal(["b/10"], (await rows.ReadRangeAsync("b/", "b/1", 1)).Select(row => row.Key));
        await rows.WriteAsync(KeyValuePair.Create<string, byte[]?>("b/10", null));
        Assert.Null(await rows.ReadAsync("b/10"));
        Assert.NotNull(await rows.ReadAsync("b/2"));
    }
}
