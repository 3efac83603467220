using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Laws;

/// <summary>
/// Three replicas with a random past in one kind of record. Each write is logged with the entries it took out, so that
/// invariant I1 can be checked of every replica at every step.
/// </summary>
internal sealed class LawHistory : IDisposable
{
    private readonly KindOperations _operations;
    private readonly Random _random;
    private readonly HashSet<Dot> _live = [];
    private readonly Dictionary<Dot, HashSet<Dot>> _superseded = [];

    public LawHistory(KindOperations operations, int seed)
    {
        (_operations, _random) = (operations, new Random(seed));
        Sites = Enumerable.Range(0, 3)
            .Select(i => new Site(unchecked((ulong)seed * 31 + (ulong)i), skewMilliseconds: 700 * i)).ToArray();
    }

    public Site[] Sites { get; }

    public static Dataset Fresh() => new("save", 1, new DatasetContext());

    public void Diverge()
    {
        for (int step = 0; step < 30; step++)
        {
            Site site = Sites[_random.Next(3)], other = Sites[_random.Next(3)];
            site.Time.Advance(_random.Next(3));
            int choice = _random.Next(10);
            if (choice < 7) Operate(site);
            else if (choice < 9) other.Apply(site.Delta(CellReader.VectorOf(other.Dataset)));
            else site.Dataset.ForgetDeletes(CellReader.VectorOf(other.Dataset));
            foreach (Site each in Sites) AssertSound(each);
        }
    }

    public void Converge()
    {
        for (int round = 0; round < 2; round++)
            foreach (Site a in Sites)
                foreach (Site b in Sites)
                    if (a != b) b.Apply(a.Delta(CellReader.VectorOf(b.Dataset)));
        foreach (Site site in Sites) AssertSound(site);
    }

    public void Dispose()
    {
        foreach (Site site in Sites) site.Dispose();
    }

    private void Operate(Site site)
    {
        VersionVector vector = CellReader.VectorOf(site.Dataset);
        HashSet<Dot> before = Dots(site);
        _operations.Operate(site.Dataset, "r" + _random.Next(2), _random);
        List<StandingEntry> after = CellReader.Standing(site.Dataset);
        before.ExceptWith(after.Select(static entry => entry.Dot));
        foreach (StandingEntry entry in after)
        {
            if (vector.Covers(entry.Dot)) continue;
            if (!entry.Value.IsMissing) _live.Add(entry.Dot);
            _superseded[entry.Dot] = before;
        }
    }

    /// <summary>I1: what stands is what no covered write superseded.</summary>
    private void AssertSound(Site site)
    {
        VersionVector vector = CellReader.VectorOf(site.Dataset);
        var wanted = _live.Where(vector.Covers).ToHashSet();
        foreach ((Dot dot, HashSet<Dot> superseded) in _superseded)
            if (vector.Covers(dot)) wanted.ExceptWith(superseded);
        var standing = CellReader.Standing(site.Dataset).Where(static entry => !entry.Value.IsMissing)
            .Select(static entry => entry.Dot).ToHashSet();
        Assert.True(wanted.SetEquals(standing), "I1 is broken.");
        CellReader.AssertFiguresAreRight(site.Dataset);
    }

    private static HashSet<Dot> Dots(Site site) =>
        CellReader.Standing(site.Dataset).Select(static entry => entry.Dot).ToHashSet();
}
