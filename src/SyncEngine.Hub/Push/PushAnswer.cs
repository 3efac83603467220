using System.Text.Json;

namespace SyncEngine.Hub.Push;

/// <summary>Reads what push services answer, whatever that is.</summary>
internal static class PushAnswer
{
    private const int DatasetsShownMax = 16;

    /// <summary>The datasets that fit a push, which holds 4 kB; none, which means any, if they do not.</summary>
    public static IReadOnlyList<string>? Shown(IReadOnlyList<string> datasets) =>
        datasets.Count is > 0 and <= DatasetsShownMax ? datasets : null;

    /// <summary>A text of a JSON object by its path; null if there is none.</summary>
    public static string? Text(byte[]? body, params ReadOnlySpan<string> path)
    {
        if (body is null) return null;
        try
        {
            using var json = JsonDocument.Parse(body);
            JsonElement element = json.RootElement;
            foreach (string member in path)
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(member, out element)) return null;
            }

            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
