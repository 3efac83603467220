using SyncEngine.Json;
using System.Globalization;
using SyncEngine.Values;

namespace SyncEngine.Cli;

/// <summary>Data as it is shown to people: one line, bounded, and nothing that could steer a terminal.</summary>
internal static class ShownText
{
    private const int ValueCharactersMax = 48;

    /// <summary>A key as it is; as JSON where it has control characters.</summary>
    public static string Key(string key) => key.Any(char.IsControl) ? ValueJson.Format(key) : key;

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

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} B"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1000.0:N1} kB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1_000_000.0:N1} MB"),
    };
}
