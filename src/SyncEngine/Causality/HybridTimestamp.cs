using System.Globalization;

namespace SyncEngine.Causality;

/// <summary>
/// A hybrid logical clock reading: 48 bits of milliseconds since 1970 and 16 bits of counter. It orders only concurrent
/// writes; whoever saw a value and writes supersedes it, whatever the clocks say. The default value is the earliest.
/// </summary>
/// <param name="Bits">Milliseconds in the upper 48 bits, counter in the lower 16.</param>
/// <remarks>After Kulkarni et al., "Logical Physical Clocks" (2014).</remarks>
public readonly record struct HybridTimestamp(ulong Bits) : IComparable<HybridTimestamp>
{
    /// <summary>Milliseconds since 1970-01-01 UTC.</summary>
    public long WallMilliseconds => (long)(Bits >> 16);

    /// <summary>Counts the readings of one millisecond.</summary>
    public int Counter => (int)(Bits & 0xFFFF);

    /// <summary>The wall part as a date; dates past the year 9999 are cut to its end.</summary>
    public DateTimeOffset Wall =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(WallMilliseconds, MaxDateMilliseconds));

    private const long MaxDateMilliseconds = 253_402_300_799_999;

    /// <inheritdoc/>
    public int CompareTo(HybridTimestamp other) => Bits.CompareTo(other.Bits);

    /// <summary>The date in ISO 8601, a plus sign and the counter.</summary>
    public override string ToString() =>
        Wall.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture) +
        "+" + Counter.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether <paramref name="left"/> is earlier than <paramref name="right"/>.</summary>
    public static bool operator <(HybridTimestamp left, HybridTimestamp right) => left.Bits < right.Bits;

    /// <summary>Whether <paramref name="left"/> is later than <paramref name="right"/>.</summary>
    public static bool operator >(HybridTimestamp left, HybridTimestamp right) => left.Bits > right.Bits;

    /// <summary>Whether <paramref name="left"/> is not later than <paramref name="right"/>.</summary>
    public static bool operator <=(HybridTimestamp left, HybridTimestamp right) => left.Bits <= right.Bits;

    /// <summary>Whether <paramref name="left"/> is not earlier than <paramref name="right"/>.</summary>
    public static bool operator >=(HybridTimestamp left, HybridTimestamp right) => left.Bits >= right.Bits;
}
