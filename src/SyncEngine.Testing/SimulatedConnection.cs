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
    private readonly int _loss;
    private readonly int _duplication;
    private readonly int _reordering;
    private readonly int _slowSide;
    private readonly Func<byte[], byte[]>? _tamper;
    private int _idle;

    public SimulatedConnection(
        SimulatedDevice left, SimulatedDevice right, Random random, SimulationFaults faults, Func<byte[], byte[]>? tamper)
    {
        _tamper = tamper;
        Devices = [left, right];
        bool isBad = random.Next(2) == 0;
        int Draw(SimulationFaults fault, int most) => isBad && (faults & fault) != 0 ? random.Next(most) : 0;
        _loss = Draw(SimulationFaults.Loss, 40);
        _duplication = Draw(SimulationFaults.Duplication, 40);
        _reordering = Draw(SimulationFaults.Reordering, 60);
        _slowSide = (faults & SimulationFaults.SlowPeers) != 0 && random.Next(6) == 0 ? random.Next(2) : -1;
        int part = random.Next(3) switch { 0 => 60, 1 => 400, _ => 256 * 1024 };
        _ends =
        [
            new SyncSession(left.Store.Identity, new SessionOptions { IsInitiator = true, PartBytes = part }),
            new SyncSession(right.Store.Identity, new SessionOptions { PartBytes = part }),
        ];
        Words = $"{left.Name} connects to {right.Name} ({_loss} % lost, {_duplication} % repeated, {_reordering} % reordered, "
            + $"{(_slowSide < 0 ? "" : Devices[_slowSide].Name + " slow, ")}parts of {part} bytes)";
    }

    public SimulatedDevice[] Devices { get; }

    public string Words { get; }

    /// <summary>Both sides know of nothing that the other lacks, and nothing is under way.</summary>
    public bool IsQuiet => _ends[0].Progress.IsLive && _ends[1].Progress.IsLive && _lines[0].Count + _lines[1].Count == 0;

    public string State => string.Join(" / ", _ends.Select((end, i) => $"{Devices[i].Name}: live {end.Progress.IsLive}, open "
        + $"{end.Progress.IsOpen}, {_lines[i].Count} messages under way to it"));

    /// <summary>One thing happens, if anything can: a session hands out a message, or one arrives.</summary>
    /// <returns>The device that took a message, and what happened in words.</returns>
    /// <exception cref="HistoryException">A session cut off an honest peer.</exception>
    public (SimulatedDevice? Changed, string? Words) Step(Random random, SimulationReport counts)
    {
        int side = random.Next(2), action = random.Next(2);
        for (int attempt = 0; attempt < 4; attempt++)
        {
            int end = (side + attempt) % 2;
            bool takes = (action + (attempt / 2)) % 2 == 0;
            if (takes ? TrySend(end, random, counts, out string? words) : TryDeliver(end, random, counts, out words))
            {
                _idle = 0;
                return (takes ? null : Devices[end], words);
            }
        }

        // What a timer does: whoever misses something says again what may be lost.
        if (++_idle % 3 != 0) return default;
        foreach (SyncSession end in _ends)
            if (end.Progress.AwaitsAcknowledgement || !end.Progress.IsLive) end.Resend();
        return (null, $"{Devices[0].Name} and {Devices[1].Name} send again what may be lost");
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
        string what = $"{Devices[end].Name} sends {MessageWords.Of(message)} to {Devices[1 - end].Name}";
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
        words = $"{Devices[end].Name} gets {MessageWords.Of(message)}{(at > 0 ? " out of turn" : "")}";
        try
        {
            _ends[end].Receive(message);
        }
        catch (SyncException e)
        {
            throw new HistoryException($"{Devices[end].Name} cuts {Devices[1 - end].Name} off: {e.Message}", e);
        }

        if (_ends[end].Progress.Refusals.Count == 0) return true;
        (string dataset, SyncException refusal) = _ends[end].Progress.Refusals.First();

        // Who misses changes in a torn file says so; it is no refusal.
        if (refusal.Code == SyncErrorCode.Damaged) return true;
        throw new HistoryException(
            $"{Devices[end].Name} and {Devices[1 - end].Name} cannot agree on {dataset}: {refusal.Message}");
    }
}
