using System.Text.Json;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

public sealed class WebhookTests : IAsyncLifetime, IDisposable
{
    private const string Pool = PushFixture.Pool;

    private readonly HubRows _rows = new();
    private readonly ManualTime _time = new();
    private readonly HttpClient _http = OutgoingHttp.CreateClient();
    private ChangeFeed _feed = null!;
    private Webhooks _webhooks = null!;

    public Task InitializeAsync()
    {
        _feed = PushFixture.Feed(_rows, _time);
        _webhooks = PushFixture.Webhooks(_rows, _feed, _http, _time);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _webhooks.DisposeAsync();
        await _feed.DisposeAsync();
    }

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_payload_carries_the_changes_and_a_signature_that_verifies()
    {
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(200);
        WebhookStatus hook = await CreateAsync(server, "save*");
        _feed.Note(PushFixture.Change(PushFixture.Bob, "other", 1));
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save1", 2));
        ReceivedRequest received = await server.NextAsync();
        AssertSigned(received, hook.Definition.Secrets[0].Text);
        Assert.Equal("application/json", received.Headers["Content-Type"]);
        using JsonDocument body = JsonDocument.Parse(received.Body);
        Assert.Equal("changes", body.RootElement.GetProperty("type").GetString());
        JsonElement data = body.RootElement.GetProperty("data");
        JsonElement change = Assert.Single(data.GetProperty("changes").EnumerateArray());
        Assert.Equal(Pool, data.GetProperty("pool").GetString());
        Assert.Equal("save1", change.GetProperty("dataset").GetString());
        Assert.Equal(PushFixture.Ann.ToString(), change.GetProperty("identityId").GetString());
        Assert.Equal(2, change.GetProperty("revision").GetInt64());
        FeedPage rest = await _feed.ReadAsync(Pool, data.GetProperty("cursor").GetString(), 10);
        Assert.Equal((FeedOutcome.Read, 0), (rest.Outcome, rest.Entries.Count));
    }

