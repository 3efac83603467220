using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Brings one webhook the changes of its pool's feed: one payload after the other, each until it is taken. What was taken is
/// noted after it was, so that a crash repeats a payload and loses none.
/// </summary>
internal sealed class WebhookDelivery(
    string pool, WebhookDefinition hook, ChangeFeed feed, HubRows rows, WebhookSender sender, TimeProvider time,
    RandomSource random, ILogger logger, WebhookOptions options)
{
    /// <summary>An answer's body says nothing, but reading a small one keeps the connection usable.</summary>
    private const int AnswerBytesMax = 64 * 1024;

    private const int SkippedMax = 1000;

    private static readonly TimeSpan _restartDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _longPoll = TimeSpan.FromHours(1);

    private readonly string _progressKey = ProgressKey(pool, hook.Id);
    private WebhookProgress _progress = new(FeedCursorText.Start);

    public static string ProgressKey(string pool, string id) => $"hookstate/{pool}/{id}";

    /// <summary>Delivers until stopped, or until the webhook is disabled.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong, deliveries go on.")]
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await DeliverAllAsync(stop).ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                PushLog.WebhookBroke(logger, pool, hook.Id, e);
                await DelayAsync(_restartDelay, stop).ConfigureAwait(false);
            }
        }
    }

    private async Task DeliverAllAsync(CancellationToken stop)
    {
        byte[]? stored = await rows.ReadAsync(_progressKey, stop).ConfigureAwait(false);
        if (stored is not null) _progress = PushJson.Read<WebhookProgress>(stored, _progressKey);
        int skipped = 0;
        while (_progress.DisabledReason is null)
        {
            (List<FeedEntry> batch, FeedPage page) = await NextAsync(stop).ConfigureAwait(false);
            if (page.Outcome != FeedOutcome.Read)
            {
                await Task.Delay(_restartDelay, time, stop).ConfigureAwait(false);
                continue;
            }

            if (batch.Count > 0)
            {
                if (!await DeliverAsync(batch, page.Cursor, stop).ConfigureAwait(false)) return;
                skipped = 0;
                await StoreAsync(new WebhookProgress(page.Cursor, LastSuccess: time.GetUtcNow())).ConfigureAwait(false);
                continue;
            }

            // What the webhook does not hear of is noted now and then only: reading it again costs little.
            _progress = _progress with { Cursor = page.Cursor };
            skipped += page.Entries.Count;
            if (skipped < SkippedMax) continue;
            skipped = 0;
            await StoreAsync(_progress).ConfigureAwait(false);
        }
    }

    /// <summary>The next entries to deliver; where the feed does not reach back to the cursor, an interruption first.</summary>
    private async Task<(List<FeedEntry> Batch, FeedPage Page)> NextAsync(CancellationToken stop)
    {
        FeedPage page = await feed.ReadAsync(pool, _progress.Cursor, options.ChangesPerPayloadMax, _longPoll, stop)
            .ConfigureAwait(false);
        var batch = new List<FeedEntry>();
        if (page.Outcome != FeedOutcome.Read)
        {
            page = await feed.ReadAsync(pool, FeedCursorText.Start, options.ChangesPerPayloadMax, default, stop)
                .ConfigureAwait(false);
            long before = page.Entries.Count == 0 ? 0 : page.Entries[0].Sequence - 1;
            batch.Add(new FeedEntry(before, FeedEntryType.Interrupted, default, string.Empty, 0, time.GetUtcNow()));
        }

        batch.AddRange(page.Entries.Where(entry =>
            entry.Type == FeedEntryType.Interrupted || DatasetPattern.Matches(hook.Datasets, entry.Dataset)));
        return (batch, page);
    }

    /// <summary>Tries until the payload is taken; false once the webhook is disabled.</summary>
    private async Task<bool> DeliverAsync(List<FeedEntry> batch, string cursor, CancellationToken stop)
    {
        byte[] payload = WebhookPayload.Changes(pool, batch, cursor);
        string messageId = string.Create(
            CultureInfo.InvariantCulture, $"msg_{hook.Id}_{batch[0].Sequence}_{batch[^1].Sequence}");
        while (true)
        {
            if (_progress.NextAttempt is { } next && next > time.GetUtcNow())
                await Task.Delay(next - time.GetUtcNow(), time, stop).ConfigureAwait(false);
            using Activity? activity = HubTelemetry.Begin("webhook", pool, ActivityKind.Client);
            WebhookAnswer answer = await sender
                .SendAsync(hook, messageId, payload, AnswerBytesMax, options.Timeout, stop).ConfigureAwait(false);
            HubTelemetry.WebhookAttempts.Add(1, HubTelemetry.Pool(pool),
                HubTelemetry.Tag("outcome", answer.IsSuccess ? "Taken" : "Failed"));
            if (answer.IsSuccess) return true;
            activity?.SetStatus(ActivityStatusCode.Error, answer.Error);
            if (!await NoteFailureAsync(answer).ConfigureAwait(false)) return false;
        }
    }

    private async Task<bool> NoteFailureAsync(WebhookAnswer answer)
    {
        DateTimeOffset now = time.GetUtcNow(), since = _progress.FailingSince ?? now;
        int failures = _progress.Failures + 1;
        TimeSpan pause = options.Pauses.After(failures, answer.RetryAfter, random);
        string error = answer.Error ?? string.Empty;
        WebhookProgress failed = _progress with
        {
            Failures = failures, FailingSince = since, NextAttempt = now + pause, LastError = error,
        };
        if (answer.Status == 410)
            failed = failed with { DisabledReason = "it answered with status 410: it wants no more payloads" };
        else if (now + pause - since > options.GiveUpAfter)
            failed = failed with { DisabledReason = $"it failed since {since:u}, {failures} times; lastly, {error}" };
        await StoreAsync(failed).ConfigureAwait(false);
        if (failed.DisabledReason is { } reason) PushLog.WebhookDisabled(logger, pool, hook.Id, reason);
        else PushLog.WebhookFailed(logger, pool, hook.Id, error, failures, pause);
        return failed.DisabledReason is null;
    }

    private async Task StoreAsync(WebhookProgress progress)
    {
        await rows.WriteAsync(new KeyValuePair<string, byte[]?>(_progressKey, PushJson.Write(progress))).ConfigureAwait(false);
        _progress = progress;
    }

    private async Task DelayAsync(TimeSpan delay, CancellationToken stop)
    {
        try
        {
            await Task.Delay(delay, time, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The caller looks at the token itself.
        }
    }
}
