namespace SyncEngine;

/// <summary>The ASCII check that the older target lacks.</summary>
internal static class AsciiPolyfill
{
    /// <summary>Whether any byte is above 127.</summary>
    public static bool ContainsNonAscii(this ReadOnlySpan<byte> text)
    {
#if NET
        return !System.Text.Ascii.IsValid(text);
#else
        foreach (byte unit in text)
            if (unit > 127) return true;
        return false;
#endif
    }
}
