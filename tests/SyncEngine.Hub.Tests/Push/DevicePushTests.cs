using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using SyncEngine.Causality;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

public sealed class DevicePushTests
{
    private const string Pool = PushFixture.Pool;

    private readonly ManualTime _time = new();
    private readonly PushRegistrations _registrations = new(new HubRows());
    private readonly RecordingSender _sender = new();

    [Fact]
    public async Task Many_changes_become_one_push_a_device_and_none_for_their_sender()
    {
        await RegisterAsync(1, "*");
        await RegisterAsync(2, "save*");
        await RegisterAsync(3, "other");
        await using DevicePush push = Push();
        for (int revision = 1; revision <= 50; revision++)
        {
            push.Note(PushFixture.Change(PushFixture.Ann, "save1", revision, PushFixture.Device(1)));
            push.Note(PushFixture.Change(PushFixture.Ann, "save2", revision, PushFixture.Device(1)));
        }

        await _time.TimerAsync(2, 2);
        _time.Advance(TimeSpan.FromSeconds(2));
        PushMessage only = await _sender.NextAsync();
        Assert.Equal("token2", only.Token);
        Assert.Equal(["save1", "save2"], only.Datasets);
        push.Note(PushFixture.Change(PushFixture.Ann, "other", 1, PushFixture.Device(3)));
        await push.DisposeAsync();
        Assert.Equal("token1", (await _sender.NextAsync()).Token);
        Assert.Equal(2, _sender.Count);
    }

    [Fact]
    public async Task Devices_that_changed_the_same_dataset_hear_of_each_other()
    {
        await RegisterAsync(1, "*");
        await RegisterAsync(2, "*");
        await using DevicePush push = Push();
        push.Note(PushFixture.Change(PushFixture.Ann, "save", 1, PushFixture.Device(1)));
        push.Note(PushFixture.Change(PushFixture.Ann, "save", 2, PushFixture.Device(2)));
        await push.DisposeAsync();
        Assert.Equal(["token1", "token2"], await _sender.AllAsync(2));
    }

    [Fact]
    public async Task A_device_with_an_open_session_is_not_woken()
    {
        await RegisterAsync(1, "*");
        await RegisterAsync(2, "*");
        await using DevicePush push = Push(isLive: device => device == PushFixture.Device(1));
        push.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await push.DisposeAsync();
        Assert.Equal(["token2"], await _sender.AllAsync(1));
        Assert.Equal(1, _sender.Count);
    }

