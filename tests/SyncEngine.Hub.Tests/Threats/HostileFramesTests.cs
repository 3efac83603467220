using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using SyncEngine.Sync;
using SyncEngine.Tests.Wire;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Hub.Tests.Threats;

/// <summary>Devices that send what no client sends: nothing of it is taken, and others go on.</summary>
public sealed class HostileFramesTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private static readonly Dictionary<string, Func<byte[], IEnumerable<byte[]>>> _attacks = new()
    {
        ["a poisoned vector"] = static good => [WithCounter(good, 1L << 47)],
        ["a vector that advances just too far"] = static good => [WithCounter(good, (1L << 32) + 1)],
        ["a counter out of range"] = static good => [WithCounter(good, (1L << 48) + 1)],
        ["a clock of the far future"] = static good => [FrameSurgeon.WithColumns(good, static columns =>
            columns[11] = FrameSurgeon.Encode(unchecked((long)(((1UL << 48) - 1) << 16)), 1))],
        ["a frame that says it is packed"] = static good => [FrameSurgeon.WithEnvelope(good,
            static envelope => envelope[4] = [100])],
        ["a stored frame"] = static good => [FrameSurgeon.WithEnvelope(good, static envelope => envelope[1] = [3])],
        ["another format"] = static good => [FrameSurgeon.WithEnvelope(good, static envelope => envelope[0] = [2])],
        ["a replica twice"] = static good => [FrameSurgeon.WithBody(good, static body =>
        {
            byte[] replica = FrameSurgeon.Split(body[FrameSurgeon.Replicas])[0];
            body[FrameSurgeon.Replicas] = [0x92, .. replica, .. replica];
            body[FrameSurgeon.To] = FrameSurgeon.Encode(1, 1);
        })],
        ["an array without end"] = static good => [FrameSurgeon.WithBody(good, static body =>
            body[FrameSurgeon.Replicas] = [0xDD, 0x7F, 0xFF, 0xFF, 0xFF])],
        ["a negative length"] = static _ => [[0x98, 1, 1, 0, 0, 0, 0xC0, 0xC6, 0xFF, 0xFF, 0xFF, 0xFF]],
        ["nesting without end"] = static _ => [[.. Enumerable.Repeat((byte)0x91, 100_000)]],
        ["a time of nonsense"] = static _ => [[0x98, 0xC7, 0xFF, 0xFF, 1, 2, 3]],
        ["noise"] = static _ => [RandomNumberGenerator.GetBytes(5000)],
        ["a frame cut off"] = static good => [good[..^20]],
        ["another identity's hello"] = static _ => [Hello(new string('0', 31) + "1")],
    };

    public static TheoryData<string, bool> Attacks()
    {
        var all = new TheoryData<string, bool>();
        foreach (string attack in _attacks.Keys)
        {
            all.Add(attack, false);
            all.Add(attack, true);
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Nothing_is_taken_of(string attack, bool usesExchange)
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore evil = await device.OpenStoreAsync(), honest = await device.OpenStoreAsync();
        evil.Identity.Dataset("save")["evil"] = 1;
        List<byte[]> messages = [.. _attacks[attack](evil.Identity.Dataset("save").EncodeAll())];
        if (attack != "another identity's hello") messages.Insert(0, Hello(device.IdentityId));
        
        // What claims too much is refused by itself; the session goes on.
        if (usesExchange || attack.Contains("vector", StringComparison.Ordinal)
            || attack.Contains("clock", StringComparison.Ordinal)) await ExchangeAsync(hub, device, messages);
        else Assert.True(await IsCutAsync(device, messages), "The session went on.");
        honest.Identity.Dataset("save")["good"] = 1;
        Assert.True((await honest.SynchronizeAsync(device.Connector())).IsComplete);
        await using SyncStore reader = await device.OpenStoreAsync();
        await reader.SynchronizeAsync(device.Connector());
        Assert.Equal(1, reader.Identity.Dataset("save")["good"]);
        Assert.True(reader.Identity.Dataset("save")["evil"].IsMissing);
    }

    [Fact]
    public async Task Replayed_frames_change_nothing()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        store.Identity.Dataset("save").Counter("coins").Add(5);
        byte[] frame = store.Identity.Dataset("save").EncodeAll();
        for (int i = 0; i < 3; i++)
        {
            await ExchangeAsync(hub, device, [Hello(device.IdentityId), frame, frame]);
            await store.SynchronizeAsync(device.Connector());
        }

        await using SyncStore other = await device.OpenStoreAsync();
        await other.SynchronizeAsync(device.Connector());
        Assert.Equal(5, other.Identity.Dataset("save").Counter("coins").Value);
    }

    [Fact]
    public async Task Broken_lengths_and_a_foreign_session_are_refused_at_the_exchange()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync(), eve = await new RawDevice(hub,
            "game").RegisterAsync();
        foreach (byte[] body in (byte[][])[[1], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 1], [0x7F, 0xFF, 0xFF, 0xFF, 1], [0, 0,
            0, 2, 1]])
            Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(hub, device, body, null)).Status);
        (HttpStatusCode status, string? session) = await PostAsync(hub, device, Pack(Hello(device.IdentityId)), null);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(hub, eve, [], session)).Status);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(hub, device, [], session)).Status);
    }

    [Fact]
    public async Task Text_or_a_message_that_never_ends_harms_nobody_else()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using var patience = new CancellationTokenSource(_patience);
        using ClientWebSocket text = await SocketAsync(hub, device, patience.Token), endless = await SocketAsync(hub, device,
            patience.Token);
        await text.SendAsync("hi"u8.ToArray(), WebSocketMessageType.Text, true, patience.Token);
        await endless.SendAsync(new byte[100_000], WebSocketMessageType.Binary, false, patience.Token);
        Assert.True(await EndsAsync(new WebSocketTransport(text), patience.Token));
        await using SyncStore store = await device.OpenStoreAsync();
        store.Identity.Dataset("save")["good"] = 1;
        Assert.True((await store.SynchronizeAsync(device.Connector())).IsComplete);

        // Slow as it is, it does not outlive its device.
        await hub.Admin.DeleteAsync($"/admin/pools/game/identities/{device.IdentityId}/devices/{device.DeviceId}",
            patience.Token);
        Assert.True(await EndsAsync(new WebSocketTransport(endless), patience.Token));
    }

    private static byte[] WithCounter(byte[] frame, long counter) =>
        FrameSurgeon.WithBody(frame, body => body[FrameSurgeon.To] = FrameSurgeon.Encode(counter));

    private static byte[] Hello(string identity) => MessageCodec.Write(new HelloMessage(
        1, identity, false, true, false, RandomNumberGenerator.GetBytes(16),
            TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), null));

    private static async Task<ClientWebSocket> SocketAsync(HubApp hub, RawDevice device, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + device.AccessToken);
        await socket.ConnectAsync(new Uri($"ws://{hub.Address.Authority}/sync/ws"), cancellationToken);
        return socket;
    }

    private static async Task<bool> IsCutAsync(RawDevice device, List<byte[]> messages)
    {
        using var patience = new CancellationTokenSource(_patience);
        await using ISyncTransport transport = await device.Connector().ConnectAsync(patience.Token);
        foreach (byte[] message in messages) await transport.SendAsync(message, patience.Token);
        return await EndsAsync(transport, patience.Token);
    }

    private static async Task<bool> EndsAsync(ISyncTransport transport, CancellationToken cancellationToken)
    {
        try
        {
            while (!(await transport.ReceiveAsync(cancellationToken)).IsEmpty)
            {
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static byte[] Pack(params IEnumerable<byte[]> messages)
    {
        var body = new MemoryStream();
        byte[] length = new byte[4];
        foreach (byte[] message in messages)
        {
            BinaryPrimitives.WriteInt32BigEndian(length, message.Length);
            body.Write(length);
            body.Write(message);
        }

        return body.ToArray();
    }

    private static async Task ExchangeAsync(HubApp hub, RawDevice device, IEnumerable<byte[]> messages)
    {
        (HttpStatusCode status, _) = await PostAsync(hub, device, Pack(messages), null);
        Assert.True(status is HttpStatusCode.OK or HttpStatusCode.NotFound, status.ToString());
    }

    private static async Task<(HttpStatusCode Status, string? Session)> PostAsync(
        HubApp hub, RawDevice device, byte[] body, string? session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post,
            "/sync/exchange?wait=1") { Content = new ByteArrayContent(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.AccessToken);
        if (session is not null) request.Headers.Add("Syncengine-Session", session);
        using HttpResponseMessage response = await hub.Http.SendAsync(request);
        return (response.StatusCode, response.Headers.TryGetValues("Syncengine-Session",
            out IEnumerable<string>? named) ? named.First() : null);
    }
}