    [Fact]
    public async Task A_failed_payload_comes_again_after_pauses_that_grow_until_it_is_taken()
    {
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(500, 302, 404, 200);
        WebhookStatus hook = await CreateAsync(server);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        ReceivedRequest first = await server.NextAsync();
        double pause = 5;
        for (int attempt = 2; attempt <= 4; attempt++)
        {
            await _time.TimerAsync(pause * 0.79, pause * 1.21);
            WebhookStatus? failing = await _webhooks.ReadAsync(Pool, hook.Definition.Id);
            Assert.Equal(attempt - 1, failing?.Progress.Failures);
            _time.Advance(TimeSpan.FromSeconds(pause * 1.21));
            ReceivedRequest next = await server.NextAsync();
            Assert.Equal(first.Headers["webhook-id"], next.Headers["webhook-id"]);
            Assert.NotEqual(first.Headers["webhook-timestamp"], next.Headers["webhook-timestamp"]);
            Assert.Equal(first.Body, next.Body);
            AssertSigned(next, hook.Definition.Secrets[0].Text);
            pause *= 2;
        }

        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 2));
        Assert.NotEqual(first.Headers["webhook-id"], (await server.NextAsync()).Headers["webhook-id"]);
        Assert.Equal(0, (await _webhooks.ReadAsync(Pool, hook.Definition.Id))?.Progress.Failures);
    }

    [Fact]
    public async Task A_wish_to_retry_later_is_honoured()
    {
        await using LoopbackServer server = await LoopbackServer.StartAsync((context, number) =>
        {
            context.Response.StatusCode = number == 1 ? 503 : 200;
            context.Response.Headers.RetryAfter = "1000";
            return Task.CompletedTask;
        });
        await CreateAsync(server);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await server.NextAsync();
        await _time.TimerAsync(1000, 1000);
        _time.Advance(TimeSpan.FromSeconds(1000));
        await server.NextAsync();
    }

    [Fact]
    public async Task An_answer_that_does_not_come_in_time_is_a_failure()
    {
        await using LoopbackServer server = await LoopbackServer.StartAsync(async (context, number) =>
        {
            if (number == 1) await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ =>
                { }, TaskScheduler.Default);
        });
        WebhookStatus hook = await CreateAsync(server);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await server.NextAsync();
        await _time.TimerAsync(15, 15);
        _time.Advance(TimeSpan.FromSeconds(15));
        await _time.TimerAsync(3.9, 6.1);
        WebhookStatus? failing = await _webhooks.ReadAsync(Pool, hook.Definition.Id);
        Assert.Contains("15 s", failing?.Progress.LastError, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(7));
        await server.NextAsync();
    }

    [Fact]
    public async Task A_crash_after_the_delivery_and_before_it_is_noted_repeats_it_and_loses_nothing()
    {
        await using LoopbackServer server = await LoopbackServer.StartAsync(async (context, number) =>
        {
            // Delivered, but the hub ends before it hears so.
            if (number == 1) await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ =>
                { }, TaskScheduler.Default);
        });
        await CreateAsync(server);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        ReceivedRequest first = await server.NextAsync();
        await _webhooks.DisposeAsync();
        _feed.Note(PushFixture.Change(PushFixture.Bob, "save", 2));
        await _feed.DisposeAsync();
        await InitializeAsync();
        await _webhooks.StartAsync();
        var told = new List<long>();
        while (told.Count < 2) told.AddRange(Revisions(await server.NextAsync()));
        Assert.Equal([1, 2], told);
        Assert.Equal([1], Revisions(first));
    }

    [Fact]
    public async Task Payloads_come_one_after_the_other_and_in_order()
    {
        int running = 0, most = 0;
        await using LoopbackServer server = await LoopbackServer.StartAsync(async (_, _) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
        });
        await CreateAsync(server);
        for (int revision = 1; revision <= 1000; revision++)
            _feed.Note(PushFixture.Change(PushFixture.Ann, "d" + revision, revision));
        var told = new List<long>();
        while (told.Count < 1000)
        {
            List<long> some = Revisions(await server.NextAsync());
            Assert.InRange(some.Count, 1, 100);
            told.AddRange(some);
        }

        Assert.Equal(Enumerable.Range(1, 1000).Select(number => (long)number), told);
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task One_that_fails_for_three_days_is_disabled_with_the_reason_and_goes_on_once_enabled()
    {
        int status = 500;
        await using LoopbackServer server = await LoopbackServer.StartAsync((context, _) =>
        {
            context.Response.StatusCode = Volatile.Read(ref status);
            return Task.CompletedTask;
        });
        WebhookStatus hook = await CreateAsync(server);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        DateTimeOffset begin = _time.GetUtcNow();
        WebhookProgress? now = null;
        for (int attempt = 1; attempt <= 60; attempt++)
        {
            await server.NextAsync();
            int failures = attempt;
            now = await UntilAsync(hook, progress => progress.Failures >= failures);
            if (now.DisabledReason is not null) break;
            TimeSpan pause = now.NextAttempt!.Value - _time.GetUtcNow(); // A failure sets it.
            await _time.TimerAsync(pause.TotalSeconds - 0.01, pause.TotalSeconds + 0.01);
            _time.Advance(pause + TimeSpan.FromSeconds(0.01));
        }

        Assert.Contains("status 500", now?.DisabledReason, StringComparison.Ordinal);
        Assert.InRange(_time.GetUtcNow() - begin, TimeSpan.FromDays(2.5), TimeSpan.FromDays(3));
        Volatile.Write(ref status, 200);
        await _webhooks.EnableAsync(Pool, hook.Definition.Id);
        Assert.Equal([1], Revisions(await server.NextAsync()));
    }

    [Fact]
    public async Task One_that_answers_Gone_is_disabled_at_once()
    {
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(410);
        WebhookStatus hook = await CreateAsync(server);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await server.NextAsync();
        WebhookProgress now = await UntilAsync(hook, progress => progress.Failures > 0);
        Assert.Contains("410", now.DisabledReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_sign_for_a_day()
    {
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(200);
        WebhookStatus hook = await CreateAsync(server);
        string old = hook.Definition.Secrets[0].Text;
        WebhookStatus? rotated = await _webhooks.RotateSecretAsync(Pool, hook.Definition.Id);
        string current = rotated!.Definition.Secrets[0].Text; // The webhook exists.
        Assert.NotEqual(old, current);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        ReceivedRequest both = await server.NextAsync();
        AssertSigned(both, old);
        AssertSigned(both, current);
        await UntilAsync(hook, progress => progress.LastSuccess is not null);
        _time.Advance(TimeSpan.FromDays(1));
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 2));
        ReceivedRequest one = await server.NextAsync();
        AssertSigned(one, current);
        Assert.Single(one.Headers["webhook-signature"].Split(' '));
    }

    [Fact]
    public async Task What_the_feed_keeps_no_more_is_told_as_an_interruption()
    {
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(410, 200);
        WebhookStatus hook = await CreateAsync(server);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await server.NextAsync();
        await UntilAsync(hook, progress => progress.DisabledReason is not null);
        _time.Advance(TimeSpan.FromDays(30));
        await _feed.SweepAsync();
        await _webhooks.EnableAsync(Pool, hook.Definition.Id);
        using JsonDocument body = JsonDocument.Parse((await server.NextAsync()).Body);
        JsonElement change = Assert.Single(body.RootElement.GetProperty("data").GetProperty("changes").EnumerateArray());
        Assert.Equal("interrupted", change.GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_deleted_webhook_hears_nothing_more()
    {
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(200);
        WebhookStatus gone = await CreateAsync(server);
        Assert.True(await _webhooks.DeleteAsync(Pool, gone.Definition.Id));
        Assert.False(await _webhooks.DeleteAsync(Pool, gone.Definition.Id));
        Assert.Empty(await _webhooks.ListAsync(Pool));
        Assert.Empty(await _rows.ReadRangeAsync("hook", null, 10));
        WebhookStatus kept = await CreateAsync(server);
        _feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        Assert.Contains(kept.Definition.Id, (await server.NextAsync()).Headers["webhook-id"], StringComparison.Ordinal);
        Assert.Equal(1, server.Count);
    }

    [Theory]
    [InlineData("http://example.com/hook", "*")]
    [InlineData("ftp://127.0.0.1/hook", "*")]
    [InlineData("/hook", "*")]
    [InlineData("https://user:word@example.com/", "*")]
    [InlineData("https://example.com/", "")]
    [InlineData("https://example.com/", "a/b")]
    public async Task Settings_that_cannot_be_taken_are_refused(string url, string datasets) =>
        await Assert.ThrowsAsync<ArgumentException>(() =>
            _webhooks.CreateAsync(Pool, new WebhookSettings(url, WebhookEvent.Change, datasets)));

    [Theory]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_!!!!")]
    public async Task A_secret_of_another_form_is_refused(string secret) =>
        await Assert.ThrowsAsync<ArgumentException>(() => _webhooks.CreateAsync(
            Pool, new WebhookSettings("https://example.com/", WebhookEvent.Change), secret));

    private static List<long> Revisions(ReceivedRequest received)
    {
        using JsonDocument body = JsonDocument.Parse(received.Body);
        return body.RootElement.GetProperty("data").GetProperty("changes").EnumerateArray()
            .Select(change => change.GetProperty("revision").GetInt64()).ToList();
    }

    /// <summary>Verifies as a receiver would that knows only the specification.</summary>
    private void AssertSigned(ReceivedRequest received, string secret) => PushFixture.AssertSigned(received, secret, _time);

    /// <summary>Waits for what the delivery notes after the request that a test saw.</summary>
    private async Task<WebhookProgress> UntilAsync(WebhookStatus hook, Func<WebhookProgress, bool> condition)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            WebhookStatus? now = await _webhooks.ReadAsync(Pool, hook.Definition.Id, soon.Token);
            if (now is not null && condition(now.Progress)) return now.Progress;
            await Task.Delay(1, soon.Token);
        }
    }

    private Task<WebhookStatus> CreateAsync(LoopbackServer server, string datasets = "*") => _webhooks.CreateAsync(
        Pool, new WebhookSettings(new Uri(server.Address, "/hook").AbsoluteUri, WebhookEvent.Change, datasets));
}
