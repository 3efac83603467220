using System.Net;
using System.Text;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

public sealed class ServerSentEventsTests : IAsyncLifetime, IDisposable
{
    private readonly HubRows _rows = new();
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly HttpClient _http = new();
    private ChangeFeed _feed = null!;
    private ChangeHub _hub = null!;
    private LoopbackServer _server = null!;

    public async Task InitializeAsync()
    {
        _feed = PushFixture.Feed(_rows, _time);
        _hub = PushFixture.Hub(_feed);
        var events = new ServerSentEvents(
            _hub, _feed, _time, new ServerSentEventsOptions { StreamsPerDeviceMax = 4, ResumeEntriesMax = 50 });
        _server = await LoopbackServer.StartAsync((context, _) => events.RunAsync(context, PushFixture.Pool,
            PushFixture.Ann, PushFixture.Device(1), dataset => dataset != "secret", _ended.Token));
    }

    public async Task DisposeAsync()
    {
        await _ended.CancelAsync();
        await _server.DisposeAsync();
        await _hub.DisposeAsync();
        await _feed.DisposeAsync();
    }

    public void Dispose()
    {
        _http.Dispose();
        _ended.Dispose();
    }

    [Fact]
    public async Task A_stream_begins_with_a_resync_and_tells_of_others_changes_and_ends_with_the_hub()
    {
        using EventReader events = await OpenAsync(null);
        Assert.Equal("text/event-stream", events.ContentType);
        Assert.Equal("resync", (await events.NextAsync())["event"]);
        _hub.Publish(PushFixture.Change(PushFixture.Ann, "save", 1, PushFixture.Device(1)));
        _hub.Publish(PushFixture.Change(PushFixture.Ann, "secret", 2));
        _hub.Publish(PushFixture.Change(PushFixture.Bob, "save", 3));
        _hub.Publish(PushFixture.Change(PushFixture.Ann, "save", 4, PushFixture.Device(2)));
        Dictionary<string, string> change = await events.NextAsync();
        Assert.Equal("change", change["event"]);
        Assert.Equal("""{"dataset":"save","revision":4}""", change["data"]);
        await _ended.CancelAsync();
        Assert.Empty(await events.NextAsync());
    }

    [Fact]
    public async Task A_client_that_comes_back_hears_what_it_missed()
    {
        string id;
        using (EventReader events = await OpenAsync(null)) id = (await events.NextAsync())["id"];
        for (int revision = 1; revision <= 3; revision++)
        {
            _hub.Publish(PushFixture.Change(PushFixture.Ann, "d" + revision, revision));
            _hub.Publish(PushFixture.Change(PushFixture.Bob, "d" + revision, revision));
        }

        await SettleAsync("settled");
        using EventReader again = await OpenAsync(id);
        for (int revision = 1; revision <= 3; revision++)
        {
            Dictionary<string, string> change = await again.NextAsync();
            Assert.Equal($$"""{"dataset":"d{{revision}}","revision":{{revision}}}""", change["data"]);
            id = change["id"];
        }

        // The id of the third change: the fourth, of the settling, comes next for whoever goes on from there.
        using EventReader third = await OpenAsync(id);
        Assert.Equal("""{"dataset":"settled","revision":99}""", (await third.NextAsync())["data"]);
    }

    [Fact]
    public async Task An_id_of_a_live_event_never_skips_what_the_client_did_not_get()
    {
        using EventReader events = await OpenAsync(null);
        string id = (await events.NextAsync())["id"];
        for (int revision = 1; revision <= 20; revision++)
            _hub.Publish(PushFixture.Change(PushFixture.Ann, "d" + revision, revision));
        for (int revision = 1; revision <= 10; revision++)
        {
            Dictionary<string, string> change = await events.NextAsync();
            Assert.Contains($"\"d{revision}\"", change["data"], StringComparison.Ordinal);
            id = change.GetValueOrDefault("id", id);
        }

        await SettleAsync("settled");
        using EventReader again = await OpenAsync(id);
        var told = new HashSet<string>();
        while (told.Add((await again.NextAsync())["data"]) && !told.Any(data =>
            data.Contains("settled", StringComparison.Ordinal)))
        {
            // Up to the last one.
        }

        for (int revision = 11; revision <= 20; revision++)
            Assert.Contains($$"""{"dataset":"d{{revision}}","revision":{{revision}}}""", told);
    }

