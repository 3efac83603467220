using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Push;

/// <summary>
/// The feed of one pool. Changes that come while a write is under way are written together by the next one, each (identity,
/// dataset) once. Entries and the count of them are one write, so that numbers have no gap whenever the process ends.
/// </summary>
internal sealed class FeedLog(
    string pool, HubRows rows, TimeProvider time, ILogger logger, ChangeFeedOptions options) : IDisposable
{
    private const int EntriesPerWriteMax = 1000;

    private readonly object _gate = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _closing = new();
    private readonly string _prefix = $"feed/{pool}/";
    private readonly string _stateKey = $"feedstate/{pool}";
    private readonly List<HubChange> _waiting = [];
    private readonly Dictionary<(IdentityId, string), int> _places = [];
    private TaskCompletionSource _advanced = New();
    private FeedState? _state;
    private bool _interrupted;
    private Task _flushing = Task.CompletedTask;
    private bool _isFlushing;
    private bool _hasLost;

    /// <summary>The newest durable entry; −1 while that is not known.</summary>
    public long Last => Volatile.Read(ref _state) is { } state ? state.Next - 1 : -1;

    /// <summary>Takes a change; returns the newest entry that was durable before.</summary>
    public long Note(in HubChange change)
    {
        lock (_gate)
        {
            long last = Last;
            if (_places.TryGetValue((change.IdentityId, change.Dataset), out int place))
            {
                _waiting[place] = change;
            }
            else if (_waiting.Count >= options.WaitingMax)
            {
                _interrupted = true;
            }
            else
            {
                _places.Add((change.IdentityId, change.Dataset), _waiting.Count);
                _waiting.Add(change);
            }

            StartFlushing();
            return last;
        }
    }

    public void NoteLoss()
    {
        lock (_gate)
        {
            _interrupted = true;
            StartFlushing();
        }
    }

    /// <summary>Completes when all that was noted before is durable.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        Task flushing;
        lock (_gate) flushing = _flushing;
        await flushing.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the state, and notes an interruption if the hub that used the feed last did not close it.</summary>
    public async ValueTask<FeedState> OpenAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _state) is { } known) return known;
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await OpenLockedAsync().ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Reads entries after a number.</summary>
    public async ValueTask<IReadOnlyList<FeedEntry>> ReadAsync(long after, int limit, CancellationToken cancellationToken)
    {
        var found = await rows.ReadRangeAsync(_prefix, KeyOf(after), limit, cancellationToken).ConfigureAwait(false);
        var entries = new List<FeedEntry>(found.Count);
        foreach ((string key, byte[] bytes) in found)
        {
            FeedRow row = PushJson.Read<FeedRow>(bytes, key);
            bool interrupted = row.Identity is null || row.Dataset is null;
            entries.Add(new FeedEntry(
                long.Parse(key.AsSpan(_prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture),
                interrupted ? FeedEntryType.Interrupted : FeedEntryType.Change,
                interrupted ? default : IdentityId.Parse(row.Identity!), // Not null: it is no interruption.
                row.Dataset ?? string.Empty, row.Revision, DateTimeOffset.FromUnixTimeMilliseconds(row.Time)));
        }

        return entries;
    }

    /// <summary>Completes when an entry after the given one is durable.</summary>
    public Task WhenAfter(long sequence)
    {
        lock (_gate) return Last > sequence ? Task.CompletedTask : _advanced.Task;
    }

    /// <summary>Removes entries beyond the count and the age that are kept.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        long oldest = (time.GetUtcNow() - options.Age).ToUnixTimeMilliseconds();
        await OpenAsync(cancellationToken).ConfigureAwait(false);
        while (await SweepSomeAsync(oldest, cancellationToken).ConfigureAwait(false))
        {
            // Piece by piece, so that a long overdue sweep holds up no append.
        }
    }

    /// <summary>Writes what was noted and marks the feed as closed in order; a write that fails now is given up, and the next
    /// opening notes the interruption.</summary>
    public async Task CloseAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await FlushAsync(CancellationToken.None).ConfigureAwait(false);
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_state is null || _hasLost) return;
            FeedState closed = _state with { Open = false };
            await rows.WriteAsync(Row(_stateKey, PushJson.Write(closed))).ConfigureAwait(false);
            Volatile.Write(ref _state, closed);
        }
        catch (SyncException e)
        {
            // The feed stays open in the file, which the next opening notes.
            PushLog.FeedWriteFailed(logger, pool, e);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose()
    {
        _writing.Dispose();
        _closing.Dispose();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static KeyValuePair<string, byte[]?> Row(string key, byte[]? bytes) => new(key, bytes);

    private string KeyOf(long sequence) => _prefix + sequence.ToString("d20", CultureInfo.InvariantCulture);

    private void StartFlushing()
    {
        if (_isFlushing) return;
        _isFlushing = true;
        _flushing = Task.Run(FlushAllAsync);
    }

    private async Task FlushAllAsync()
    {
        while (true)
        {
            List<HubChange> batch;
            bool interrupted;
            lock (_gate)
            {
                if (_waiting.Count == 0 && !_interrupted)
                {
                    _isFlushing = false;
                    return;
                }

                batch = [.. _waiting];
                interrupted = _interrupted;
                _waiting.Clear();
                _places.Clear();
                _interrupted = false;
            }

            await AppendStubbornlyAsync(batch, interrupted).ConfigureAwait(false);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the storage throws, the entries must not be lost.")]
    private async Task AppendStubbornlyAsync(List<HubChange> batch, bool interrupted)
    {
        for (int done = 0; interrupted || done < batch.Count;)
        {
            int count = Math.Min(EntriesPerWriteMax, batch.Count - done);
            try
            {
                await AppendAsync(batch.GetRange(done, count), interrupted).ConfigureAwait(false);
                done += count;
                interrupted = false;
            }
            catch (Exception e)
            {
                PushLog.FeedWriteFailed(logger, pool, e);
                if (await PauseAsync().ConfigureAwait(false)) continue;
                _hasLost = true;
                return;
            }
        }
    }

    /// <summary>Waits before another attempt; false if the feed closes and there is none.</summary>
    private async Task<bool> PauseAsync()
    {
        if (_closing.IsCancellationRequested) return false;
        try
        {
            await Task.Delay(options.RetryDelay, time, _closing.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // One more attempt, the last.
        }

        return true;
    }

    private async Task AppendAsync(List<HubChange> batch, bool interrupted)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            FeedState state = await OpenLockedAsync().ConfigureAwait(false);
            var written = new List<KeyValuePair<string, byte[]?>>(batch.Count + 2);
            long next = state.Next;
            if (interrupted) written.Add(InterruptionAt(next++));
            foreach (HubChange change in batch)
            {
                written.Add(Row(KeyOf(next++), PushJson.Write(new FeedRow(
                    change.IdentityId.ToString(), change.Dataset, change.Revision, change.UnixMilliseconds))));
            }

            await WriteAsync(state with { Next = next }, written).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async ValueTask<FeedState> OpenLockedAsync()
    {
        if (_state is { } known) return known;
        byte[]? bytes = await rows.ReadAsync(_stateKey).ConfigureAwait(false);
        FeedState state = bytes is null
            ? new FeedState(RandomNumberGenerator.GetHexString(16, lowercase: true), 1, 1, Open: false)
            : PushJson.Read<FeedState>(bytes, _stateKey);
        var written = new List<KeyValuePair<string, byte[]?>>();
        long next = state.Next;
        if (state.Open) written.Add(InterruptionAt(next++));
        state = state with { Next = next, Open = true };
        await WriteAsync(state, written).ConfigureAwait(false);
        return state;
    }

    private KeyValuePair<string, byte[]?> InterruptionAt(long sequence) => Row(
        KeyOf(sequence), PushJson.Write(new FeedRow(null, null, 0, time.GetUtcNow().ToUnixTimeMilliseconds())));

    private async Task WriteAsync(FeedState state, List<KeyValuePair<string, byte[]?>> written)
    {
        written.Add(Row(_stateKey, PushJson.Write(state)));
        await rows.WriteAsync(written).ConfigureAwait(false);
        TaskCompletionSource advanced;
        lock (_gate)
        {
            Volatile.Write(ref _state, state);
            (advanced, _advanced) = (_advanced, New());
        }

        advanced.SetResult();
    }

    private async Task<bool> SweepSomeAsync(long oldestMilliseconds, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            FeedState state = await OpenLockedAsync().ConfigureAwait(false);
            long surplus = state.Next - state.First - options.EntriesMax;
            IReadOnlyList<FeedEntry> first =
                await ReadAsync(state.First - 1, EntriesPerWriteMax, cancellationToken).ConfigureAwait(false);
            int count = first.TakeWhile((entry, place) =>
                place < surplus || entry.Time.ToUnixTimeMilliseconds() < oldestMilliseconds).Count();
            if (count == 0) return false;
            FeedState swept = state with { First = first[count - 1].Sequence + 1 };
            var removed = first.Take(count).Select(entry => Row(KeyOf(entry.Sequence), null)).ToList();
            removed.Add(Row(_stateKey, PushJson.Write(swept)));
            await rows.WriteAsync(removed).ConfigureAwait(false);
            Volatile.Write(ref _state, swept);
            return count == EntriesPerWriteMax;
        }
        finally
        {
            _writing.Release();
        }
    }
}
