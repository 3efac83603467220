#if !NET
namespace System.Text.Unicode;

/// <summary>The UTF-8 check that the older target lacks, under the name that the newer one gives it.</summary>
internal static class Utf8
{
    /// <summary>Whether the bytes are well-formed UTF-8: no overlong form, no surrogate, nothing above
    /// U+10FFFF.</summary>
    public static bool IsValid(ReadOnlySpan<byte> value)
    {
        int position = 0;
        while (position < value.Length)
        {
            int length = SequenceLength(value.Slice(position));
            if (length == 0) return false;
            position += length;
        }
        return true;
    }

    private static int SequenceLength(ReadOnlySpan<byte> rest)
    {
        byte lead = rest[0];
        if (lead < 0x80) return 1;
        if (lead < 0xc2 || lead > 0xf4) return 0;
        int length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (rest.Length < length) return 0;

        // The second byte carries every further limit: overlong forms, surrogates and the end of Unicode.
        byte second = rest[1];
        byte lowest = lead switch { 0xe0 => 0xa0, 0xf0 => 0x90, _ => 0x80 };
        byte highest = lead switch { 0xed => 0x9f, 0xf4 => 0x8f, _ => 0xbf };
        if (second < lowest || second > highest) return 0;
        for (int index = 2; index < length; index++)
        {
            if ((rest[index] & 0xc0) != 0x80) return 0;
        }
        return length;
    }
}
#endif
