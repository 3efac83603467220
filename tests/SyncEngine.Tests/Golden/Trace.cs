using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Golden;

/// <summary>
/// A conversation of two sides as text, a line for each message in the order in which they went. Either side may be
/// scripted: it then says what the golden text has it say, and the text comes out the same only if the other, real side
/// answers as ever.
/// </summary>
internal sealed class Trace(string golden, bool scriptsLeft = false, bool scriptsRight = false) : IDisposable
{
    private const int MessagesMax = 200;
    private readonly List<string> _lines = [];
    private readonly string[] _golden = golden.Split('\n');

    public TraceSide Left { get; } = new("left", "->", scriptsLeft);

    public TraceSide Right { get; } = new("right", "<-", scriptsRight);

    public ManualTime Time { get; } = new();

    public string Text => string.Join('\n', _lines) + "\n";

    public void Note(string what) => _lines.Add("# " + what);

    public void Open(TraceSide side, IdentityId id, ulong seed, bool isPaired = true, FrameLimits? limits = null) =>
        side.Open(id, seed, isPaired, Time, limits ?? new FrameLimits());

    /// <summary>Something that a side does, a second after what was before.</summary>
    public void Do(TraceSide side, string what, Action<Identity> act)
    {
        Note($"{side.Name} {what}");
        Time.Advance(1000);
        if (side.Identity is { } identity) act(identity);
    }

    /// <summary>A new connection, opened by the left side.</summary>
    public void Connect(SessionOptions left, SessionOptions right)
    {
        Note("left connects");
        Time.Advance(1000);
        Left.Connect(left with { IsInitiator = true });
        Right.Connect(right);
    }

    public void Leave(TraceSide side)
    {
        Note($"{side.Name} leaves");
        side.Leave();
        Exchange();
    }

    /// <summary>Carries messages, each at once, one from either side in turn.</summary>
    /// <param name="messages">After how many the connection breaks; without, it goes on until there is none.</param>
    public void Exchange(int? messages = null)
    {
        (TraceSide from, TraceSide to) = (Left, Right);
        int count = 0;
        for (int silent = 0; silent < 2 && count != messages; (from, to) = (to, from))
        {
            bool any = Carry(from, to);
            silent = any ? 0 : silent + 1;
            if (any) Assert.InRange(++count, 1, MessagesMax);
        }

        if (messages is not null) Note("the connection breaks");
    }

    public void Tell(TraceSide side, string dataset)
    {
        string start = $"= {side.Name} {dataset} ";
        _lines.Add(side.Holds(dataset) is { } holds ? start + holds
            : Next.StartsWith(start, StringComparison.Ordinal) ? Next : start + "nothing in the golden text");
    }

    public void Dispose()
    {
        Left.Dispose();
        Right.Dispose();
    }

    /// <summary>The messages of a text, in order.</summary>
    public static IEnumerable<(bool IsLeft, byte[] Bytes)> MessagesOf(string text) => text.Split('\n')
        .Where(static line => line.StartsWith("->", StringComparison.Ordinal)
            || line.StartsWith("<-", StringComparison.Ordinal))
        .Select(static line => (line[0] == '-', BytesOf(line)));

    private string Next => _lines.Count < _golden.Length ? _golden[_lines.Count] : "";

    private bool Carry(TraceSide from, TraceSide to)
    {
        byte[]? message = from.TryTake();
        if (message is null && from.Identity is null && Next.StartsWith(from.Arrow, StringComparison.Ordinal))
            message = BytesOf(Next);
        if (message is null) return false;
        string type = ((FrameType)message[2]).ToString().ToLowerInvariant();
        _lines.Add($"{from.Arrow} {type} {Convert.ToHexStringLower(message)}");
        to.Receive(message);
        return true;
    }

    private static byte[] BytesOf(string line) => Convert.FromHexString(line[(line.LastIndexOf(' ') + 1)..]);
}
