namespace SyncEngine.LiteDB.Rows;

/// <summary>A snapshot that is being written.</summary>
/// <param name="Generation">The high bits of its rows' numbers.</param>
/// <param name="Junk">The entry of the junk list that removes its pages if it never becomes current.</param>
/// <param name="PageCount">How many pages were staged so far.</param>
internal readonly record struct StagedSnapshot(int Generation, long Junk, int PageCount);

/// <summary>
/// The snapshots that are being written. They are known to this process only: to the next one their pages are junk.
/// </summary>
internal sealed class StagedSnapshots
{
    private readonly Dictionary<int, StagedSnapshot> _byDataset = new();

    public StagedSnapshot? this[int dataset]
    {
        get => _byDataset.TryGetValue(dataset, out var staged) ? staged : null;
        set
        {
            if (value is { } staged) _byDataset[dataset] = staged;
            else _ = _byDataset.Remove(dataset);
        }
    }

    public bool Holds(long junk)
    {
        foreach (var staged in _byDataset.Values)
        {
            if (staged.Junk == junk) return true;
        }

        return false;
    }

    public void Forget(int dataset) => _ = _byDataset.Remove(dataset);
}
