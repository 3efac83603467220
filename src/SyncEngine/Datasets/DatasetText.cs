using System.Text;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

/// <summary>Keys and fields as UTF-8.</summary>
internal static class DatasetText
{
    /// <summary>How many bytes callers set aside on the stack; longer texts take an array.</summary>
    public const int ScratchBytes = 256;

    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Encodes a key or field into the scratch space, or into a new array if it does not fit.</summary>
    /// <exception cref="ArgumentException">It is empty, longer than 4,096 bytes, or no valid UTF-16.</exception>
    public static ReadOnlySpan<byte> Encode(string text, Span<byte> scratch, string parameter)
    {
        if (text is null) throw new ArgumentNullException(parameter);
        if (text.Length == 0) throw new ArgumentException("A key or field must not be empty.", parameter);
        try
        {
            if (text.Length * 3 > scratch.Length && _strict.GetByteCount(text) > scratch.Length)
            {
                byte[] bytes = _strict.GetBytes(text);
                if (bytes.Length > FrameLimits.TextBytesMax)
                    throw new ArgumentException(
                        $"A key or field has at most {FrameLimits.TextBytesMax:N0} bytes of UTF-8; this one has "
                        + $"{bytes.Length:N0}.", parameter);
                return bytes;
            }

            return scratch[.._strict.GetBytes(text, scratch)];
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("A key or field must be valid UTF-16: it has a lone surrogate.", parameter, e);
        }
    }

    public static string Decode(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);
}
