using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Tells a client over plain HTTP which datasets changed (the event stream of the HTML standard). Events: "change" with dataset
/// and revision; "resync", which says that anything may have changed; comments in between. The first event is a resync unless
/// the client resumes. A resumed stream may repeat events, also those of the device's own changes. Thread-safe.
/// </summary>
internal sealed class ServerSentEvents(
    ChangeHub hub, ChangeFeed feed, TimeProvider time, ServerSentEventsOptions? options = null)
{
    private static readonly byte[] _comment = ":\n\n"u8.ToArray();

    private readonly ServerSentEventsOptions _options = options ?? new ServerSentEventsOptions();
    private readonly object _gate = new();
    private readonly Dictionary<(string Pool, IdentityId Identity, string Device), int> _streams = [];

    /// <summary>Runs a stream until the client leaves or it is ended; a device with too many gets 429.</summary>
    /// <param name="context">The request; nothing of its response may have been sent.</param>
    /// <param name="pool">The identity's pool.</param>
    /// <param name="identity">Whose changes are told.</param>
    /// <param name="device">Who listens; it does not hear of its own changes.</param>
    /// <param name="includes">Whether a dataset is told of; null for all. Asked for each event.</param>
    /// <param name="ended">The hub stops, or the device may not listen any longer.</param>
    public async Task RunAsync(HttpContext context, string pool, IdentityId identity, string device,
        Func<string, bool>? includes, CancellationToken ended)
    {
        if (!TryEnter((pool, identity, device)))
        {
            await RefuseAsync(context.Response).ConfigureAwait(false);
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, ended);
        try
        {
            using ChangeSubscription subscription = hub.Subscribe(pool, identity, device);
            var stream = new EventWriter(context.Response, pool, feed);
            await BeginAsync(context, either.Token).ConfigureAwait(false);
            await CatchUpAsync(context, stream, pool, identity, includes, either.Token).ConfigureAwait(false);
            await TellAsync(stream, subscription, includes, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // The stream's end.
        }
        finally
        {
            Leave((pool, identity, device));
        }
    }

    private static async Task RefuseAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status429TooManyRequests;
        response.Headers.RetryAfter = "30";
        response.ContentType = "application/problem+json";
        await response.WriteAsync("""
            {"type":"urn:syncengine:too-many-streams","title":"Too many event streams","status":429,
            "detail":"This device holds as many event streams as it may; close one, then try again."}
            """).ConfigureAwait(false);
    }

    private static async Task BeginAsync(HttpContext context, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task CatchUpAsync(HttpContext context, EventWriter stream, string pool, IdentityId identity,
        Func<string, bool>? includes, CancellationToken cancellationToken)
    {
        // What was noted before the subscription must be in what is read now; what comes after is told by the subscription.
        await feed.FlushAsync(pool, cancellationToken).ConfigureAwait(false);
        string? cursor = context.Request.Headers["Last-Event-ID"];
        bool resumed = !string.IsNullOrEmpty(cursor) && cursor is not (FeedCursorText.Start or FeedCursorText.Latest);
        for (int searched = 0; resumed;)
        {
            FeedPage page = await feed.ReadAsync(pool, cursor, ChangeFeed.PageEntriesMax, default, cancellationToken)
                .ConfigureAwait(false);
            searched += page.Entries.Count;
            resumed = page.Outcome == FeedOutcome.Read && searched <= _options.ResumeEntriesMax
                && page.Entries.All(static entry => entry.Type == FeedEntryType.Change);
            if (!resumed) break;
            foreach (FeedEntry entry in page.Entries)
            {
                if (entry.IdentityId == identity && includes?.Invoke(entry.Dataset) != false)
                    await stream.ChangeAsync(entry.Dataset, entry.Revision, entry.Sequence).ConfigureAwait(false);
            }

            cursor = page.Cursor;
            if (!page.HasMore) break;
        }

        if (!resumed)
        {
            FeedPage end = await feed.ReadAsync(pool, FeedCursorText.Latest, 1, default, cancellationToken)
                .ConfigureAwait(false);
            stream.Resync(end.Outcome == FeedOutcome.Read ? end.Cursor : null);
        }

        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task TellAsync(EventWriter stream, ChangeSubscription subscription, Func<string, bool>? includes,
        CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.Heartbeat, time);
        Task<bool> tick = timer.WaitForNextTickAsync(cancellationToken).AsTask();
        Task<bool> news = subscription.WaitAsync(cancellationToken).AsTask();
        while (true)
        {
            await Task.WhenAny(news, tick).ConfigureAwait(false);
            if (news.IsCompleted)
            {
                if (!await news.ConfigureAwait(false)) return;
                while (subscription.TryRead(out ChangeNotice notice))
                {
                    if (notice.IsResync)
                        stream.Resync(null);
                    else if (includes?.Invoke(notice.Dataset) != false)
                        await stream.ChangeAsync(notice.Dataset, notice.Revision, notice.FeedSequence).ConfigureAwait(false);
                }

                news = subscription.WaitAsync(cancellationToken).AsTask();
            }
            else
            {
                await tick.ConfigureAwait(false);
                stream.Write(_comment);
                tick = timer.WaitForNextTickAsync(cancellationToken).AsTask();
            }

            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private bool TryEnter((string, IdentityId, string) device)
    {
        lock (_gate)
        {
            int open = _streams.GetValueOrDefault(device);
            if (open >= _options.StreamsPerDeviceMax) return false;
            _streams[device] = open + 1;
            return true;
        }
    }

    private void Leave((string, IdentityId, string) device)
    {
        lock (_gate)
        {
            if (--_streams[device] == 0) _streams.Remove(device);
        }
    }

    /// <summary>Formats events; a flush waits for a slow client, and what comes meanwhile waits in the subscription's
    /// bound.</summary>
    private sealed class EventWriter(HttpResponse response, string pool, ChangeFeed feed)
    {
        private long _idSequence = -1;

        public async ValueTask ChangeAsync(string dataset, long revision, long feedSequence)
        {
            // An id stays the client's last one until another comes.
            string? id = null;
            if (feedSequence >= 0 && feedSequence != _idSequence)
            {
                id = await feed.CursorAsync(pool, feedSequence).ConfigureAwait(false);
                _idSequence = feedSequence;
            }

            Event("change", string.Create(CultureInfo.InvariantCulture,
                $"{{\"dataset\":\"{JsonEncodedText.Encode(dataset)}\",\"revision\":{revision}}}"), id);
        }

        public void Resync(string? id) => Event("resync", "{}", id);

        public void Write(byte[] bytes)
        {
            bytes.CopyTo(response.BodyWriter.GetMemory(bytes.Length));
            response.BodyWriter.Advance(bytes.Length);
        }

        public async Task FlushAsync(CancellationToken cancellationToken) =>
            await response.BodyWriter.FlushAsync(cancellationToken).ConfigureAwait(false);

        private void Event(string name, string data, string? id) => Write(Encoding.UTF8.GetBytes(
            (id is null ? string.Empty : $"id: {id}\n") + $"event: {name}\ndata: {data}\n\n"));
    }
}
