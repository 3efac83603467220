using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

/// <summary>The simplest legacy client: the last count and what it was told, key by key.</summary>
internal sealed class LegacyClient(LegacyWorld world, System.Random random)
{
    private const int KeysMax = 5;

    private readonly Dictionary<string, LegacyRecord> _cache = new(StringComparer.Ordinal);
    private long _last;

    /// <summary>The texts that it shows.</summary>
    public SortedDictionary<string, string> Texts => new(_cache.Values.Where(static record => record.Value is not null)
        .ToDictionary(static record => record.Key, static record => record.Value!), StringComparer.Ordinal);

    /// <summary>The highest count that it was told.</summary>
    public long Told { get; private set; }

    /// <summary>Takes what is new, in pages; something may happen in between.</summary>
    public async Task PullAsync(Func<Task> between)
    {
        LegacyChanges changes = await world.ReadAsync(_last, limit: random.Next(1, 4));
        if (changes.IsDeletedSince)
        {
            _cache.Clear();
            _last = 0;
            changes = await world.ReadAsync(0, limit: random.Next(1, 4));
        }

        long upTo = changes.SyncCount;
        Told = Math.Max(Told, upTo);
        var taken = new List<LegacyRecord>(changes.Records);
        while (changes.Next is { } next)
        {
            await between();
            changes = await world.ReadAsync(_last, next, upTo, random.Next(1, 4));
            if (changes.IsDeletedSince) return; // A real client begins anew at its next sync.
            Assert.Equal(upTo, changes.SyncCount);
            taken.AddRange(changes.Records);
        }

        Assert.Equal(taken.Count, taken.Select(static record => record.Key).Distinct().Count());
        Assert.All(taken, record => Assert.InRange(record.SyncCount, _last + 1, upTo));
        foreach (LegacyRecord record in taken)
            if (record.SyncCount > _cache.GetValueOrDefault(record.Key).SyncCount) _cache[record.Key] = record;
        _last = upTo;
    }

    /// <summary>Writes some records over what it knows, stale or not.</summary>
    /// <param name="countsTold">The highest count that anybody was told before.</param>
    /// <param name="isAnswerLost">Whether the client never hears what became of it.</param>
    public async Task PushAsync(long countsTold, bool isAnswerLost)
    {
        // Who was never told of anything cannot be told that it has to begin anew.
        if (_last == 0) await PullAsync(static () => Task.CompletedTask);
        LegacyPatch[] patches = [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => "k" + random.Next(KeysMax)).Distinct()
            .Select(NewPatch)];
        Dictionary<string, long> counts = await world.OnHubAsync(
            static hub => Keys.ToDictionary(static key => key, hub.RevisionOf));
        Dictionary<string, string?> texts = await TextsAsync();
        long forgotten = await world.OnHubAsync(static hub => hub.State.ForgottenRevision);
        bool IsForgotten(LegacyPatch patch) =>
            counts[patch.Key] == 0 && patch.SyncCount > 0 && patch.SyncCount <= forgotten;
        bool isStale = patches.Any(patch => counts[patch.Key] != patch.SyncCount && !IsForgotten(patch));
        IReadOnlyList<LegacyRecord> written;
        try
        {
            written = await world.UpdateAsync(patches);
        }
        catch (CognitoException e) when (e.Type == "ResourceConflictException")
        {
            Assert.True(isStale, e.Message);
            Assert.StartsWith("Current SyncCount for: ", e.Message, StringComparison.Ordinal);
            Assert.Equal(texts, await TextsAsync());
            return;
        }
        catch (CognitoException e) when (e.Type == "InvalidParameterException")
        {
            return; // A text for a counter or the like.
        }

        Assert.False(isStale);
        Assert.All(patches.Where(patch => !IsForgotten(patch)),
            patch => Assert.Equal(texts[patch.Key], _cache.GetValueOrDefault(patch.Key).Value));
        Assert.All(written, record => Assert.True(record.SyncCount > countsTold, $"{record} after {countsTold}"));
        Assert.Single(written.Select(static record => record.SyncCount).Distinct());
        if (isAnswerLost) return;
        Told = written[0].SyncCount;
        foreach (LegacyRecord record in written) _cache[record.Key] = record;
        if (Told == _last + 1) _last = Told;
        else if (_last == 0) await PullAsync(static () => Task.CompletedTask);
    }

    private static IEnumerable<string> Keys => Enumerable.Range(0, KeysMax).Select(static key => "k" + key);

    private Task<Dictionary<string, string?>> TextsAsync() =>
        world.OnHubAsync(static hub => Keys.ToDictionary(static key => key, key => LegacyText.Read(hub, key)));

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private LegacyPatch NewPatch(string key)
    {
        LegacyRecord known = _cache.GetValueOrDefault(key);
        string? text = random.Next(5) switch
        {
            0 => null,
            1 => "",
            2 => known.Value is { } now && long.TryParse(now, out long number) ? Text(number + 7) : known.Value,
            3 => Text(random.Next(100)),
            _ => "text " + random.Next(100),
        };
        return new LegacyPatch(key, text, known.SyncCount, random.Next(2) == 0 ? null : 1_000_000 + random.Next(1000));
    }
}
