using SyncEngine.Causality;
using SyncEngine.Sync;

namespace SyncEngine.Testing;

/// <summary>A connection of two devices: a real session at each end, and between them a line that loses, repeats, reorders and
/// holds up messages.</summary>
internal sealed class SimulatedConnection : IDisposable
{
    private const int SlowCapacity = 2;
    private const int Capacity = 24;
    private readonly List<byte[]>[] _lines = [[], []];
    private readonly SyncSession[] _ends;
    private readonly string[] _names;
    private readonly int _loss;
    private readonly int _duplication;
    private readonly int _reordering;
    private readonly int _slowSide;
    private readonly Func<byte[], byte[]>? _tamper;
    private int _idle;

    public SimulatedConnection(
        SimulatedDevice left, SimulatedDevice right, Random random, SimulationFaults faults, Func<byte[], byte[]>? tamper)
        : this([left.Name, right.Name], part =>
        [
            new SyncSession(left.Store.Identity, new SessionOptions { IsInitiator = true, PartBytes = part }),
            new SyncSession(right.Store.Identity, new SessionOptions { PartBytes = part }),
        ], random, faults, tamper)
    {
        Devices = [left, right];
    }

    /// <summary>A connection of any two sides.</summary>
    /// <param name="names">What the sides are called.</param>
    /// <param name="open">Opens their sessions, the initiator's first, with parts of so many bytes.</param>
    /// <param name="random">Draws how bad the line is.</param>
    /// <param name="faults">What may happen on it.</param>
    /// <param name="tamper">Changes each message; null for none.</param>
    public SimulatedConnection(
        string[] names, Func<int, SyncSession[]> open, Random random, SimulationFaults faults, Func<byte[], byte[]>? tamper)
    {
        (_names, _tamper) = (names, tamper);
        bool isBad = random.Next(2) == 0;
        int Draw(SimulationFaults fault, int most) => isBad && (faults & fault) != 0 ? random.Next(most) : 0;
        _loss = Draw(SimulationFaults.Loss, 40);
        _duplication = Draw(SimulationFaults.Duplication, 40);
        _reordering = Draw(SimulationFaults.Reordering, 60);
        _slowSide = (faults & SimulationFaults.SlowPeers) != 0 && random.Next(6) == 0 ? random.Next(2) : -1;
        int part = random.Next(3) switch { 0 => 60, 1 => 400, _ => 256 * 1024 };
        _ends = open(part);
        Words = $"{names[0]} connects to {names[1]} ({_loss} % lost, {_duplication} % repeated, {_reordering} % reordered, "
            + $"{(_slowSide < 0 ? "" : names[_slowSide] + " slow, ")}parts of {part} bytes)";
    }

    /// <summary>The devices at its ends, where both are devices.</summary>
    public SimulatedDevice[] Devices { get; } = [];

    /// <summary>Whether a side may refuse writes, as a hub does.</summary>
    public bool MayRefuse { get; init; }

    public string Words { get; }

    /// <summary>For each dataset what the other end of a side has for sure.</summary>
    public Dictionary<string, VersionVector> PeerVersions(int end) => _ends[end].PeerVersions();

    /// <summary>Both sides know of nothing that the other lacks, and nothing is under way.</summary>
    public bool IsQuiet => _ends[0].Progress.IsLive && _ends[1].Progress.IsLive && _lines[0].Count + _lines[1].Count == 0;

    public string State => string.Join(" / ", _ends.Select((end, i) => $"{_names[i]}: live {end.Progress.IsLive}, open "
        + $"{end.Progress.IsOpen}, {_lines[i].Count} messages under way to it"));

    /// <summary>One thing happens, if anything can: a session hands out a message, or one arrives.</summary>
    /// <returns>The side that took a message, −1 for none, and what happened in words.</returns>
    /// <exception cref="HistoryException">A session cut off an honest peer.</exception>
    public (int Changed, string? Words) Step(Random random, SimulationReport counts)
    {
        int side = random.Next(2), action = random.Next(2);
        for (int attempt = 0; attempt < 4; attempt++)
        {
            int end = (side + attempt) % 2;
            bool takes = (action + (attempt / 2)) % 2 == 0;
            if (takes ? TrySend(end, random, counts, out string? words) : TryDeliver(end, random, counts, out words))
            {
                _idle = 0;
                return (takes ? -1 : end, words);
            }
        }

        // What a timer does: whoever misses something says again what may be lost.
        if (++_idle % 3 != 0) return (-1, null);
        foreach (SyncSession end in _ends)
            if (end.Progress.AwaitsAcknowledgement || !end.Progress.IsLive) end.Resend();
        return (-1, $"{_names[0]} and {_names[1]} send again what may be lost");
    }

    /// <summary>A message arrives that was changed on its way, or made up.</summary>
    /// <returns>Whether the end took no offence; then it changed nothing either.</returns>
    public bool Deceive(int end, byte[] message)
    {
        try
        {
            _ends[end].Receive(message);
            return true;
        }
        catch (SyncException)
        {
            return false;
        }
    }

    /// <summary>A message under way, or null.</summary>
    public byte[]? Peek(int end, Random random) =>
        _lines[end].Count == 0 ? null : _lines[end][random.Next(_lines[end].Count)];

    public void Dispose()
    {
        foreach (SyncSession end in _ends) end.Dispose();
    }

    private bool TrySend(int end, Random random, SimulationReport counts, out string? words)
    {
        words = null;
        List<byte[]> line = _lines[1 - end];
        if (line.Count >= (_slowSide == 1 - end ? SlowCapacity : Capacity)) return false;
        if (!_ends[end].TryTake(out ReadOnlyMemory<byte> taken)) return false;
        byte[] message = _tamper?.Invoke(taken.ToArray()) ?? taken.ToArray();

        // A handshake is over a connection that keeps order and loses nothing; what comes after need not be.
        bool isHello = MessageWords.IsHello(message);
        string what = $"{_names[end]} sends {MessageWords.Of(message)} to {_names[1 - end]}";
        if (!isHello && random.Next(100) < _loss)
        {
            counts.Disturbed++;
            words = what + ", which is lost";
            return true;
        }

        line.Add(message);
        words = what;
        if (isHello || random.Next(100) >= _duplication) return true;
        counts.Disturbed++;
        line.Add(message);
        words += " twice";
        return true;
    }

    private bool TryDeliver(int end, Random random, SimulationReport counts, out string? words)
    {
        words = null;
        List<byte[]> line = _lines[end];
        if (line.Count == 0 || (_slowSide == end && random.Next(4) != 0)) return false;
        int at = !MessageWords.IsHello(line[0]) && random.Next(100) < _reordering ? random.Next(Math.Min(6, line.Count)) : 0;
        byte[] message = line[at];
        line.RemoveAt(at);
        counts.Delivered++;
        if (at > 0) counts.Disturbed++;
        words = $"{_names[end]} gets {MessageWords.Of(message)}{(at > 0 ? " out of turn" : "")}";
        try
        {
            _ends[end].Receive(message);
        }
        catch (SyncException e)
        {
            throw new HistoryException($"{_names[end]} cuts {_names[1 - end]} off: {e.Message}", e);
        }

        if (MayRefuse || _ends[end].Progress.Refusals.Count == 0) return true;
        (string dataset, SyncException refusal) = _ends[end].Progress.Refusals.First();

        // Who misses changes in a torn file says so; it is no refusal.
        if (refusal.Code == SyncErrorCode.Damaged) return true;
        throw new HistoryException(
            $"{_names[end]} and {_names[1 - end]} cannot agree on {dataset}: {refusal.Message}");
    }
}
