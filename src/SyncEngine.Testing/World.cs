using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Identities;

namespace SyncEngine.Testing;

/// <summary>The devices, files, connections and letters of one history, and what steps do to them.</summary>
internal sealed partial class World : IDisposable
{
    private const int CopiesMax = 3;
    private const int SavedMax = 4;
    private const int LettersMax = 8;
    private const int ConnectionsMax = 6;
    private const long YearMilliseconds = 365L * 24 * 3600 * 1000;

    private readonly Simulation _simulation;
    private readonly ulong _seed;
    private readonly SimulationReport _counts;
    private readonly List<string>? _words;
    private readonly Oracle _oracle = new();
    private readonly List<SimulatedDevice> _devices = [];
    private readonly Dictionary<SimulatedDevice, HashSet<int>> _gathered = [];
    private readonly List<SimulatedConnection> _connections = [];
    private readonly List<(string From, SimulatedDisk File)> _saved = [];
    private readonly List<(SimulatedDevice To, string Dataset, byte[] Frame)> _letters = [];
    private readonly int _devicesAtFirst;
    private bool _isSplit;

    public World(Simulation simulation, ulong seed, SimulationReport counts, List<string>? words)
    {
        (_simulation, _seed, _counts, _words) = (simulation, seed, counts, words);
        Random random = Plan.RandomOf(seed);
        _devicesAtFirst = random.Next(2, Math.Max(2, simulation.DevicesMax) + 1);
        for (int i = 0; i < _devicesAtFirst; i++)
        {
            bool isWrong = (simulation.Faults & SimulationFaults.Clocks) != 0 && random.Next(4) == 0;
            long skew = isWrong ? (random.Next(3) - 1) * 10 * YearMilliseconds : random.Next(-60_000, 60_000);
            Add(new SimulatedDisk(), new SimulatedClock(1_700_000_000_000 + skew));
        }

        IdentityId identity = _devices[0].Store.Identity.Id;
        foreach (SimulatedDevice device in _devices) Wait(device.Store.AdoptIdentityAsync(identity));
        Tell($"{_devicesAtFirst} devices of one person");
    }

    public void Apply(Step step)
    {
        _counts.Steps++;
        var random = new Random(step.Seed);
        SimulatedDevice device = _devices[step.First % _devices.Count], other = _devices[step.Second % _devices.Count];
        SimulatedConnection? connection = _connections.Count == 0 ? null : _connections[step.First % _connections.Count];
        switch (step.Kind)
        {
            case StepKind.Write: Write(device, random); break;
            case StepKind.Gather when device.Journal.Gathered is null: GoOn(device); break;
            case StepKind.Commit: GoOn(device); break;
            case StepKind.Flush: Flush(device); break;
            case StepKind.Tick: Advance(random.Next(5_000)); break;
            case StepKind.Jump: Jump(device, random); break;
            case StepKind.Connect: Connect(device, other, random); break;
            case StepKind.Transmit when connection is not null: Transmit(connection, random); break;
            case StepKind.Cut when connection is not null: Cut(connection, random); break;
            case StepKind.Split: Split(random); break;
            case StepKind.Mend: Mend(); break;
            case StepKind.Deceive when connection is not null: Deceive(connection, random); break;
            case StepKind.Restart: Restart(device, random); break;
            case StepKind.Crash: Crash(device, random); break;
            case StepKind.Tear: Tear(device, random); break;
            case StepKind.Copy when _devices.Count < _devicesAtFirst + CopiesMax: Copy(device); break;
            case StepKind.Save when _saved.Count < SavedMax: Save(device); break;
            case StepKind.Restore when _saved.Count > 0: Restore(device, random); break;
            case StepKind.Forget: Forget(device, other, random); break;
            case StepKind.Mail when _letters.Count < LettersMax && device != other: Mail(device, other, random); break;
            case StepKind.DeliverMail when _letters.Count > 0: DeliverMail(step.First, random); break;
        }
    }

    public void Dispose()
    {
        foreach (SimulatedConnection connection in _connections) connection.Dispose();
    }

    private static void Wait(ValueTask task) => task.AsTask().GetAwaiter().GetResult();

