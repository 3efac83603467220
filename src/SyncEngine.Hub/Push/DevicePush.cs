using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Wakes the devices of an identity when it changed: each device with one push for all changes of a short time, never the one
/// that sent them, nor one that hears of them anyway. A push is a hint and may be lost; what a device lacks it gets when it
/// synchronises. Thread-safe.
/// </summary>
internal sealed class DevicePush : IAsyncDisposable
{
    private readonly object _gate = new();
    private readonly Dictionary<(string Pool, IdentityId Identity), PushWindow> _windows = [];
    private readonly PriorityQueue<Work, TimeSpan> _waiting = new();
    private readonly Dictionary<string, IPushSender> _senders = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abandon = new();
    private readonly SemaphoreSlim _slots;
    private readonly PushRegistrations _registrations;
    private readonly Func<string, IdentityId, string, bool> _isLive;
    private readonly TimeProvider _time;
    private readonly RandomSource _random;
    private readonly ILogger<DevicePush> _logger;
    private readonly DevicePushOptions _options;
    private readonly long _start;
    private readonly Task _run;
    private TaskCompletionSource _earlier = NewSignal();
    private int _disposed;

    /// <summary>Starts waiting for changes.</summary>
    /// <param name="registrations">Who wants to be woken.</param>
    /// <param name="senders">The services; of two for one platform the later counts. None: nothing is sent.</param>
    /// <param name="isLive">Whether a device has an open session and so hears of changes anyway; null for none.</param>
    /// <param name="time">Clock of windows and pauses.</param>
    /// <param name="random">Varies the pauses.</param>
    /// <param name="logger">Hears of failures.</param>
    /// <param name="options">Windows, pauses and bounds.</param>
    public DevicePush(PushRegistrations registrations, IEnumerable<IPushSender> senders,
        Func<string, IdentityId, string, bool>? isLive, TimeProvider time, RandomSource random, ILogger<DevicePush> logger,
        DevicePushOptions? options = null)
    {
        (_registrations, _time, _random, _logger) = (registrations, time, random, logger);
        _isLive = isLive ?? (static (_, _, _) => false);
        _options = options ?? new DevicePushOptions();
        foreach (IPushSender sender in senders) _senders[sender.Platform] = sender;
        _slots = new SemaphoreSlim(_options.ConcurrencyMax, _options.ConcurrencyMax);
        _start = time.GetTimestamp();
        _run = Task.Run(RunAsync);
    }

    /// <summary>The platforms that have a sender.</summary>
    public IReadOnlyCollection<string> Platforms => _senders.Keys;

    /// <summary>Takes a change. Constant time; never waits.</summary>
    public void Note(in HubChange change)
    {
        if (_senders.Count == 0) return;
        (string, IdentityId) key = (change.Pool, change.IdentityId);
        lock (_gate)
        {
            if (!_windows.TryGetValue(key, out PushWindow? window))
            {
                window = new PushWindow();
                if (!Enqueue(new Work(change.Pool, change.IdentityId, null, [], 0), Now + _options.Window)) return;
                _windows.Add(key, window);
            }

            window.Note(change);
        }
    }

