using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Tests.Model;

namespace SyncEngine.Tests.Simulation;

/// <summary>One replica of a history of copied files: the engine's, or the model's.</summary>
internal abstract class HealingSite : IDisposable
{
    /// <summary>The writes that it knows, by name: the oracle's, not the engine's.</summary>
    public HashSet<int> Known { get; set; } = [];

    public abstract void Put(string key, string value, long now);

    public abstract bool Delete(string key, long now);

    public abstract void Add(string key, long amount, long now);

    public abstract void Collect(HealingSite bound);

    public abstract void Reopen();

    /// <summary>The file as it is now; each call of the result opens one more copy of it.</summary>
    public abstract Func<HealingSite> Save();

    /// <summary>Encodes what another lacks (null: everything) and returns what hands it to a replica.</summary>
    public abstract Func<HealingSite, bool> Delta(HealingSite? to);

    /// <summary>Both sides tell what they have and rename what has forked.</summary>
    public abstract bool Reconcile(HealingSite other);

    /// <summary>For each key what can be read, sorted; counters as their sum.</summary>
    public abstract SortedDictionary<string, string> View();

    /// <summary>Everything in which replicas that have synced must be equal.</summary>
    public abstract string State();

    public abstract IEnumerable<string> Ids();

    public virtual void Dispose() => GC.SuppressFinalize(this);
}

internal sealed class ModelHealingSite(HealModel model) : HealingSite
{
    public override void Put(string key, string value, long now) => model.Put(key, value, now);

    public override bool Delete(string key, long now) => model.Delete(key, now);

    public override void Add(string key, long amount, long now) => model.Add(key, amount, now);

    public override void Collect(HealingSite bound) => model.Collect(new(ModelOf(bound).Vector));

    public override void Reopen() => model.Open();

    public override Func<HealingSite> Save()
    {
        HealModel saved = model.Copied();
        return () => new ModelHealingSite(saved.Copied());
    }

    public override Func<HealingSite, bool> Delta(HealingSite? to)
    {
        HealMessage message = model.Delta(to is null ? new HealKnown() : ModelOf(to));
        return site => ModelOf(site).Apply(message);
    }

    public override bool Reconcile(HealingSite other) => HealKnown.Reconcile(model, ModelOf(other)) > 0;

    public override SortedDictionary<string, string> View()
    {
        var view = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string key, var cell) in model.Cells)
        {
            List<object> live = cell.Values.Where(e => e.Value is not null).Select(e => e.Value!).ToList();
            if (live.Count == 0) continue;
            view[key] = key[0] == '#' ? $"{live.Sum(value => (long)value)}"
                : string.Join(' ', live.Select(value => (string)value).Order(StringComparer.Ordinal));
        }

        return view;
    }

    public override string State() => string.Join(' ', model.Vector.Where(c => c.Value > 0)
        .OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key}:{c.Value}{string.Join(',', model.Line[c.Key])}"))
        + string.Join(' ', model.Cells.SelectMany(c => c.Value.Where(e => e.Value.Value is not null)
            .Select(e => $"{c.Key}={e.Key}{e.Value}")).Order(StringComparer.Ordinal));

    public override IEnumerable<string> Ids() => model.Vector.Where(c => c.Value > 0).Select(c => c.Key);

    private static HealModel ModelOf(HealingSite site) => ((ModelHealingSite)site).Model;

    private HealModel Model => model;
}

/// <summary>A real dataset on a memory disk whose copies go unnoticed.</summary>
internal sealed class EngineHealingSite : HealingSite
{
    private readonly ulong _seed;
    private readonly Site _site;
    private int _copies;

    public EngineHealingSite(ulong seed, MemoryDisk? disk = null) =>
        (_seed, _site) = (seed, new Site(seed, disk ?? new MemoryDisk()));

    public Dataset Dataset => _site.Dataset;

    public override void Put(string key, string value, long now)
    {
        At(now);
        Dataset.Put(key, value);
    }

    public override bool Delete(string key, long now)
    {
        At(now);
        return Dataset.Delete(key);
    }

    public override void Add(string key, long amount, long now)
    {
        At(now);
        Dataset.Counter(key).Add(amount);
    }

    public override void Collect(HealingSite bound)
    {
        ((EngineHealingSite)bound)._site.Flush();
        Dataset.ForgetDeletes(((EngineHealingSite)bound).Dataset.Version);
    }

    public override void Reopen() => _site.Reopen();

    public override Func<HealingSite> Save()
    {
        _site.Flush();
        MemoryDisk saved = _site.Disk!.Copy(isNoticed: false);
        ulong seed = (_seed * 977) + (ulong)++_copies;
        return () => new EngineHealingSite(seed * 31 + (ulong)++_copies, saved.Copy(isNoticed: false));
    }

    public override Func<HealingSite, bool> Delta(HealingSite? to)
    {
        _site.Flush();
        VersionVector since = VersionVector.Empty;
        if (to is EngineHealingSite other)
        {
            other._site.Flush();
            Lineage told = other.Dataset.Tell(out _);
            Dataset.Reconcile(told);
            since = told.ToVector();
        }

        byte[] frame = _site.Delta(since);
        return site => ((EngineHealingSite)site).Dataset.Join(frame).Outcome != JoinOutcome.Gap;
    }

    public override bool Reconcile(HealingSite other)
    {
        var them = (EngineHealingSite)other;
        bool any = false;
        while (true)
        {
            _site.Flush();
            them._site.Flush();
            long before = Dataset.Renames + them.Dataset.Renames;
            Dataset.Reconcile(them.Dataset.Tell(out _));
            them.Dataset.Reconcile(Dataset.Tell(out _));
            if (Dataset.Renames + them.Dataset.Renames == before) return any;
            any = true;
        }
    }

    public override SortedDictionary<string, string> View()
    {
        CellReader.AssertFiguresAreRight(Dataset);
        var view = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (IGrouping<string, StandingEntry> cell in CellReader.Standing(Dataset).Where(e => !e.Value.IsMissing)
            .GroupBy(e => e.Key))
        {
            view[cell.Key] = cell.Key[0] == '#' ? $"{Dataset.Counter(cell.Key).Value}"
                : string.Join(' ', cell.Select(e => e.Value.AsString()).Order(StringComparer.Ordinal));
        }

        return view;
    }

    public override string State()
    {
        _site.Flush();
        Lineage told = Dataset.Tell(out _);
        string lines = string.Join(' ', Enumerable.Range(0, told.Count).OrderBy(i => told.Id(i))
            .Select(i => $"{told.Id(i)}:{told.Counter(i)}{string.Join(',', told.LineOf(i).ToArray())}"));
        return $"{lines} {Dataset.Digest} {CellReader.Print(Dataset, liveOnly: true)}";
    }

    public override IEnumerable<string> Ids()
    {
        _site.Flush();
        return Dataset.Version.Select(dot => dot.Replica.ToString());
    }

    public override void Dispose()
    {
        _site.Dispose();
        base.Dispose();
    }

    /// <summary>As the model's: time stands at the given value, whatever it was.</summary>
    private void At(long now) => _site.Time.Jump(now - _site.Time.WallMilliseconds);
}