    private void Tell(string words) => _words?.Add(words);

    private void Add(SimulatedDisk disk, SimulatedClock clock)
    {
        int number = _devices.Count;
        _devices.Add(new SimulatedDevice(number, (_seed * 131) + (ulong)number + 1, disk, clock, _simulation.RepeatsRandomness));
    }

    private void Write(SimulatedDevice device, Random random)
    {
        Dataset dataset = device.Dataset(_simulation.Write is null && random.Next(4) == 0 ? "notes" : "save");
        _simulation.Configure?.Invoke(dataset);
        _oracle.BeforeWrite(dataset);
        try
        {
            (_simulation.Write ?? RandomWrites.Write)(dataset, random);
        }
        catch (Exception e)
        {
            throw new HistoryException($"The write of {device.Name} failed: {e.GetType().Name}: {e.Message}", e);
        }

        int first = _oracle.Writes.Count;
        _counts.Writes += _oracle.AfterWrite(dataset, device.Name);
        for (int i = first; i < _oracle.Writes.Count && _words is not null; i++) Tell($"{_oracle.Writes[i]} is written");
        Check(device);
    }

    /// <summary>The storage does one piece of its work.</summary>
    private void GoOn(SimulatedDevice device)
    {
        bool lands = device.Journal.Gathered is not null;
        if (!device.Journal.StepNow()) return;
        if (lands) NoteLanded(device);
        else if (device.Journal.Gathered is not null)
            _gathered[device] = [.. Seen(device, isDurable: false).Values.SelectMany(ids => ids)];
        Tell($"{device.Name} {(lands ? "commits" : device.Journal.Gathered is null ? "stages a page" : "begins a commit")}");
        Check(device);
    }

    /// <summary>What was gathered is durable, though a branch of it may have got another name since.</summary>
    private void NoteLanded(SimulatedDevice device)
    {
        foreach (int id in _gathered[device]) _oracle.Writes[id].WasDurable = true;
        NoteDurable(device);
    }

    private void Flush(SimulatedDevice device)
    {
        Tell($"{device.Name} waits until all is durable");
        device.Flush();
        foreach (WriteRecord write in NoteDurable(device))
        {
            if (!write.IsAcknowledged) _counts.Acknowledged++;
            write.IsAcknowledged = true;
        }

        Check(device);
    }

    private List<WriteRecord> NoteDurable(SimulatedDevice device)
    {
        var durable = new List<WriteRecord>();
        foreach (HashSet<int> ids in Seen(device, isDurable: true).Values)
            foreach (int id in ids) durable.Add(_oracle.Writes[id]);
        foreach (WriteRecord write in durable) write.WasDurable = true;
        return durable;
    }

    private void Advance(int milliseconds)
    {
        Tell($"{milliseconds} ms go by");
        foreach (SimulatedDevice device in _devices) device.Clock.Advance(milliseconds);
    }

    private void Jump(SimulatedDevice device, Random random)
    {
        long[] sizes = [6 * 60_000, 3_600_000, 10 * YearMilliseconds];
        long by = sizes[random.Next(sizes.Length)] * ((random.Next(2) * 2) - 1);
        Tell($"the clock of {device.Name} jumps by {TimeSpan.FromMilliseconds(by)}");
        device.Clock.Jump(by);
    }

    private void Connect(SimulatedDevice left, SimulatedDevice right, Random random)
    {
        if (left == right || _connections.Count >= ConnectionsMax || (_isSplit && left.Side != right.Side)
            || _connections.Exists(c => c.Devices.Contains(left) && c.Devices.Contains(right))) return;
        var connection = new SimulatedConnection(left, right, random, _simulation.Faults, _simulation.Tamper);
        Tell(connection.Words);
        _connections.Add(connection);
    }

    private void Transmit(SimulatedConnection connection, Random random)
    {
        (int changed, string? words) = connection.Step(random, _counts);
        if (words is not null) Tell(words);
        if (changed >= 0) Check(connection.Devices[changed]);
    }