    [Fact]
    public async Task A_busy_service_is_asked_again_after_the_pause_that_it_wants()
    {
        await RegisterAsync(1, "*");
        _sender.Results.Enqueue(new PushResult(PushOutcome.Retry, "busy", TimeSpan.FromSeconds(77)));
        _sender.Results.Enqueue(new PushResult(PushOutcome.Retry, "busy"));
        await using DevicePush push = Push();
        push.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await _time.TimerAsync(2, 2);
        _time.Advance(TimeSpan.FromSeconds(2));
        await _sender.NextAsync();
        await _time.TimerAsync(77, 77);
        _time.Advance(TimeSpan.FromSeconds(77));
        await _sender.NextAsync();
        await _time.TimerAsync(3.1, 4.9);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["save"], (await _sender.NextAsync()).Datasets);
    }

    [Fact]
    public async Task An_invalid_token_is_removed_but_not_one_that_replaced_it()
    {
        await RegisterAsync(1, "*");
        await RegisterAsync(2, "*");
        _sender.Results.Enqueue(new PushResult(PushOutcome.InvalidToken));
        _sender.Results.Enqueue(new PushResult(PushOutcome.InvalidToken));
        _sender.Before = async message =>
        {
            if (message.Token == "token2")
                await _registrations.PutAsync(Pool, PushFixture.Ann, PushFixture.Device(2), new("test", "newer", ["*"]));
        };
        await using DevicePush push = Push();
        push.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await push.DisposeAsync();
        (string device, PushRegistration registration) = Assert.Single(await _registrations.ListAsync(Pool, PushFixture.Ann));
        Assert.Equal((PushFixture.Device(2), "newer"), (device, registration.Token));
    }

    [Fact]
    public async Task A_sender_that_throws_is_tried_again_and_does_not_stop_the_others()
    {
        await RegisterAsync(1, "*");
        await RegisterAsync(2, "*");
        int thrown = 0;
        _sender.Before = message => message.Token == "token1" && Interlocked.Increment(ref thrown) == 1
            ? throw new InvalidOperationException("broken") : Task.CompletedTask;
        await using DevicePush push = Push();
        push.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await _time.TimerAsync(2, 2);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("token2", (await _sender.NextAsync()).Token);
        await _time.TimerAsync(1.5, 2.5);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal("token1", (await _sender.NextAsync()).Token);
    }

    [Fact]
    public async Task Attempts_are_bounded()
    {
        await RegisterAsync(1, "*");
        for (int attempt = 0; attempt < 20; attempt++) _sender.Results.Enqueue(new PushResult(PushOutcome.Retry));
        await using DevicePush push = Push();
        push.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await _time.TimerAsync(2, 2);
        _time.Advance(TimeSpan.FromSeconds(2));
        for (int attempt = 1; attempt < 6; attempt++)
        {
            await _sender.NextAsync();
            double pause = 2 << (attempt - 1);
            await _time.TimerAsync(pause * 0.79, pause * 1.21);
            _time.Advance(TimeSpan.FromSeconds(pause * 1.21));
        }

        await _sender.NextAsync();
        await push.DisposeAsync();
        Assert.Equal(6, _sender.Count);
    }

    [Theory]
    [InlineData("", "token", "*")]
    [InlineData("APNS", "token", "*")]
    [InlineData("test", "", "*")]
    [InlineData("test", "to ken", "*")]
    [InlineData("test", "token", "a/b")]
    public async Task A_registration_that_cannot_be_taken_is_refused(string platform, string token, string pattern) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await _registrations.PutAsync(
            Pool, PushFixture.Ann, PushFixture.Device(1), new PushRegistration(platform, token, [pattern])));

    [Fact]
    public async Task Registrations_of_an_identity_are_removed_together()
    {
        await RegisterAsync(1, "*");
        await RegisterAsync(2, "*");
        await _registrations.RemoveAsync(Pool, PushFixture.Ann, PushFixture.Device(1));
        Assert.Single(await _registrations.ListAsync(Pool, PushFixture.Ann));
        await _registrations.RemoveAllAsync(Pool, PushFixture.Ann);
        Assert.Empty(await _registrations.ListAsync(Pool, PushFixture.Ann));
    }

    private async Task RegisterAsync(int device, string pattern) => await _registrations.PutAsync(
        Pool, PushFixture.Ann, PushFixture.Device(device), new PushRegistration("test", $"token{device}", [pattern]));

    private DevicePush Push(Func<string, bool>? isLive = null) => new(_registrations, [_sender],
        isLive is null ? null : (_, _, device) => isLive(device), _time, RandomSource.Seeded(1),
        NullLogger<DevicePush>.Instance);

    private sealed class RecordingSender : IPushSender
    {
        private readonly Channel<PushMessage> _sent = Channel.CreateUnbounded<PushMessage>();

        public Queue<PushResult> Results { get; } = new();

        public Func<PushMessage, Task> Before { get; set; } = _ => Task.CompletedTask;

        public int Count { get; private set; }

        public string Platform => "test";

        public async ValueTask<PushResult> SendAsync(PushMessage message, CancellationToken cancellationToken)
        {
            await Before(message);
            Count++;
            PushResult result = Results.TryDequeue(out PushResult planned) ? planned : PushResult.Sent;
            await _sent.Writer.WriteAsync(message, CancellationToken.None);
            return result;
        }

        public async Task<PushMessage> NextAsync() => await _sent.Reader.ReadAsync().AsTask().Soon();

        public async Task<List<string>> AllAsync(int count)
        {
            var tokens = new List<string>();
            while (tokens.Count < count) tokens.Add((await NextAsync()).Token);
            tokens.Sort(StringComparer.Ordinal);
            return tokens;
        }
    }
}
