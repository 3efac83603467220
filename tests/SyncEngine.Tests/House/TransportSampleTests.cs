using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Tests.House;

/// <summary>The transport of docs/TRANSPORTS.md is the code between the marks below, and it works.</summary>
public sealed class TransportSampleTests
{
    [Fact]
    public void The_guide_shows_that_very_code_in_under_thirty_lines()
    {
        string[] here = Lines(File.ReadAllText(ThisFile()), "    // sample\n", "    // end\n");
        string guide = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../docs/TRANSPORTS.md"));
        Assert.Equal(Lines(guide, "```csharp\n", "```"), here);
        Assert.InRange(here.Length, 1, 29);
    }

    [Fact]
    public async Task Two_stores_sync_over_it()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        left.Identity.Dataset("save")["player"] = "Ann";
        right.Identity.Dataset("save")["level"] = 3;
        (GameSocket near, GameSocket far) = GameSocket.CreatePair();
        GameTransport here = new(near), there = new(far);
        var options = new SyncOptions { Adopts = true };
        Task<SyncResult> serving = right.ServeAsync(there, options, soon.Token).AsTask();
        Assert.True((await left.SynchronizeAsync(here, options, null, soon.Token)).IsComplete);
        Assert.True((await serving).IsComplete);
        Assert.Equal("Ann", right.Identity.Dataset("save")["player"].AsString());
        Assert.Equal(3, left.Identity.Dataset("save")["level"].AsInteger());
    }

    // sample
    internal sealed class GameTransport : ISyncTransport
    {
        private readonly ConcurrentQueue<byte[]> _received = new();
        private readonly SemaphoreSlim _arrived = new(0);
        private readonly GameSocket _socket;

        public GameTransport(GameSocket socket)
        {
            _socket = socket;
            socket.Received += message => { _received.Enqueue(message); _arrived.Release(); };
            socket.Closed += () => _arrived.Release();
        }

        public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            _socket.Send(message.ToArray());
            return default;
        }

        public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
        {
            await _arrived.WaitAsync(cancellationToken);
            if (_received.TryDequeue(out byte[]? message)) return message;
        _arrived.Release();
        return default;                                   // empty, now and whenever it is asked again: the peer is gone
        }

        public ValueTask DisposeAsync() => _socket.CloseAsync();
    }
    // end

    /// <summary>What the networking of a game looks like.</summary>
    internal sealed class GameSocket
    {
        private GameSocket? _peer;

        public event Action<byte[]>? Received;

        public event Action? Closed;

        public static (GameSocket, GameSocket) CreatePair()
        {
            GameSocket near = new(), far = new();
            (near._peer, far._peer) = (far, near);
            return (near, far);
        }

        public void Send(byte[] message) => _peer!.Received?.Invoke(message);

        public ValueTask CloseAsync()
        {
            _peer!.Closed?.Invoke();
            return default;
        }
    }

    private static string[] Lines(string text, string begin, string end)
    {
        int from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)]
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    private static string ThisFile([CallerFilePath] string here = "") => here;
}