    /// <summary>Sends what was gathered, once and for a short time, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _stop.CancelAsync().ConfigureAwait(false);
        _abandon.CancelAfter(_options.StopTimeout);
        await _run.ConfigureAwait(false);
        for (int slot = 0; slot < _options.ConcurrencyMax; slot++) await _slots.WaitAsync().ConfigureAwait(false);
        _slots.Dispose();
        _stop.Dispose();
        _abandon.Dispose();
    }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private bool Enqueue(Work work, TimeSpan due)
    {
        if (_waiting.Count >= _options.WaitingMax)
        {
            PushLog.PushOverflowed(_logger);
            return false;
        }

        bool isEarliest = !_waiting.TryPeek(out _, out TimeSpan first) || due < first;
        _waiting.Enqueue(work, due);
        if (isEarliest) _earlier.TrySetResult();
        return true;
    }

    private async Task RunAsync()
    {
        while (await NextAsync().ConfigureAwait(false) is { } work)
        {
            await _slots.WaitAsync().ConfigureAwait(false);
            _ = Task.Run(() => PerformAsync(work));
        }
    }

    /// <summary>Waits for work that is due; when stopping, only windows are due, and at once. Null when all is done.</summary>
    private async Task<Work?> NextAsync()
    {
        while (true)
        {
            Task earlier;
            TimeSpan pause = Timeout.InfiniteTimeSpan;
            lock (_gate)
            {
                bool stops = _stop.IsCancellationRequested;
                while (_waiting.TryPeek(out Work? work, out TimeSpan due))
                {
                    if (!stops && due > Now)
                    {
                        // Timers take whole milliseconds: one that ran out a little early would be set again and again.
                        pause = TimeSpan.FromMilliseconds(Math.Ceiling((due - Now).TotalMilliseconds));
                        break;
                    }

                    _waiting.Dequeue();
                    if (!stops || work.Device is null) return work;
                }

                if (stops) return null;
                if (_earlier.Task.IsCompleted) _earlier = NewSignal();
                earlier = _earlier.Task;
            }

            await WaitAsync(earlier, pause).ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(Task earlier, TimeSpan pause)
    {
        try
        {
            await earlier.WaitAsync(pause, _time, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // The caller looks what is due.
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "What one identity's pushes throw must not stop the others'.")]
    private async Task PerformAsync(Work work)
    {
        try
        {
            if (work.Device is null)
            {
                await TellAsync(work).ConfigureAwait(false);
            }
            else
            {
                PushRegistration? registration = await _registrations
                    .ReadAsync(work.Pool, work.Identity, work.Device, _abandon.Token).ConfigureAwait(false);
                if (registration is not null) await SendAsync(work, work.Device, registration).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_abandon.IsCancellationRequested)
        {
            // The hub stops.
        }
        catch (Exception e)
        {
            PushLog.PushUnreadable(_logger, work.Identity.ToString(), e);
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task TellAsync(Work work)
    {
        PushWindow? window;
        lock (_gate)
        {
            if (!_windows.Remove((work.Pool, work.Identity), out window)) return;
        }

        var devices = await _registrations.ListAsync(work.Pool, work.Identity, _abandon.Token).ConfigureAwait(false);
        foreach ((string device, PushRegistration registration) in devices)
        {
            if (window.For(device, registration) is not { } datasets) continue;
            if (registration.Data is null)
            {
                await SendAsync(work with { Device = device, Datasets = datasets }, device, registration).ConfigureAwait(false);
                continue;
            }

            foreach (string dataset in datasets.Count > 0 ? datasets : registration.Datasets)
            {
                await SendAsync(work with
                {
                    Device = device, Datasets = [dataset], Data = DataOf(registration.Data, dataset, window.RevisionOf(dataset)),
                }, device, registration).ConfigureAwait(false);
            }
        }
    }

    private static Dictionary<string, string> DataOf(
        IReadOnlyDictionary<string, string> always, string dataset, long revision) => new(always)
    {
        ["datasetName"] = dataset,
        ["syncCount"] = revision.ToString(CultureInfo.InvariantCulture),
    };

    private async Task SendAsync(Work work, string device, PushRegistration registration)
    {
        if (_isLive(work.Pool, work.Identity, device)) return;
        if (!_senders.TryGetValue(registration.Platform, out IPushSender? sender)) return;
        var message = new PushMessage(registration.Token, work.Pool, work.Datasets) { Data = work.Data };
        PushResult result = await TrySendAsync(sender, device, message).ConfigureAwait(false);
        switch (result.Outcome)
        {
            case PushOutcome.Retry:
                Repeat(work with { Attempt = work.Attempt + 1 }, device, registration.Platform, result.RetryAfter);
                break;
            case PushOutcome.InvalidToken:
                await _registrations.RemoveTokenAsync(work.Pool, work.Identity, device, registration.Token)
                    .ConfigureAwait(false);
                PushLog.PushTokenGone(_logger, device, registration.Platform);
                break;
            case PushOutcome.Refused:
                PushLog.PushRefused(_logger, device, registration.Platform, result.Reason ?? "no reason given");
                break;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A sender is foreign code: whatever it throws, it is tried again.")]
    private async Task<PushResult> TrySendAsync(IPushSender sender, string device, PushMessage message)
    {
        try
        {
            return await sender.SendAsync(message, _abandon.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!_abandon.IsCancellationRequested)
        {
            PushLog.PushBroke(_logger, device, sender.Platform, e);
            return new PushResult(PushOutcome.Retry, e.Message);
        }
    }

    private void Repeat(Work work, string device, string platform, TimeSpan? asked)
    {
        if (work.Attempt >= _options.AttemptsMax)
        {
            PushLog.PushGivenUp(_logger, device, platform, work.Attempt);
            return;
        }

        TimeSpan pause = _options.Pauses.After(work.Attempt, asked, _random);
        lock (_gate) Enqueue(work, Now + pause);
    }

    /// <summary>The end of an identity's window, or another attempt for one device.</summary>
    private sealed record Work(
        string Pool, IdentityId Identity, string? Device, IReadOnlyList<string> Datasets, int Attempt)
    {
        public IReadOnlyDictionary<string, string>? Data { get; init; }
    }
}
