using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Syncing;

/// <summary>The sessions that are open now, so that those of an identity or a device can be cut. Thread-safe.</summary>
internal sealed class OpenSessions
{
    private readonly object _gate = new();
    private readonly Dictionary<(string Pool, IdentityId Id), List<OpenSession>> _byIdentity = [];
    private readonly HashSet<(string Pool, IdentityId Id)> _frozen = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Notes a session; dispose it when it ends.</summary>
    public OpenSession Open(string pool, IdentityId id, string device, CancellationToken cancellationToken)
    {
        var session = new OpenSession(this, pool, id, device, cancellationToken);
        lock (_gate)
        {
            if (_frozen.Contains((pool, id)))
                throw new SyncException(SyncErrorCode.ConnectionFailed,
                    "The identity is being merged or deleted. Connect again.");
            if (!_byIdentity.TryGetValue((pool, id), out List<OpenSession>? sessions))
                _byIdentity.Add((pool, id), sessions = new List<OpenSession>(1));
            sessions.Add(session);
            _count++;
        }

        return session;
    }

    /// <summary>Whether a device of an identity is connected.</summary>
    public bool IsOpen(string pool, IdentityId id, string device)
    {
        lock (_gate)
            return _byIdentity.TryGetValue((pool, id), out List<OpenSession>? open) && open.Exists(s => s.Device == device);
    }

    /// <summary>Whether any device of an identity is connected.</summary>
    public bool IsOpen(string pool, IdentityId id)
    {
        lock (_gate) return _byIdentity.ContainsKey((pool, id));
    }

    /// <summary>How many sessions a device of an identity has.</summary>
    public int CountOf(string pool, IdentityId id, string device)
    {
        lock (_gate)
            return _byIdentity.TryGetValue((pool, id), out List<OpenSession>? open) ? open.Count(s => s.Device == device) : 0;
    }

    /// <summary>Ends the sessions of an identity, or of one of its devices; completes when they have ended.</summary>
    public async Task CutAsync(string pool, IdentityId id, string? device = null)
    {
        List<OpenSession> cut;
        lock (_gate)
        {
            if (!_byIdentity.TryGetValue((pool, id), out List<OpenSession>? open)) return;
            cut = open.FindAll(session => device is null || session.Device == device);
        }

        await CutAsync(cut).ConfigureAwait(false);
    }

    /// <summary>Ends the sessions of a pool, whose devices connect again as the pool is now; completes when they have
    /// ended.</summary>
    public async Task CutPoolAsync(string pool)
    {
        List<OpenSession> cut;
        lock (_gate) cut = [.. _byIdentity.Where(open => open.Key.Pool == pool).SelectMany(static open => open.Value)];
        await CutAsync(cut).ConfigureAwait(false);
    }

    private static async Task CutAsync(List<OpenSession> cut)
    {
        await Task.WhenAll(cut.ConvertAll(static session => session.CutAsync())).ConfigureAwait(false);
        await Task.WhenAll(cut.ConvertAll(static session => session.Ended)).ConfigureAwait(false);
    }

    /// <summary>Ends the sessions of an identity and lets none begin until the result is disposed.</summary>
    public async Task<IDisposable> FreezeAsync(string pool, IdentityId id)
    {
        lock (_gate) _frozen.Add((pool, id));
        await CutAsync(pool, id).ConfigureAwait(false);
        return new Thaw(this, pool, id);
    }

    internal void Close(OpenSession session)
    {
        lock (_gate)
        {
            if (!_byIdentity.TryGetValue((session.Pool, session.Id), out List<OpenSession>? open)
                || !open.Remove(session)) return;
            if (open.Count == 0) _byIdentity.Remove((session.Pool, session.Id));
            _count--;
        }
    }

    private sealed class Thaw(OpenSessions all, string pool, IdentityId id) : IDisposable
    {
        public void Dispose()
        {
            lock (all._gate) all._frozen.Remove((pool, id));
        }
    }
}

/// <summary>One open session.</summary>
internal sealed class OpenSession(
    OpenSessions all, string pool, IdentityId id, string device, CancellationToken cancellationToken) : IDisposable
{
    private static readonly TimeSpan _leaveMax = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _cuts;

    public string Pool => pool;

    public IdentityId Id => id;

    public string Device => device;

    /// <summary>Cancelled when the session must end.</summary>
    public CancellationToken Token => _cut.Token;

    /// <summary>Whether the hub ends it.</summary>
    public bool IsCut => Volatile.Read(ref _cuts) != 0;

    /// <summary>Tells the device that the hub ends the session; null where what carries it has no word for that.</summary>
    public Func<CancellationToken, Task>? Leave { get; set; }

    public Task Ended => _ended.Task;

    /// <summary>Tells the device, which has a second to go of itself, and ends the session.</summary>
    public async Task CutAsync()
    {
        if (Interlocked.Exchange(ref _cuts, 1) != 0) return;
        try
        {
            if (Leave is { } leave)
            {
                using var soon = new CancellationTokenSource(_leaveMax);
                await leave(soon.Token).ConfigureAwait(false);
                await _ended.Task.WaitAsync(soon.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // It does not go.
        }

        try
        {
            await _cut.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }
    }

    /// <summary>The session has ended.</summary>
    public void Dispose()
    {
        all.Close(this);
        _ended.TrySetResult();
        _cut.Dispose();
    }
}
