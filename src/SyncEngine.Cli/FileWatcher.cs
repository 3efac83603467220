using System.Text.Json;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli;

/// <summary>
/// Follows a file's durable feed by short looks: it holds the file only while it reads what is new, and looks only
/// when the
/// file's size or time changed.
/// </summary>
internal sealed class FileWatcher(Terminal terminal, string path, string? only)
{
    private readonly Dictionary<string, FeedCursor> _cursors = new(StringComparer.Ordinal);
    private bool _knowsStart;
    private int _printed;
    private bool _saidBusy;

    public required TimeSpan Interval { get; init; }

    public required bool LooksOnce { get; init; }

    public required int CountMax { get; init; }

    public required bool PrintsJson { get; init; }

    /// <summary>Begins with everything that is there.</summary>
    public void StartFromBeginning() => _knowsStart = true;

    /// <summary>Begins after a place in the feed of the one dataset.</summary>
    public void StartAfter(FeedCursor cursor)
    {
        _cursors[only ?? ""] = cursor;
        _knowsStart = true;
    }

    /// <summary>Prints change sets until one look was enough, the count is reached, or it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        (long, long, long, long)? seen = null;
        while (_printed < CountMax && !cancellationToken.IsCancellationRequested)
        {
            // Only a look that left the file as it was may spare the next one: somebody may have written right after it.
            (long, long, long, long) now = Stamp();
            if (now != seen) seen = await TryLookAsync() && Stamp() == now ? now : null;
            if (LooksOnce || _printed >= CountMax) return;
            try
            {
                await Task.Delay(Interval, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private (long, long, long, long) Stamp()
    {
        var file = new FileInfo(path);
        var log = new FileInfo(path + "-wal");
        return (Length(file), file.LastWriteTimeUtc.Ticks, Length(log), log.LastWriteTimeUtc.Ticks);

        static long Length(FileInfo info) => info.Exists ? info.Length : -1;
    }

    private async Task<bool> TryLookAsync()
    {
        try
        {
            await LookAsync();
            _saidBusy = false;
            return true;
        }
        catch (SyncException e) when (e.Code == SyncErrorCode.FileInUse && !LooksOnce)
        {
            if (!_saidBusy) terminal.Error.WriteLine($"{path} is in use; waiting until it is free.");
            _saidBusy = true;
            return false;
        }
    }

    private async Task LookAsync()
    {
        var news = new List<ChangeSet>();
        await using (SyncStore store = await StoreFile.OpenExistingAsync(path, terminal))
        {
            foreach (string name in store.Identity.DatasetNames)
            {
                if (only is not null && name != only) continue;
                Dataset dataset = store.Identity.Dataset(name);
                FeedCursor after = _knowsStart ? _cursors.GetValueOrDefault(name) : dataset.DurableCursor;
                if (after != dataset.DurableCursor) news.Add(await NextAsync(dataset, after));
                _cursors[name] = dataset.DurableCursor;
            }
        }

        _knowsStart = true;
        foreach (ChangeSet changes in news)
        {
            if (_printed == CountMax) return;
            _printed++;
            if (PrintsJson) terminal.Out.WriteLine(ValueJson.Format(json => WriteJson(json, changes)));
            else WriteText(changes);
        }
    }

    /// <summary>The first change set of the feed: all that changed after the cursor.</summary>
    private static async Task<ChangeSet> NextAsync(Dataset dataset, FeedCursor after)
    {
        var first = new TaskCompletionSource<ChangeSet>(TaskCreationOptions.RunContinuationsAsynchronously);
        using IDisposable subscription = dataset.Feed(after).Subscribe(new FirstObserver(first));
        return await first.Task;
    }

    private void WriteText(ChangeSet changes)
    {
        terminal.Out.WriteLine($"{ShownText.Key(changes.Dataset)}, revision {changes.Revision}, cursor {changes.Cursor}");
        if (changes.IsResync) terminal.Out.WriteLine("  more changed than the feed remembers: read the dataset anew");
        foreach (Change change in changes)
        {
            string part = change.Field is { } field ? $"[{ShownText.Key(field)}]"
                : change.Element.IsMissing ? "" : $"[{ShownText.Value(change.Element)}]";
            string value = change.NewValue.IsMissing ? "" : $" = {ShownText.Value(change.NewValue)}";
            terminal.Out.WriteLine($"  {NameOf(change.Type),-10} {RecordKindName.Of(change.Kind)} "
                + $"{ShownText.Key(change.Key)}{part}{value}");
        }
    }

    private static void WriteJson(Utf8JsonWriter json, ChangeSet changes)
    {
        json.WriteStartObject();
        json.WriteString("dataset", changes.Dataset);
        json.WriteNumber("revision", changes.Revision);
        json.WriteString("cursor", changes.Cursor.ToString());
        json.WriteBoolean("resync", changes.IsResync);
        json.WriteStartArray("changes");
        foreach (Change change in changes)
        {
            json.WriteStartObject();
            json.WriteString("type", NameOf(change.Type));
            json.WriteString("key", change.Key);
            json.WriteString("kind", RecordKindName.Of(change.Kind));
            if (change.Field is { } field) json.WriteString("field", field);
            WriteIfThere("element", change.Element);
            WriteIfThere("value", change.NewValue);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();

        void WriteIfThere(string member, Values.Value value)
        {
            if (value.IsMissing) return;
            json.WritePropertyName(member);
            ValueJson.Write(json, value);
        }
    }

    /// <summary>A look sees only what is there now, so what was added and what was updated look alike.</summary>
    private static string NameOf(ChangeType type) => type switch
    {
        ChangeType.Removed => "removed",
        ChangeType.Conflicted => "conflicted",
        _ => "changed",
    };

    private sealed class FirstObserver(TaskCompletionSource<ChangeSet> first) : IObserver<ChangeSet>
    {
        public void OnNext(ChangeSet value) => first.TrySetResult(value);

        public void OnCompleted() => first.TrySetCanceled();

        public void OnError(Exception error) => first.TrySetException(error);
    }
}
