using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Tests.Model;
using SyncEngine.Values;
using Xunit.Sdk;

namespace SyncEngine.Tests.Simulation;

/// <summary>
/// One random history, run on the engine and on the model at once: writes, counters, forgetting under any bound, deltas on
/// any base that are lost, late, repeated and reordered, closed and reopened files, jumps of the clock. After each step
/// every replica must hold exactly what its model holds.
/// </summary>
internal sealed class DifferentialRun : IDisposable
{
    private static readonly string[] _keys = ["k0", "k1", "k2", "k3", "#0", "#1"];
    private readonly Random _random;
    private readonly List<(Site Site, JoinModel Model)> _replicas = [];
    private readonly Dictionary<ReplicaId, int> _indexes = [];
    private readonly List<(int To, byte[] Frame, ModelMessage Message)> _mail = [];
    private int _jumps;

    /// <param name="seed">Names the history.</param>
    /// <param name="makeSite">Makes the sites; a test that plants a fault brings its own.</param>
    public DifferentialRun(int seed, Func<ulong, MemoryDisk?, long, Site>? makeSite = null)
    {
        _random = new Random(seed);
        makeSite ??= static (siteSeed, disk, skew) => new Site(siteSeed, disk, skew);
        var log = new Dictionary<(int, long), LoggedWrite>();
        int count = _random.Next(2, 6);
        for (int i = 0; i < count; i++)
        {
            long skew = new long[] { 0, 0, 1000, -500, 3_600_000 }[_random.Next(5)];
            MemoryDisk? disk = _random.Next(2) == 0 ? new MemoryDisk() : null;
            _replicas.Add((makeSite(((ulong)seed << 8) + (ulong)i, disk, skew), new JoinModel(i, log)));
        }
    }

    /// <summary>Runs the history; throws where engine and model part.</summary>
    public void Run()
    {
        int steps = _random.Next(10, 121);
        for (int step = 0; step < steps; step++)
        {
            Step(step);
            for (int i = 0; i < _replicas.Count; i++) Compare(i, step);
        }

        Converge();
    }

    public void Dispose()
    {
        foreach ((Site site, _) in _replicas) site.Dispose();
    }

    private void Step(int step)
    {
        int i = _random.Next(_replicas.Count);
        (Site site, JoinModel model) = _replicas[i];
        site.Time.Advance(1);
        string key = _keys[_random.Next(_keys.Length)];
        double choice = _random.NextDouble();
        if (choice < .14 && key[0] == '#') Add(i, key, new long[] { 1, 2, -1 }[_random.Next(3)], step);
        else if (choice < .30 && key[0] == 'k') Put(i, key, $"{i}.{step}", step);
        else if (choice < .45) Delete(i, key, step);
        else if (choice < .54) Collect(i);
        else if (choice < .76) Send(i, _random.Next(_replicas.Count));
        else if (choice < .78 && site.OpenStorage is not null)
        {
            site.Reopen();
            model.Reopen();
        }
        else if (choice < .79)
        {
            // Each amount is twice the last, so that no jumps cancel out unseen.
            site.Time.Jump((20_000L << ++_jumps) * (_random.Next(2) == 0 ? 1 : -1));
            model.Reopen();
        }
        else if (_mail.Count > 0) Deliver(_mail[_random.Next(_mail.Count)]);
    }

    private void Put(int i, string key, string value, int now)
    {
        _replicas[i].Site.Dataset.Put(key, value);
        _replicas[i].Model.Put(key, value, now);
        NoteReplica(i);
    }

    private void Add(int i, string key, long amount, int now)
    {
        _replicas[i].Site.Dataset.Counter(key).Add(amount);
        _replicas[i].Model.Add(key, amount, now);
        NoteReplica(i);
    }

    private void Delete(int i, string key, int now)
    {
        RecordKind kind = key[0] == '#' ? RecordKind.Counter : RecordKind.Register;
        bool deleted = _replicas[i].Site.Dataset.Delete(key, kind);
        Check(deleted == _replicas[i].Model.Delete(key, now), $"replica {i} deleted {key} differently");
        NoteReplica(i);
    }

    private void Collect(int i)
    {
        (Site site, JoinModel model) = _replicas[i];
        JoinModel bound = _random.NextDouble() < .5 ? model : _replicas[_random.Next(_replicas.Count)].Model;
        VersionVector vector = ToVector(bound.Vector);
        Check(site.Dataset.ForgetDeletes(vector) == model.Collect(bound.Vector), $"replica {i} forgot other deletes");
    }

