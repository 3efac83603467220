using SyncEngine.Datasets;

namespace SyncEngine.Testing;

internal sealed partial class World
{
    private void Restart(SimulatedDevice device, Random random)
    {
        Disconnect(device);
        bool leaps = (_simulation.Faults & SimulationFaults.Clocks) != 0 && random.Next(4) == 0;
        Tell($"{device.Name} closes and opens again{(leaps ? ", an hour back in time" : "")}");
        if (leaps) device.Clock.Jump(-3_600_000);
        LoseNothing(device, device.Restart);
    }

    private void Crash(SimulatedDevice device, Random random)
    {
        _counts.Crashes++;
        bool lands = random.Next(2) == 0;
        Tell($"{device.Name} crashes" + (device.Journal.Gathered is null ? "" : lands ? " after a commit that nobody was told of"
            : " before its commit"));
        if (lands && device.Journal.Gathered is not null) NoteLanded(device);
        Die(device, () => device.Crash(lands, _simulation.ForgetsCommits), mayLoseFile: false);
    }

    /// <summary>A piece of the file becomes unreadable: what stood in it alone may be lost, nothing else.</summary>
    private void Tear(SimulatedDevice device, Random random)
    {
        bool isTorn = false;
        _counts.Files++;
        Tell($"{device.Name} crashes, and a piece of its file cannot be read");
        HashSet<int> alone = HeldOnlyBy(device);
        _oracle.IsTorn = true;
        Die(device, () => isTorn = device.Tear(random), mayLoseFile: true);
        if (!isTorn)
        {
            Die(device, () => device.Crash(lands: false, forgets: false), mayLoseFile: false);
            return;
        }

        foreach (int id in alone) _oracle.Writes[id].MayBeGone = _oracle.Writes[id].MayBeMissing = true;
    }

    private void Copy(SimulatedDevice device)
    {
        _counts.Files++;
        Add(device.CopyFile(), new SimulatedClock(device.Clock.GetUtcNow().ToUnixTimeMilliseconds()));
        Tell($"the file of {device.Name} is copied to {_devices[^1].Name}");
        Check(_devices[^1]);
    }

    private void Save(SimulatedDevice device)
    {
        Tell($"the file of {device.Name} is backed up");
        _saved.Add((device.Name, device.CopyFile()));
    }

    private void Restore(SimulatedDevice device, Random random)
    {
        _counts.Files++;
        (string from, SimulatedDisk file) = _saved[random.Next(_saved.Count)];
        Tell($"the backup of {from} is put in the place of {device.Name}'s file");
        foreach (int id in HeldOnlyBy(device)) _oracle.Writes[id].MayBeMissing = true;
        Die(device, () => device.Replace(file.Copy()), mayLoseFile: true);
    }

    private void LoseNothing(SimulatedDevice device, Action restart)
    {
        Dictionary<string, HashSet<int>> before = Seen(device, isDurable: false);
        restart();
        NoteDurable(device);
        Dictionary<string, HashSet<int>> after = Seen(device, isDurable: true);
        foreach (KeyValuePair<string, HashSet<int>> dataset in before)
        {
            if (device.Dataset(dataset.Key).IsDamaged) continue;
            foreach (int id in dataset.Value.Where(id => !after[dataset.Key].Contains(id)))
                throw new HistoryException($"{device.Name} lost {_oracle.Writes[id]} by closing and opening again.");
        }

        Check(device);
    }

    /// <summary>A process dies. What was not durable is gone, and nobody may have seen it (invariant I2).</summary>
    private void Die(SimulatedDevice device, Action reopen, bool mayLoseFile)
    {
        Disconnect(device);
        Dictionary<string, HashSet<int>> seen = Seen(device, false), durable = Seen(device, true);
        reopen();
        NoteDurable(device);
        foreach (KeyValuePair<string, HashSet<int>> before in seen)
        {
            Dataset dataset = device.Dataset(before.Key);
            HashSet<int> after = _oracle.CoveredBy(before.Key, dataset.State.Replicas);
            foreach (int id in before.Value)
            {
                if (after.Contains(id)) continue;
                WriteRecord write = _oracle.Writes[id];
                bool wasDurable = durable[before.Key].Contains(id);
                if (wasDurable && !mayLoseFile && !dataset.IsDamaged)
                    throw new HistoryException($"{device.Name} lost {write} in a crash, though it was durable.");
                write.IsDead |= !write.WasDurable && write.Device == device.Name;
            }
        }

        foreach (SimulatedDevice each in _devices) Check(each);
    }

    /// <summary>By dataset which writes a device has seen.</summary>
    private Dictionary<string, HashSet<int>> Seen(SimulatedDevice device, bool isDurable) => device.Datasets().ToDictionary(
        dataset => dataset.Name,
        dataset => _oracle.CoveredBy(dataset.Name, isDurable ? dataset.Tell(out _) : dataset.State.Replicas));

    /// <summary>The writes of which no other device has a durable copy.</summary>
    private HashSet<int> HeldOnlyBy(SimulatedDevice device)
    {
        HashSet<int> held = [.. Seen(device, false).Values.SelectMany(ids => ids)];
        foreach (SimulatedDevice other in _devices)
            if (other != device) held.ExceptWith(Seen(other, true).Values.SelectMany(ids => ids));
        return held;
    }
}
