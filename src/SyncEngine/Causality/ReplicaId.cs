using System.Globalization;

namespace SyncEngine.Causality;

/// <summary>
/// Names one copy of one dataset in one file: 64 random bits, drawn before its first write and never reused. The
/// default
/// value, all zero, names no replica.
/// </summary>
/// <param name="Bits">The 64 bits; ids order by them as unsigned integers.</param>
public readonly record struct ReplicaId(ulong Bits) : IComparable<ReplicaId>
{
    /// <summary>Whether this is the default value, which names no replica.</summary>
    public bool IsNone => Bits == 0;

    /// <summary>Reads an id as <see cref="ToString"/> writes it.</summary>
    /// <exception cref="FormatException">The text is not 16 hexadecimal digits.</exception>
    public static ReplicaId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length != 16) throw new FormatException("A replica id is written as 16 hexadecimal digits.");
        return new ReplicaId(ulong.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public int CompareTo(ReplicaId other) => Bits.CompareTo(other.Bits);

    /// <summary>16 lower-case hexadecimal digits.</summary>
    public override string ToString() => Bits.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Whether <paramref name="left"/> comes before <paramref name="right"/>.</summary>
    public static bool operator <(ReplicaId left, ReplicaId right) => left.Bits < right.Bits;

    /// <summary>Whether <paramref name="left"/> comes after <paramref name="right"/>.</summary>
    public static bool operator >(ReplicaId left, ReplicaId right) => left.Bits > right.Bits;

    /// <summary>Whether <paramref name="left"/> does not come after <paramref name="right"/>.</summary>
    public static bool operator <=(ReplicaId left, ReplicaId right) => left.Bits <= right.Bits;

    /// <summary>Whether <paramref name="left"/> does not come before <paramref name="right"/>.</summary>
    public static bool operator >=(ReplicaId left, ReplicaId right) => left.Bits >= right.Bits;
}
