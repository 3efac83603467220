using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace SyncEngine.Hub.Tests.Endpoints;

/// <summary>Bodies that are no good, sent to a real endpoint.</summary>
public sealed class JsonBodyTests : IAsyncLifetime
{
    private AdminApp _app = null!;

    public async Task InitializeAsync() =>
        _app = await AdminApp.StartAsync(static options => options.BodyGrace = TimeSpan.FromSeconds(1.1));

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("""{"name":"p","nmae":1}""", "unknown-member", "$.nmae")]
    [InlineData("""{"Name":"p"}""", "unknown-member", "$.Name")]
    [InlineData("""{"name":"p","limits":{"recordMax":1}}""", "unknown-member", "$.limits.recordMax")]
    [InlineData("""{"name":"p","providers":[{"name":"a","kind":"google"},{"x":1}]}""", "unknown-member", "$.providers[1].x")]
    [InlineData("""{"name":"p","rules":[{"claim":"a","match":"equals","value":"b"}]}""", "missing-member", "$.rules[0].role")]
    [InlineData("{}", "missing-member", "$.name")]
    [InlineData("""{"name":null}""", "wrong-value", null)]
    [InlineData("""{"name":1}""", "wrong-value", "$.name")]
    [InlineData("""{"name":"p","limits":{"recordsMax":"9"}}""", "wrong-value", "$.limits.recordsMax")]
    [InlineData("""{"name":"p","limits":{"recordsMax":1e99}}""", "wrong-value", "$.limits.recordsMax")]
    [InlineData("""{"name":"p","limits":{"recordsMax":1.5}}""", "wrong-value", "$.limits.recordsMax")]
    [InlineData("""{"name":"p","fallback":0}""", "wrong-value", "$.fallback")]
    [InlineData("""{"name":"p","fallback":"Allow"}""", "wrong-value", "$.fallback")]
    [InlineData("""{"name":"p","allowsGuests":"true"}""", "wrong-value", "$.allowsGuests")]
    [InlineData("""{"name":"p","createdAt":"yesterday"}""", "wrong-value", "$.createdAt")]
    [InlineData("""{"name":"p","providers":{}}""", "wrong-value", "$.providers")]
    [InlineData("""{"name":"p","providers":null}""", "wrong-value", null)]
    [InlineData("""{"name":"p","providers":[null]}""", "bad-pool", "$.providers[0]")]
    [InlineData("""{"name":"p","rules":[null]}""", "bad-pool", "$.rules[0]")]
    [InlineData("""{"name":"p","roles":{"guest":null,"authenticated":{}}}""", "bad-pool", "$.roles.guest")]
    [InlineData("""{"name":"p","roles":{"guest":{},"authenticated":{},"":{}}}""", "bad-pool", "$.roles.guest")]
    [InlineData("""{"name":"a","name":"b"}""", "repeated-member", null)]
    [InlineData("""{"name":"p","roles":{"guest":{"x":1,"x":2},"authenticated":{}}}""", "repeated-member", null)]
    [InlineData("""{"name":"p","n\u0061me":"q"}""", "repeated-member", null)]
    [InlineData("[]", "wrong-value", "$")]
    [InlineData("null", "wrong-value", "$")]
    [InlineData("\"text\"", "wrong-value", "$")]
    [InlineData("", "body-missing", null)]
    public async Task Members_that_are_no_good_are_named(string json, string code, string? path)
    {
        string detail = (await _app.PostAsync("/admin/pools", json)).Refused(HttpStatusCode.BadRequest, code, path);
        Assert.DoesNotContain("SyncEngine.", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", detail, StringComparison.Ordinal);
        Assert.Empty(await _app.Rows.ReadRangeAsync("", null, 1));
    }

    [Theory]
    [InlineData("{\"name\":\n  'p'}", 2, 3)]
    [InlineData("{\"name\":\"p\",}", 1, 13)]
    [InlineData("{\"name\":\"p\"} x", 1, 14)]
    [InlineData("{\"name\":\"p\" // c\n}", 1, 13)]
    [InlineData("{\n\"name\":\"\\ud800\"}", 2, 8)]
    [InlineData("{\"name\":\"p\",\"roles\":{\"guest\":{\"\\udc00\":1}}}", 1, 31)]
    [InlineData("\ufeff{}", 1, 1)]
    [InlineData("{\"name\":\"p", 1, 11)]
    public async Task Places_that_are_no_JSON_are_named(string json, int line, int position)
    {
        Answer answer = await _app.PostAsync("/admin/pools", json);
        answer.Refused(HttpStatusCode.BadRequest, "malformed-json");
        Assert.Equal((line, position),
            (answer.Json.GetProperty("line").GetInt32(), answer.Json.GetProperty("position").GetInt32()));
    }

    [Fact]
    public async Task Deep_nesting_is_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("{\"a\":", 40)) + "1" + new string('}', 40);
        (await _app.PostAsync("/admin/pools", $$"""{"name":"p","guestCeiling":{{deep}}}"""))
            .Refused(HttpStatusCode.BadRequest, "malformed-json");
        (await _app.PostAsync("/admin/pools", new string('[', 200_000))).Refused(HttpStatusCode.BadRequest, "malformed-json");
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF8_are_refused()
    {
        byte[] bytes = [.. "{\"name\":\""u8, 0xC0, 0xAF, .. "\"}"u8];
        (await PostAsync(new ByteArrayContent(bytes), "application/json")).Refused(HttpStatusCode.BadRequest, "malformed-json");
    }

    [Fact]
    public async Task Large_bodies_are_refused_told_or_untold()
    {
        string json = $$"""{"name":"p","description":"{{new string('d', 300_000)}}"}""";
        (await _app.PostAsync("/admin/pools", json)).Refused(HttpStatusCode.RequestEntityTooLarge, "body-too-large");
        HttpRequestMessage request = Request(new StringContent(json), "application/json");
        request.Headers.TransferEncodingChunked = true;
        (await _app.SendAsync(request)).Refused(HttpStatusCode.RequestEntityTooLarge, "body-too-large");
        string fitting = $$"""{"name":"p","description":"d"{{new string(' ', 256 * 1024 - 30)}}}""";
        Assert.Equal(HttpStatusCode.Created, (await _app.PostAsync("/admin/pools", fitting)).Status);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData(null)]
    public async Task Other_content_types_are_refused(string? type) =>
        (await PostAsync(new ByteArrayContent("{\"name\":\"p\"}"u8.ToArray()), type))
            .Refused(HttpStatusCode.UnsupportedMediaType, "not-json");

    [Fact]
    public async Task Packed_bodies_are_refused()
    {
        HttpRequestMessage request = Request(new ByteArrayContent("{\"name\":\"p\"}"u8.ToArray()), "application/json");
        request.Content!.Headers.ContentEncoding.Add("gzip");
        (await _app.SendAsync(request)).Refused(HttpStatusCode.UnsupportedMediaType, "not-json");
    }

    [Fact]
    public async Task Long_names_are_not_repeated_in_full()
    {
        string name = new('n', 100_000);
        Answer answer = await _app.PostAsync("/admin/pools", $$"""{"{{name}}":1}""");
        answer.Refused(HttpStatusCode.BadRequest, "unknown-member");
        Assert.True(answer.Body.Length < 2000);
    }

    [Fact]
    public async Task Slow_senders_are_told_so()
    {
        using var socket = new TcpClient { ReceiveTimeout = 60_000 };
        await socket.ConnectAsync(_app.Addresses[0].Host, _app.Addresses[0].Port);
        NetworkStream stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"POST /admin/pools HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {AdminApp.Key}\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {1000}\r\n\r\n{{")));
        using var reader = new StreamReader(stream);
        string answer = await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("urn:syncengine:slow-sender", answer, StringComparison.Ordinal);
    }

    /// <summary>Whatever is done to a body, the answer is a refusal or a pool, never a failure of the hub.</summary>
    [Fact]
    public async Task Mutated_bodies_never_break_the_hub()
    {
        byte[] sound = JsonSerializer.SerializeToUtf8Bytes(Pools.SamplePools.Game, SyncEngine.Hub.Pools.PoolJson.Outside);
        var random = new Random(7117);
        for (int i = 0; i < 1500; i++)
        {
            byte[] body = [.. sound];
            for (int change = random.Next(1, 4); change > 0; change--)
                body[random.Next(body.Length)] = "{}[]\":,\\u0null1\u00ff"u8[random.Next(16)];
            var content = new ByteArrayContent(body, 0, random.Next(4) == 0 ? random.Next(body.Length) : body.Length);
            Answer answer = await PostAsync(content, "application/json");
            Assert.True((int)answer.Status is 201 or 400 or 409, Encoding.UTF8.GetString(body) + answer.Body);
            if (answer.Status == HttpStatusCode.Created)
            {
                string made = answer.Response.Headers.Location!.ToString();
                Assert.Equal(HttpStatusCode.NoContent, (await _app.DeleteAsync(made)).Status);
            }
        }
    }

    private Task<Answer> PostAsync(HttpContent content, string? type) => _app.SendAsync(Request(content, type));

    private HttpRequestMessage Request(HttpContent content, string? type)
    {
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_app.Addresses[0], "/admin/pools")) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AdminApp.Key);
        return request;
    }
}
