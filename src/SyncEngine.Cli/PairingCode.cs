using System.Security.Cryptography;
using System.Text;

namespace SyncEngine.Cli;

/// <summary>What two machines share before they sync: 100 random bits, as 20 letters and digits that are hard to
/// mistake (Crockford's base 32).</summary>
internal static class PairingCode
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Length = 20;

    public static string Create() => string.Join('-', Enumerable.Range(0, Length / 5)
        .Select(static _ => RandomNumberGenerator.GetString(Alphabet, 5)));

    /// <summary>The secret that a code stands for, however it was typed.</summary>
    /// <exception cref="CommandFailure">It is no code.</exception>
    public static byte[] SecretOf(string code)
    {
        var text = new StringBuilder(Length);
        foreach (char typed in code.ToUpperInvariant())
        {
            if (typed is '-' or ' ') continue;
            char letter = typed switch { 'O' => '0', 'I' or 'L' => '1', _ => typed };
            if (!Alphabet.Contains(letter)) throw NoCode(code);
            text.Append(letter);
        }

        return text.Length == Length ? Encoding.ASCII.GetBytes(text.ToString()) : throw NoCode(code);
    }

    private static CommandFailure NoCode(string code) => CommandFailure.BadInput($"{code} is no pairing code: type the "
        + $"{Length} letters and digits that serve printed.");
}
