using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Wire;
using Xunit;
using Xunit.Abstractions;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>What a session on which nothing happens holds at the hub. Alone, since it looks at the memory of the whole
/// process.</summary>
[Collection(nameof(IdleSessionTests))]
[CollectionDefinition(nameof(IdleSessionTests), DisableParallelization = true)]
public sealed class IdleSessionTests(ITestOutputHelper output)
{
    private const int First = 50, More = 250;

    /// <summary>About 1.15 times what a session, its connection and its request hold, beside the identity's data; run after
    /// run differs by one in a hundred.</summary>
    private const int BytesMax = 22_000;

    [Fact]
    public async Task An_idle_session_holds_little()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        var devices = new List<RawDevice>();
        var sockets = new List<Socket>();
        try
        {
            for (int i = 0; i < First + More; i++)
            {
                devices.Add(await new RawDevice(hub, "game").RegisterAsync());
                using IdentityLease lease = await hub.Store.LeaseAsync("game", IdentityId.Parse(devices[i].IdentityId));
                lease.Identity.Dataset("save")["level"] = i;
            }

            await hub.Store.FlushAsync();
            var sessions = hub.Services.GetRequiredService<OpenSessions>();
            for (int i = 0; i < First; i++) sockets.Add(Open(hub, devices[i]));
            long before = GC.GetTotalMemory(forceFullCollection: true);
            for (int i = First; i < First + More; i++) sockets.Add(Open(hub, devices[i]));
            Assert.Equal(First + More, sessions.Count);
            long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / More;
            output.WriteLine($"{each:N0} bytes for each session");
            Assert.InRange(each, 1, BytesMax);
        }
        finally
        {
            foreach (Socket socket in sockets) socket.Dispose();
            foreach (RawDevice device in devices) device.Dispose();
        }
    }

    /// <summary>A session as a device opens it, over a socket that itself holds next to nothing.</summary>
    private static Socket Open(HubApp hub, RawDevice device)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 60_000 };
        socket.Connect(IPAddress.Loopback, hub.Address.Port);
        socket.Send(Encoding.ASCII.GetBytes($"GET /sync/ws HTTP/1.1\r\nHost: {hub.Address.Authority}\r\n"
            + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer {device.AccessToken}\r\n\r\n"));
        string head = "";
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal)) head += (char)Read(socket, 1)[0];
        Assert.StartsWith("HTTP/1.1 101", head, StringComparison.Ordinal);
        byte[] hello = MessageCodec.Write(new HelloMessage(1, device.IdentityId, MayAdopt: false, IsInitiator: true,
            NeedsProof: false, new byte[16], DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), null));

        // One binary message, masked with zeros. The hub answers its own hello, what it has, and that this is all.
        Assert.InRange(hello.Length, 1, 125);
        socket.Send([0x82, (byte)(0x80 | hello.Length), 0, 0, 0, 0, .. hello]);
        for (int message = 0; message < 3; message++)
        {
            int length = Read(socket, 2)[1];
            Assert.InRange(length, 1, 125);
            Read(socket, length);
        }

        return socket;
    }

    private static byte[] Read(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        for (int at = 0, read; at < count; at += read)
        {
            read = socket.Receive(bytes, at, count - at, SocketFlags.None);
            Assert.True(read > 0, "The hub closed the connection.");
        }

        return bytes;
    }
}
