using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Tests.Values;

public sealed class UnsignedTests
{
    [Fact]
    public void Unsigned_integers_keep_every_digit()
    {
        Value large = 9_007_199_254_740_993UL;
        Assert.Equal(ValueKind.Integer, large.Kind);
        Assert.Equal(9_007_199_254_740_993, large.AsInteger());
        Value small = (byte)200, middle = (ushort)60_000, word = 4_000_000_000U, letter = (short)-3;
        Assert.Equal(
            [200, 60_000, 4_000_000_000, -3],
            new[] { small, middle, word, letter }.Select(value => value.AsInteger()));
        Assert.Throws<OverflowException>(() => (Value)ulong.MaxValue);
    }
}
