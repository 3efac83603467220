using System.Text.Encodings.Web;

namespace SyncEngine.Json;

/// <summary>
/// Escapes no more of a JSON text than must be: quotes, backslashes, and what would break a line or steer a
/// terminal. The
/// encoders of the framework also escape everything outside the basic plane, emoji for instance.
/// </summary>
internal sealed unsafe class ReadableEncoder : JavaScriptEncoder
{
    private const string Hexadecimal = "0123456789abcdef";

    public static ReadableEncoder Instance { get; } = new();

    public override int MaxOutputCharactersPerInputCharacter => 6;

    public override bool WillEncode(int unicodeScalar) => unicodeScalar
        is < 0x20 or '"' or '\\' or (>= 0x7F and <= 0x9F) or 0x2028 or 0x2029 or (>= 0xD800 and <= 0xDFFF);

    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        for (int i = 0; i < textLength; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < textLength && char.IsLowSurrogate(text[i + 1])) i++;
            else if (WillEncode(text[i])) return i;
        }

        return -1;
    }

    public override bool TryEncodeUnicodeScalar(
        int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        char brief = unicodeScalar switch
        {
            '"' => '"',
            '\\' => '\\',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\b' => 'b',
            '\f' => 'f',
            _ => '\0',
        };
        numberOfCharactersWritten = brief == '\0' ? 6 : 2;
        if (bufferLength < numberOfCharactersWritten)
        {
            numberOfCharactersWritten = 0;
            return false;
        }

        buffer[0] = '\\';
        buffer[1] = brief == '\0' ? 'u' : brief;
        for (int i = 2; i < numberOfCharactersWritten; i++)
            buffer[i] = Hexadecimal[(unicodeScalar >> (4 * (5 - i))) & 0xF];
        return true;
    }
}
