using System.Globalization;
using System.Text;
using SyncEngine.Json;
using SyncEngine.Values;

namespace SyncEngine.Cli;

/// <summary>Data as it is shown to people: one line, bounded, and nothing that could steer a terminal.</summary>
internal static class ShownText
{
    private const int ValueCharactersMax = 48;

    /// <summary>A key as it is; as JSON where it has control characters.</summary>
    public static string Key(string key) => key.Any(char.IsControl) ? ValueJson.Format(key) : key;

    /// <summary>
    /// A text of any origin as a part of one line: each character that could steer a terminal, turn the direction of writing or
    /// end the line is shown as its code.
    /// </summary>
    public static string Line(string text)
    {
        if (!text.Any(Steers)) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (char c in text)
        {
            if (Steers(c)) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else shown.Append(c);
        }

        return shown.ToString();
    }

    /// <summary>A writer's time for scripts: ISO 8601 in UTC, to the millisecond.</summary>
    public static string IsoTime(Causality.HybridTimestamp time) =>
        time.Wall.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    public static string Value(Value value) => value.IsMissing ? "–" : Shorten(ValueJson.Format(value));

    public static string Shorten(string text, int charactersMax = ValueCharactersMax)
    {
        if (text.Length <= charactersMax) return text;
        int end = charactersMax - 1;
        return string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[end - 1]) ? end - 1 : end), "…");
    }

    // Joiners make emoji of several characters, and letters of some languages; they stand still.
    private static bool Steers(char c) => c is not ('\u200c' or '\u200d') && char.GetUnicodeCategory(c)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator;

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} B"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1000.0:N1} kB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1_000_000.0:N1} MB"),
    };
}