    [Fact]
    public async Task A_client_that_missed_too_much_or_brings_a_strange_id_gets_a_resync()
    {
        string id;
        using (EventReader events = await OpenAsync(null)) id = (await events.NextAsync())["id"];
        for (int number = 0; number < 60; number++) _feed.Note(PushFixture.Change(PushFixture.Bob, "d" + number, 1));
        await _feed.FlushAsync(PushFixture.Pool).Soon();
        using (EventReader late = await OpenAsync(id)) Assert.Equal("resync", (await late.NextAsync())["event"]);
        using EventReader strange = await OpenAsync("strange");
        Assert.Equal("resync", (await strange.NextAsync())["event"]);
    }

    [Fact]
    public async Task Comments_keep_the_stream_alive()
    {
        using EventReader events = await OpenAsync(null);
        await events.NextAsync();
        await _time.TimerAsync(30, 30);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(":", await events.LineAsync());
    }

    [Fact]
    public async Task A_device_has_a_bounded_number_of_streams()
    {
        var streams = new List<EventReader>();
        for (int number = 0; number < 4; number++)
        {
            streams.Add(await OpenAsync(null));
            await streams[^1].NextAsync();
        }

        using HttpResponseMessage fifth = await _http.GetAsync(_server.Address).Soon();
        Assert.Equal(HttpStatusCode.TooManyRequests, fifth.StatusCode);
        Assert.Equal("application/problem+json", fifth.Content.Headers.ContentType?.MediaType);
        Assert.NotNull(fifth.Headers.RetryAfter);
        using System.Text.Json.JsonDocument problem =
            System.Text.Json.JsonDocument.Parse(await fifth.Content.ReadAsStringAsync());
        Assert.Equal("urn:syncengine:too-many-streams", problem.RootElement.GetProperty("type").GetString());
        streams.ForEach(stream => stream.Dispose());
    }

    /// <summary>Publishes one more change and waits until it, and so all before it, is in the feed.</summary>
    private async Task SettleAsync(string dataset)
    {
        using ChangeSubscription subscription = _hub.Subscribe(PushFixture.Pool, PushFixture.Ann, null);
        _hub.Publish(PushFixture.Change(PushFixture.Ann, dataset, 99));
        while ((await subscription.ReadAsync().AsTask().Soon())?.Dataset != dataset)
        {
            // What was published before.
        }

        await _feed.FlushAsync(PushFixture.Pool).Soon();
    }

    private async Task<EventReader> OpenAsync(string? lastId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _server.Address);
        if (lastId is not null) request.Headers.Add("Last-Event-ID", lastId);
        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Soon();
        response.EnsureSuccessStatusCode();
        return new EventReader(response, await response.Content.ReadAsStreamAsync());
    }

    private sealed class EventReader(HttpResponseMessage response, Stream stream) : IDisposable
    {
        private readonly StreamReader _reader = new(stream, Encoding.UTF8);

        public string? ContentType => response.Content.Headers.ContentType?.MediaType;

        public async Task<string?> LineAsync() => await _reader.ReadLineAsync().Soon();

        /// <summary>The next event's fields; none at the stream's end.</summary>
        public async Task<Dictionary<string, string>> NextAsync()
        {
            var fields = new Dictionary<string, string>();
            while (await LineAsync() is { } line)
            {
                if (line.Length == 0 && fields.Count > 0) return fields;
                int colon = line.IndexOf(": ", StringComparison.Ordinal);
                if (colon > 0) fields.Add(line[..colon], line[(colon + 2)..]);
            }

            return [];
        }

        public void Dispose()
        {
            _reader.Dispose();
            response.Dispose();
        }
    }
}
