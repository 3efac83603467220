namespace SyncEngine.Values;

/// <summary>
/// One exact total order over everything a max or min can hold. From below: what is no number (by its bytes), NaN,
/// then numbers by their exact size, never rounded; −0.0 before 0.0, and a double before the integer of the same
/// size.
/// </summary>
internal static class ValueOrder
{
    /// <summary>2^63: the first double beyond the integers, and exact.</summary>
    private const double IntegerEnd = 9_223_372_036_854_775_808.0;

    /// <summary>Compares two canonical encodings; zero only if they are equal.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (ValueScanner.TryReadInteger(left, out long leftInteger))
        {
            if (ValueScanner.TryReadInteger(right, out long rightInteger)) return leftInteger.CompareTo(rightInteger);
            return ValueScanner.TryReadDouble(right, out double number) ? Compare(leftInteger, number) : 1;
        }
        if (ValueScanner.TryReadDouble(left, out double leftNumber))
        {
            if (ValueScanner.TryReadDouble(right, out double rightNumber)) return Compare(leftNumber, rightNumber);
            return ValueScanner.TryReadInteger(right, out long integer) ? -Compare(integer, leftNumber) : 1;
        }
        bool isRightNumber = ValueScanner.TryReadInteger(right, out _) || ValueScanner.TryReadDouble(right, out _);
        return isRightNumber ? -1 : Math.Sign(left.SequenceCompareTo(right));
    }

    /// <summary>
    /// Compares an integer with a double by their exact size; never zero, as the integer wins a tie.
    /// </summary>
    public static int Compare(long integer, double number)
    {
        if (double.IsNaN(number) || number < -IntegerEnd) return 1;
        if (number >= IntegerEnd) return -1;

        // Within the range of integers the whole part converts exactly, and the rest only decides a tie.
        double whole = Math.Truncate(number);
        long wholeInteger = (long)whole;
        if (integer != wholeInteger) return integer < wholeInteger ? -1 : 1;
        return number > whole ? -1 : 1;
    }

    /// <summary>Compares two doubles; zero only if they are the same bits, or both NaN.</summary>
    public static int Compare(double left, double right)
    {
        if (left < right) return -1;
        if (left > right) return 1;
        if (double.IsNaN(left)) return double.IsNaN(right) ? 0 : -1;
        if (double.IsNaN(right)) return 1;

        // Equal in size: only the zeros still differ, and the sign bit tells them apart.
        return double.IsNegative(right).CompareTo(double.IsNegative(left));
    }
}
