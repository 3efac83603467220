using System.Net;
using System.Text.Json;

namespace SyncEngine.Hub.Tests.Endpoints;

/// <summary>A service of the operator's that keeps a copy of a pool, by the admin interface alone, as the docs say.</summary>
internal sealed class PoolMirror(HttpClient admin, string pool, int limit)
{
    private readonly Dictionary<(string Identity, string Dataset), long> _revisions = [];
    private string _cursor = "";

    /// <summary>What every record reads as, by identity, dataset, key and kind.</summary>
    public Dictionary<(string Identity, string Dataset, string Key, string Kind), string> Records { get; } = [];

    /// <summary>Reads everything that there is; what changes meanwhile stands in the feed after the cursor.</summary>
    public async Task BackfillAsync(Func<Task>? between = null)
    {
        _cursor = (await GetAsync($"changes?cursor=latest")).GetProperty("cursor").GetString()!;
        string? next = null;
        do
        {
            JsonElement page = await GetAsync($"identities?limit={limit}{Cursor(next)}");
            foreach (JsonElement identity in page.GetProperty("identities").EnumerateArray())
            {
                if (between is not null) await between();
                await BackfillAsync(identity.GetProperty("identityId").GetString()!);
            }

            next = page.GetProperty("next").GetString();
        }
        while (next is not null);
    }

    /// <summary>Reads on until it has what it waits for.</summary>
    public async Task FollowAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            JsonElement page = await GetAsync($"changes?cursor={_cursor}&limit={limit}&wait=30");
            if (page.GetProperty("changes").GetArrayLength() == 0) throw new InvalidOperationException("Something never came.");
            foreach (JsonElement change in page.GetProperty("changes").EnumerateArray())
                await ReadAsync(change.GetProperty("identityId").GetString()!, change.GetProperty("dataset").GetString()!);
            _cursor = page.GetProperty("cursor").GetString()!;
        }
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using HttpResponseMessage response = await admin.GetAsync($"/admin/pools/{pool}/{path}");
        string body = await response.Content.ReadAsStringAsync();
        return response.StatusCode == HttpStatusCode.OK ? JsonDocument.Parse(body).RootElement
            : throw new InvalidOperationException($"{path}: {response.StatusCode} {body}");
    }

    /// <summary>Reads what changed in a dataset since the last time.</summary>
    public async Task ReadAsync(string identity, string dataset, Func<Task>? between = null)
    {
        string? next = null;
        do
        {
            JsonElement page = await GetAsync($"identities/{identity}/datasets/{dataset}?limit={limit}"
                + $"&since={_revisions.GetValueOrDefault((identity, dataset))}{Cursor(next)}");
            foreach (JsonElement record in page.GetProperty("records").EnumerateArray())
            {
                (string, string, string, string) name = (identity, dataset, record.GetProperty("key").GetString()!,
                    record.GetProperty("kind").GetString()!);
                if (record.TryGetProperty("isDeleted", out _)) Records.Remove(name);
                else Records[name] = record.GetProperty("value").GetRawText();
            }

            next = page.GetProperty("next").GetString();
            if (next is null) _revisions[(identity, dataset)] = page.GetProperty("revision").GetInt64();
            else if (between is not null) await between();
        }
        while (next is not null);
    }

    private async Task BackfillAsync(string identity)
    {
        string? next = null;
        do
        {
            JsonElement page = await GetAsync($"identities/{identity}/datasets?limit={limit}{Cursor(next)}");
            foreach (JsonElement dataset in page.GetProperty("datasets").EnumerateArray())
                await ReadAsync(identity, dataset.GetProperty("dataset").GetString()!);
            next = page.GetProperty("next").GetString();
        }
        while (next is not null);
    }

    private static string Cursor(string? next) => next is null ? "" : "&cursor=" + Uri.EscapeDataString(next);
}
