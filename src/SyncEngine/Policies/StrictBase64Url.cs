namespace SyncEngine.Policies;

/// <summary>Base64url without padding (RFC 7515), where each array of bytes has one spelling only.</summary>
internal static class StrictBase64Url
{
    /// <summary>The bytes; null if a character is not of the alphabet, one is missing, or spare bits are set.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        int rest = text.Length % 4;
        if (rest == 1) return null;
        byte[] bytes = new byte[(text.Length / 4 * 3) + (rest == 0 ? 0 : rest - 1)];
        int at = 0, bits = 0, held = 0;
        foreach (char c in text)
        {
            int digit = DigitOf(c);
            if (digit < 0) return null;
            held = ((held << 6) | digit) & 0xFFFF;
            bits += 6;
            if (bits < 8) continue;
            bits -= 8;
            bytes[at++] = (byte)(held >> bits);
        }

        return (held & ((1 << bits) - 1)) == 0 ? bytes : null;
    }

    private static int DigitOf(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '-' => 62,
        '_' => 63,
        _ => -1,
    };
}
