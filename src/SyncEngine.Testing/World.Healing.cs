using SyncEngine.Causality;
using SyncEngine.Datasets;

namespace SyncEngine.Testing;

internal sealed partial class World
{
    private const int RoundsMax = 12;
    private const int MeetingStepsMax = 20_000;

    /// <summary>The dust settles: the network is whole and good, everybody meets everybody until nothing moves. Then all must
    /// be equal and nothing lost.</summary>
    public void Heal()
    {
        Tell("all faults end, everybody meets everybody");
        Mend();
        while (_connections.Count > 0) Close(_connections[0]);
        MeetUntilQuiet();

        // What stood in a torn piece of a file alone no peer can bring again: somebody gives it up.
        List<(SimulatedDevice Device, Dataset Dataset)> damaged = [.. _devices.SelectMany(
            device => device.Datasets().Where(dataset => dataset.IsDamaged).Select(dataset => (device, dataset)))];
        foreach ((SimulatedDevice device, Dataset dataset) in damaged) GiveUp(device, dataset, damaged);
        MeetUntilQuiet();
        CheckEquality();
        CheckAcknowledged();
        CheckApp();
    }

    private void GiveUp(SimulatedDevice device, Dataset dataset, List<(SimulatedDevice Device, Dataset Dataset)> damaged)
    {
        VersionVector beyond = new(Enumerable.Range(0, dataset.State.Replicas.Count)
            .Where(i => dataset.State.Replicas.Ceiling(i) > 0)
            .Select(i => new Dot(dataset.State.Replicas.Id(i), dataset.State.Replicas.Ceiling(i))));
        if (_devices.Exists(other => !damaged.Exists(each => each.Device == other && each.Dataset.Name == dataset.Name)
            && beyond.IsAtMost(other.Dataset(dataset.Name).Seen)))
            throw new HistoryException(
                $"{device.Name} still misses changes of {dataset.Name}, though a peer has all that it had.");
        Tell($"{device.Name} gives up what is missing of {dataset.Name}");
        HashSet<int> gone = _oracle.CoveredBy(dataset.Name, dataset.State.Replicas);
        dataset.AcceptLoss();
        HashSet<int> seen = _oracle.CoveredBy(dataset.Name, dataset.State.Replicas);
        seen.ExceptWith(gone);
        foreach (SimulatedDevice other in _devices)
        {
            bool isWhole = !damaged.Exists(each => each.Device == other && each.Dataset.Name == dataset.Name);
            if (isWhole && Seen(other, true).TryGetValue(dataset.Name, out HashSet<int>? held)) seen.ExceptWith(held);
        }

        foreach (int id in seen) _oracle.Writes[id].MayBeGone = true;
    }

    private void MeetUntilQuiet()
    {
        string before = "";
        for (int round = 0; round < RoundsMax; round++)
        {
            string now = string.Join('|', _devices.Select(Fingerprint));
            if (now == before) return;
            before = now;
            for (int i = 0; i < _devices.Count; i++)
                for (int j = 0; j < i; j++) Meet(_devices[i], _devices[j], round);
        }

        throw new HistoryException("The devices do not come to rest: they go on changing each other.");
    }

    private void Meet(SimulatedDevice left, SimulatedDevice right, int round)
    {
        var random = new Random(round);
        left.Flush();
        right.Flush();
        using var connection = new SimulatedConnection(left, right, random, SimulationFaults.None, _simulation.Tamper);
        for (int step = 0; step < MeetingStepsMax; step++)
        {
            string? words = connection.Step(random, _counts).Words;
            left.Journal.RunNow();
            right.Journal.RunNow();
            if (words is not null || !connection.IsQuiet) continue;
            Check(left);
            Check(right);
            return;
        }

        throw new HistoryException($"{left.Name} and {right.Name} meet over a good connection and do not finish: "
            + connection.State);
    }

    private void CheckEquality()
    {
        SimulatedDevice first = _devices[0];
        foreach (SimulatedDevice device in _devices) _simulation.Configure?.Invoke(device.Dataset("save"));
        foreach (SimulatedDevice device in _devices)
        {
            if (!NamesOf(device).SequenceEqual(NamesOf(first)))
                throw new HistoryException($"{device.Name} and {first.Name} know of different datasets.");
            foreach (Dataset dataset in NamesOf(device).Select(device.Dataset))
            {
                Dataset expected = first.Dataset(dataset.Name);
                if (dataset.IsDamaged) throw new HistoryException($"{dataset.Name} of {device.Name} still misses changes.");
                if (!dataset.Tell(out _).IsSameAs(expected.Tell(out _)))
                    throw new HistoryException($"{dataset.Name} is at {dataset.Version} on {device.Name} and at "
                        + $"{expected.Version} on {first.Name}.");
                if (dataset.Digest != expected.Digest)
                    throw new HistoryException($"{dataset.Name} differs between {device.Name} and {first.Name}.");
                string here = DatasetReading.Read(dataset), there = DatasetReading.Read(expected);
                if (here == there) continue;
                throw new HistoryException((_simulation.Configure is null ? "It reads differently"
                    : "The resolver shows different things: it must depend on nothing but the values that it is given")
                    + $". {dataset.Name} on {device.Name}:\n{here}\non {first.Name}:\n{there}");
            }
        }
    }

    /// <summary>Datasets of which anything is known: a torn file may have lost all that it had of one.</summary>
    private static List<string> NamesOf(SimulatedDevice device) =>
        device.Datasets().Where(dataset => dataset.Version.Count > 0).Select(dataset => dataset.Name).ToList();

    private void CheckAcknowledged()
    {
        var held = new HashSet<int>(Seen(_devices[0], true).Values.SelectMany(ids => ids));
        for (int id = 0; id < _oracle.Writes.Count; id++)
        {
            WriteRecord write = _oracle.Writes[id];
            if (write.IsAcknowledged && !write.MayBeMissing && !held.Contains(id))
                throw new HistoryException($"{write} was acknowledged as durable, and nobody has it any more.");
        }
    }

    private void CheckApp()
    {
        if (_simulation.Check is not { } check) return;
        check(_devices.ConvertAll(device => device.Dataset("save")));
    }
}