    private void Send(int from, int to)
    {
        Dictionary<int, long> since = _random.Next(4) switch
        {
            0 or 1 => _replicas[to].Model.Vector,
            2 => [],
            _ => _replicas[_random.Next(_replicas.Count)].Model.Vector,
        };
        ModelMessage message = _replicas[from].Model.Delta(since);
        byte[] frame = _replicas[from].Site.Delta(ToVector(since));
        _mail.Add((to, frame, message));
    }

    private void Deliver((int To, byte[] Frame, ModelMessage Message) letter)
    {
        (Site site, JoinModel model) = _replicas[letter.To];
        bool applied = model.Apply(letter.Message);
        JoinOutcome outcome = site.Apply(letter.Frame);
        Check(applied == (outcome != JoinOutcome.Gap), $"replica {letter.To} said {outcome}, the model {applied}");
    }

    private void Converge()
    {
        for (int round = 0; round < 3; round++)
            for (int a = 0; a < _replicas.Count; a++)
                for (int b = 0; b < _replicas.Count; b++)
                    if (a != b) Exchange(a, b);
        for (int i = 0; i < _replicas.Count; i++) Compare(i, -1);
        Dataset first = _replicas[0].Site.Dataset;
        string reading = Reading(first), entries = CellReader.Print(first, liveOnly: true);
        foreach ((Site site, _) in _replicas)
        {
            site.Dataset.FlushAsync().AsTask().GetAwaiter().GetResult();
            Check(site.Dataset.Version.Equals(CellReader.VectorOf(first)), "the versions differ at the end");
            Check(site.Dataset.Digest == first.Digest, "the digests differ at the end");
            Check(CellReader.Print(site.Dataset, liveOnly: true) == entries, "the entries differ at the end");
            Check(Reading(site.Dataset) == reading, "the replicas read differently at the end");
            CellReader.AssertFiguresAreRight(site.Dataset);
        }
    }

    private void Exchange(int from, int to)
    {
        Dictionary<int, long> since = _replicas[to].Model.Vector;
        Deliver((to, _replicas[from].Site.Delta(ToVector(since)), _replicas[from].Model.Delta(since)));
    }

    private void Compare(int i, int step)
    {
        (Site site, JoinModel model) = _replicas[i];
        Check(model.IsSound(), $"the model breaks I1 at replica {i}, step {step}");
        Check(Same(CellReader.VectorOf(site.Dataset), model.Vector), $"the vectors of replica {i} differ, step {step}");
        Check(Same(site.Dataset.Collected, model.Collected), $"the frontiers of replica {i} differ, step {step}");
        var real = CellReader.Standing(site.Dataset).ToDictionary(
            entry => (entry.Key, (_indexes[entry.Dot.Replica], entry.Dot.Counter)),
            entry => Plain(entry.Value));
        int expected = model.Cells.Sum(cell => cell.Value.Count);
        Check(real.Count == expected, $"replica {i} has {real.Count} entries, the model {expected}, step {step}: "
            + string.Join(' ', real) + " | " + string.Join(' ', model.Cells.SelectMany(cell => cell.Value.Select(
                entry => $"{cell.Key} {entry.Key} {entry.Value.Value}"))));
        foreach ((string key, Dictionary<(int, long), ModelEntry> cell) in model.Cells)
            foreach (((int, long) dot, ModelEntry entry) in cell)
                Check(real.TryGetValue((key, dot), out object? value) && Equals(value, entry.Value),
                    $"replica {i} lacks {dot} of {key} or has another value, step {step}");
    }

    private void NoteReplica(int i)
    {
        ReplicaId replica = _replicas[i].Site.Dataset.ReplicaId;
        if (!replica.IsNone) _indexes[replica] = i;
    }

    private VersionVector ToVector(Dictionary<int, long> vector) => new(_indexes
        .Where(pair => vector.GetValueOrDefault(pair.Value) > 0)
        .Select(pair => new Dot(pair.Key, vector[pair.Value])));

    private bool Same(VersionVector real, Dictionary<int, long> model) =>
        real.Equals(ToVector(model)) && real.Count == model.Count(component => component.Value > 0);

    private static string Reading(Dataset dataset) => string.Join('\n', dataset.Records.Select(record =>
        record + "=" + (record.Kind == RecordKind.Counter ? dataset.Counter(record.Key).Value : dataset[record.Key])))
        + "\n" + string.Join('\n', dataset.Conflicts.Select(conflict =>
            conflict.Key + ":" + conflict.Winner + "," + string.Join(',', conflict.Losers)));

    private static object? Plain(Value value) => value.Kind switch
    {
        ValueKind.Missing => null,
        ValueKind.Integer => value.AsInteger(),
        _ => value.AsString(),
    };

    private static void Check(bool holds, string failure)
    {
        if (!holds) throw new XunitException(failure);
    }
}
