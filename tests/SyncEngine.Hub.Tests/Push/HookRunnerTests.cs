using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

public sealed class HookRunnerTests : IDisposable
{
    private static readonly ProposedChanges _changes = new(PushFixture.Pool, PushFixture.Ann, "save", PushFixture.Device(1),
    [
        new ProposedChange(new RecordName("level", RecordKind.Max), ChangeType.Updated, 4, 5),
        new ProposedChange(new RecordName("photo", RecordKind.Register), ChangeType.Added, Value.Missing,
            Value.FromBytes([1, 2, 3])),
        new ProposedChange(new RecordName("badges", RecordKind.Set), ChangeType.Added, Value.Missing, Value.Missing,
            Element: "first"),
    ]);

    private readonly ManualTime _time = new();
    private readonly HttpClient _http = OutgoingHttp.CreateClient();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Without_hooks_all_is_accepted()
    {
        HookRunner runner = Runner();
        Assert.False(runner.HasHooks(PushFixture.Pool));
        Assert.Same(HookDecision.Accept, await runner.RunAsync(_changes, default));
    }

    [Fact]
    public async Task Additions_of_all_hooks_are_collected_and_the_first_refusal_counts()
    {
        var first = new Hook((_, _) => new(HookDecision.AcceptWith(new RecordAddition("a", RecordKind.Counter, 1))));
        var second = new Hook((_, _) => new(HookDecision.AcceptWith(new RecordAddition("b", RecordKind.Register, "x"))));
        HookDecision both = await Runner(first, second).RunAsync(_changes, default);
        Assert.False(both.IsRefused);
        Assert.Equal(["a", "b"], both.Additions.Select(addition => addition.Record.Key));
        bool isAsked = false;
        HookDecision refused = await Runner(first, new Hook((_, _) => new(HookDecision.Refuse("cheating"))), new Hook((_, _) =>
        {
            isAsked = true;
            return new(HookDecision.Accept);
        })).RunAsync(_changes, default);
        Assert.Equal(("cheating", false, 0), (refused.Reason, refused.IsTemporary, refused.Additions.Count));
        Assert.False(isAsked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hook_that_does_not_answer_in_time_refuses_unless_told_otherwise(bool accepts)
    {
        var never = new TaskCompletionSource<HookDecision>();
        using var asked = new SemaphoreSlim(0);
        HookRunner runner = Runner(new HookOptions { AcceptsOnFailure = accepts }, new Hook((_, _) =>
        {
            asked.Release();
            return new(never.Task); // Does not look at its token.
        }));
        Task<HookDecision> running = runner.RunAsync(_changes, default).AsTask();
        Assert.True(await asked.WaitAsync(TimeSpan.FromSeconds(30)));
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(running.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        HookDecision decision = await running.Soon();
        Assert.Equal((!accepts, !accepts), (decision.IsRefused, decision.IsTemporary));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hook_that_throws_refuses_unless_told_otherwise(bool accepts)
    {
        HookRunner runner = Runner(new HookOptions { AcceptsOnFailure = accepts },
            new Hook((_, _) => throw new InvalidOperationException("broken")));
        HookDecision decision = await runner.RunAsync(_changes, default);
        Assert.Equal((!accepts, !accepts), (decision.IsRefused, decision.IsTemporary));
        Assert.DoesNotContain("broken", decision.Reason ?? string.Empty, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_caller_may_give_up()
    {
        using var gone = new CancellationTokenSource();
        HookRunner runner = Runner(new Hook(async (_, token) =>
        {
            await gone.CancelAsync();
            token.ThrowIfCancellationRequested();
            return HookDecision.Accept;
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await runner.RunAsync(_changes, gone.Token));
    }

    [Fact]
    public async Task A_webhook_sees_the_changes_signed_and_its_additions_can_be_written()
    {
        await using LoopbackServer server = await AnsweringAsync("""
            {"decision":"accept","additions":[
              {"key":"gold","kind":"counter","value":7},
              {"key":"seen","kind":"register","value":{"$timestamp":"2026-01-31T12:00:00.0000000Z"}},
              {"key":"bag","kind":"set","value":["a",1]},
              {"key":"bytes","kind":"map","value":{"x":{"$bytes":"AQID"}}}]}
            """);
        HookDecision decision = await AskAsync(server);
        ReceivedRequest received = await server.NextAsync();
        Assert.StartsWith("v1,", received.Headers["webhook-signature"], StringComparison.Ordinal);
        using JsonDocument body = JsonDocument.Parse(received.Body);
        Assert.Equal("proposal", body.RootElement.GetProperty("type").GetString());
        JsonElement data = body.RootElement.GetProperty("data");
        Assert.Equal("save", data.GetProperty("dataset").GetString());
        Assert.Equal(PushFixture.Device(1), data.GetProperty("device").GetString());
        Assert.Equal("""
            [{"key":"level","kind":"max","type":"updated","oldValue":4,"newValue":5},{"key":"photo","kind":"register",
            "type":"added","newValue":{"$bytes":"AQID"}},{"key":"badges","kind":"set","type":"added","element":"first"}]
            """.ReplaceLineEndings(string.Empty), data.GetProperty("changes").GetRawText());

        using SyncStore store = SyncStore.OpenInMemory();
        Dataset save = store.Identity.Dataset("save");
        save.Counter("gold").Add(5);
        await save.WriteAsync(transaction =>
        {
            foreach (RecordAddition addition in decision.Additions) addition.ApplyTo(transaction);
        });
        Assert.Equal(7, save.Counter("gold").Value);
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), save["seen"].AsTimestamp());
        Assert.Equal(2, save.Set("bag").ToArray().Count);
        Assert.Equal([1, 2, 3], save.Map("bytes")["x"].AsBytes());
    }

    [Fact]
    public async Task A_webhook_may_refuse()
    {
        await using LoopbackServer server = await AnsweringAsync("""{"decision":"refuse","reason":"level too high"}""");
        HookDecision decision = await AskAsync(server);
        Assert.Equal(("level too high", false), (decision.Reason, decision.IsTemporary));
    }

    [Fact]
    public async Task A_webhook_may_refuse_some_records()
    {
        await using LoopbackServer server = await AnsweringAsync("""
            {"decision":"refuse","reason":"no","records":[{"key":"photo","kind":"register"},{"key":"badges","kind":"set"}]}
            """);
        HookDecision decision = await AskAsync(server);
        Assert.Equal(("no", false), (decision.Reason, decision.IsTemporary));
        Assert.Equal([new RecordName("photo", RecordKind.Register), new RecordName("badges", RecordKind.Set)],
            decision.RefusedRecords);
    }

    [Fact]
    public async Task Who_refuses_a_record_that_is_not_among_the_changes_has_failed()
    {
        var known = new RecordName("photo", RecordKind.Register);
        HookDecision mistaken = await Runner(new Hook((_, _) => new(HookDecision.Refuse("no", known,
            known with { Kind = RecordKind.Counter })))).RunAsync(_changes, default);
        Assert.True(mistaken.IsTemporary);
        Assert.Empty(mistaken.RefusedRecords);
        HookDecision meant = await Runner(new Hook((_, _) => new(HookDecision.Refuse("no", known)))).RunAsync(_changes, default);
        Assert.Equal([known], meant.RefusedRecords);
        Assert.Throws<ArgumentException>(() => HookDecision.Refuse("no", []));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"decision":"maybe"}""")]
    [InlineData("""{"decision":1}""")]
    [InlineData("""{"decision":"accept","extra":1}""")]
    [InlineData("""{"decision":"accept","records":[{"key":"photo","kind":"register"}]}""")]
    [InlineData("""{"decision":"refuse","records":[]}""")]
    [InlineData("""{"decision":"refuse","records":[{"key":"photo"}]}""")]
    [InlineData("""{"decision":"refuse","records":[{"key":"photo","kind":"register","value":1}]}""")]
    [InlineData("""{"decision":"refuse","records":[{"key":"unknown","kind":"register"}]}""")]
    [InlineData("""{"decision":"accept","additions":{}}""")]
    [InlineData("""{"decision":"accept","additions":[{"key":"a","kind":"counter"}]}""")]
    [InlineData("""{"decision":"accept","additions":[{"key":"a","kind":"sum","value":1}]}""")]
    [InlineData("""{"decision":"accept","additions":[{"key":"a","kind":"counter","value":"x"}]}""")]
    [InlineData("""{"decision":"accept","additions":[{"key":"a","kind":"max","value":"x"}]}""")]
    [InlineData("""{"decision":"accept","additions":[{"key":"a","kind":"register","value":{"$bytes":1}}]}""")]
    public async Task An_answer_that_is_none_refuses_for_now(string answer)
    {
        await using LoopbackServer server = await AnsweringAsync(answer);
        Assert.True((await AskAsync(server)).IsTemporary);
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read_to_its_end()
    {
        await using LoopbackServer server = await LoopbackServer.StartAsync(async (context, _) =>
        {
            byte[] blanks = new byte[64 * 1024];
            Array.Fill(blanks, (byte)' ');
            while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(blanks);
        });
        Assert.True((await AskAsync(server)).IsTemporary);
    }

    [Fact]
    public async Task A_webhook_for_other_datasets_is_not_asked()
    {
        await using LoopbackServer server = await AnsweringAsync("""{"decision":"refuse"}""");
        Assert.False((await AskAsync(server, "other*")).IsRefused);
        Assert.Equal(0, server.Count);
    }

    [Theory]
    [InlineData(RecordKind.Counter)]
    [InlineData(RecordKind.Max)]
    [InlineData(RecordKind.Set)]
    [InlineData(RecordKind.Map)]
    [InlineData((RecordKind)99)]
    public void An_addition_has_a_value_of_its_kind(RecordKind kind) =>
        Assert.ThrowsAny<ArgumentException>(() => new RecordAddition("key", kind, "text"));

    private static Task<LoopbackServer> AnsweringAsync(string answer) =>
        LoopbackServer.StartAsync((context, _) => context.Response.WriteAsync(answer));

    private async Task<HookDecision> AskAsync(LoopbackServer server, string datasets = "*")
    {
        var rows = new HubRows();
        await using ChangeFeed feed = PushFixture.Feed(rows, _time);
        await using Webhooks webhooks = PushFixture.Webhooks(rows, feed, _http, _time);
        await webhooks.CreateAsync(PushFixture.Pool,
            new WebhookSettings(server.Address.AbsoluteUri, WebhookEvent.Proposal, datasets));
        var runner = new HookRunner([], webhooks.ProposalHooks, _time, NullLogger<HookRunner>.Instance, new HookOptions());
        Assert.True(runner.HasHooks(PushFixture.Pool));
        Assert.False(runner.HasHooks("other"));
        return await runner.RunAsync(_changes, default).AsTask().Soon();
    }

    private HookRunner Runner(params IChangeHook[] hooks) => Runner(new HookOptions(), hooks);

    private HookRunner Runner(HookOptions options, params IChangeHook[] hooks) =>
        new(hooks, null, _time, NullLogger<HookRunner>.Instance, options);

    private sealed class Hook(Func<ProposedChanges, CancellationToken, ValueTask<HookDecision>> decide) : IChangeHook
    {
        public ValueTask<HookDecision> OnChangesAsync(ProposedChanges changes, CancellationToken cancellationToken) =>
            decide(changes, cancellationToken);
    }
}