    private void Cut(SimulatedConnection connection, Random random)
    {
        int end = random.Next(2);
        Tell($"the connection of {connection.Devices[0].Name} and {connection.Devices[1].Name} breaks");
        if (connection.Peek(end, random) is { } message && random.Next(2) == 0)
            Offend(connection, end, message.AsSpan(0, random.Next(1, message.Length)).ToArray(), mayBeHarmless: false);
        Close(connection);
    }

    private void Close(SimulatedConnection connection)
    {
        connection.Dispose();
        _connections.Remove(connection);
    }

    private void Disconnect(SimulatedDevice device)
    {
        foreach (SimulatedConnection connection in _connections.FindAll(c => c.Devices.Contains(device))) Close(connection);
    }

    private void Split(Random random)
    {
        _isSplit = true;
        foreach (SimulatedDevice device in _devices) device.Side = random.Next(2);
        Tell("the network splits: " + string.Join(", ", _devices.Select(device => $"{device.Name} on side {device.Side}")));
        foreach (SimulatedConnection connection in _connections.FindAll(c => c.Devices[0].Side != c.Devices[1].Side))
            Close(connection);
    }

    private void Mend()
    {
        if (_isSplit) Tell("the network is whole again");
        _isSplit = false;
    }

    /// <summary>A message arrives changed, or made up.</summary>
    private void Deceive(SimulatedConnection connection, Random random)
    {
        int end = random.Next(2);
        byte[]? message = connection.Peek(end, random);
        bool isInvented = message is null || random.Next(3) == 0;
        message = isInvented ? Deceit.Invent(random) : Deceit.Change(message!, random);
        _counts.Disturbed++;
        Tell($"{connection.Devices[end].Name} gets a message that is {(isInvented ? "made up" : "changed")}");
        Offend(connection, end, message, isInvented);
        Close(connection);
    }

    private void Offend(SimulatedConnection connection, int end, byte[] message, bool mayBeHarmless)
    {
        SimulatedDevice device = connection.Devices[end];
        string before = Fingerprint(device);
        if (connection.Deceive(end, message) && !mayBeHarmless)
            throw new HistoryException($"{device.Name} takes a damaged message for a whole one.");
        if (Fingerprint(device) != before) throw new HistoryException($"{device.Name} was changed by a bad message.");
        Check(device);
    }

    private static string Fingerprint(SimulatedDevice device) => string.Join(';', device.Datasets().Select(dataset =>
        $"{dataset.Name} {dataset.Digest:x} {dataset.Revision} {dataset.State.Tombstones} {dataset.Seen} {dataset.Collected}"));

    private void Forget(SimulatedDevice device, SimulatedDevice other, Random random)
    {
        foreach (Dataset dataset in device.Datasets())
        {
            VersionVector bound = random.Next(2) == 0 ? dataset.Version : other.Dataset(dataset.Name).Version;
            int forgotten = dataset.ForgetDeletes(bound);
            if (forgotten > 0) Tell($"{device.Name} forgets {forgotten} deletes of {dataset.Name}");
        }

        Check(device);
    }

    private void Mail(SimulatedDevice from, SimulatedDevice to, Random random)
    {
        foreach (string name in from.Store.Identity.DatasetNames)
        {
            if (from.Dataset(name).IsDamaged) continue;
            VersionVector known = random.Next(4) == 0 ? VersionVector.Empty : to.Dataset(name).Version;
            byte[] frame = from.Dataset(name).DeltaAsync(known).AsTask().GetAwaiter().GetResult();
            Tell($"{from.Name} mails {MessageWords.Of(frame)} of {name} to {to.Name}");
            _letters.Add((to, name, frame));
        }

        NoteDurable(from);
    }

    private void DeliverMail(int which, Random random)
    {
        (SimulatedDevice to, string name, byte[] frame) = _letters[which % _letters.Count];
        if (random.Next(4) > 0) _letters.RemoveAt(which % _letters.Count);
        string outcome = to.Dataset(name).Join(frame).Outcome.ToString();
        Tell($"{to.Name} opens a letter with {MessageWords.Of(frame)} of {name}: {outcome}");
        Check(to);
    }

    private void Check(SimulatedDevice device)
    {
        _counts.Checks++;
        foreach (Dataset dataset in device.Datasets()) _oracle.Check(dataset, device.Name);
    }
}
