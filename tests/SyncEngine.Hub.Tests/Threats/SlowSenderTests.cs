using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace SyncEngine.Hub.Tests.Threats;

/// <summary>Whoever sends a body drop by drop is sent away, by HTTP/2 too, where one connection carries many bodies, and hinders
/// nobody.</summary>
public sealed class SlowSenderTests : IAsyncLifetime
{
    private const int Streams = 90;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly X509Certificate2 _certificate = Certificate();
    private HubApp _hub = null!;
    private RawDevice _device = null!;

    public async Task InitializeAsync()
    {
        _hub = await HubApp.StartAsync(
            static services => services.Configure<KestrelServerOptions>(Listen),
            options: static options => options.BodyGrace = TimeSpan.FromSeconds(1.1));
        await _hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        _device = await new RawDevice(_hub, "game").RegisterAsync();
    }

    public async Task DisposeAsync()
    {
        _device.Dispose();
        await _hub.DisposeAsync();
    }

    [Theory]
    [InlineData(1, "/sync/pools/game/guests")]
    [InlineData(2, "/sync/pools/game/guests")]
    [InlineData(1, "/sync/exchange")]
    [InlineData(2, "/sync/exchange")]
    [InlineData(1, "/admin/pools")]
    public async Task Many_drops_at_once_are_each_told_so_and_the_connection_goes_on(int listener, string path)
    {
        using HttpClient http = Client(listener);
        bool isExchange = path == "/sync/exchange";

        // Together they are faster than the slowest that one may be.
        using var ends = new CancellationTokenSource();
        List<Task<HttpResponseMessage>> slow = [.. Enumerable.Range(0, isExchange ? 1 : Streams).Select(_ => SendAsync(
            http, path, new Drops(TimeSpan.FromMilliseconds(100), ends.Token)))];
        using HttpResponseMessage meanwhile = await http.GetAsync("/health").WaitAsync(_patience);
        Assert.Equal(HttpStatusCode.OK, meanwhile.StatusCode);
        foreach (Task<HttpResponseMessage> sending in slow)
        {
            using HttpResponseMessage answer = await sending.WaitAsync(_patience);
            Assert.Equal((HttpStatusCode.RequestTimeout, HttpVersion.Version20), (answer.StatusCode, answer.Version));
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            using JsonDocument problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            Assert.Equal("urn:syncengine:slow-sender", problem.RootElement.GetProperty("type").GetString());
        }

        await ends.CancelAsync();
        using HttpResponseMessage after = await http.GetAsync("/health").WaitAsync(_patience);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    private static void Listen(KestrelServerOptions kestrel)
    {
        kestrel.Listen(IPAddress.Loopback, 0);
        kestrel.Listen(IPAddress.Loopback, 0, static listener => listener.Protocols = HttpProtocols.Http2);
        kestrel.Listen(IPAddress.Loopback, 0, static listener => listener.UseHttps(_certificate));
    }

    private static X509Certificate2 Certificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
    }

    private HttpClient Client(int listener)
    {
        ICollection<string> addresses = _hub.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses;
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = false };
        handler.SslOptions.RemoteCertificateValidationCallback =
            static (_, shown, _, _) => shown?.GetCertHashString() == _certificate.Thumbprint;
        return new HttpClient(handler)
        {
            BaseAddress = new Uri(addresses.ElementAt(listener)), Timeout = _patience,
            DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    private Task<HttpResponseMessage> SendAsync(HttpClient http, string path, HttpContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = content, Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", path.StartsWith("/admin", StringComparison.Ordinal) ? HubApp.AdminKey : _device.AccessToken);
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>A body that comes byte by byte until nobody wants it any more.</summary>
    private sealed class Drops : HttpContent
    {
        private readonly TimeSpan _pause;
        private readonly CancellationToken _ends;

        public Drops(TimeSpan pause, CancellationToken ends)
        {
            (_pause, _ends) = (pause, ends);
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
            Headers.ContentLength = 10_000;
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            byte[] drop = " "u8.ToArray();
            for (int i = 0; i < 10_000; i++)
            {
                await stream.WriteAsync(drop, _ends);
                await stream.FlushAsync(_ends);
                await Task.Delay(_pause, _ends);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 10_000;
            return true;
        }
    }
}
