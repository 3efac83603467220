using LiteDB;
using LiteDB.Engine;

namespace SyncEngine.LiteDB.Rows;

/// <summary>
/// Where each dataset's rows are: looked up when asked for, and remembered up to a bound, so that datasets which nobody uses
/// cost no memory.
/// </summary>
internal sealed class HeadTable(LiteEngine engine)
{
    /// <summary>About 100 bytes each.</summary>
    public const int KnownMax = 16 * 1024;

    private readonly Dictionary<int, DatasetHead?> _known = new();
    private int? _highest;

    /// <summary>Looks up what a transaction will need, outside it: LiteDB reads and writes are better not mixed.</summary>
    public void Prepare(IEnumerable<int> datasets)
    {
        if (_known.Count > KnownMax) _known.Clear();
        foreach (var dataset in datasets) _ = Find(dataset);
    }

    public bool TryGetValue(int dataset, out DatasetHead head)
    {
        var found = Find(dataset);
        head = found.GetValueOrDefault();
        return found is not null;
    }

    public void Set(int dataset, DatasetHead head)
    {
        _known[dataset] = head;
        if (dataset > _highest) _highest = dataset;
    }

    public void Remove(int dataset) => _known[dataset] = null;

    /// <summary>The numbers of all datasets, a few thousand at a time.</summary>
    public IEnumerable<int> All()
    {
        const int atOnce = 4096;
        var next = (long)int.MinValue;
        while (true)
        {
            var ids = RowReader.Ids(engine, Table.Heads.Name, next, int.MaxValue, atOnce);
            foreach (var id in ids) yield return (int)id.AsInt64;
            if (ids.Count < atOnce) yield break;
            next = ids[^1].AsInt64 + 1;
        }
    }

    /// <summary>How many datasets there are; reads the index.</summary>
    public int Count() => All().Count();

    /// <summary>New datasets have higher numbers than all that are there: nobody need look for those.</summary>
    private int ReadHighest()
    {
        var query = RowReader.Between(int.MinValue, int.MaxValue, 1);
        query.OrderBy = "$._id";
        query.Order = Query.Descending;
        using var reader = engine.Query(Table.Heads.Name, query);
        return reader.Read() ? (int)reader.Current["_id"].AsInt64 : int.MinValue;
    }

    private DatasetHead? Find(int dataset)
    {
        if (_known.TryGetValue(dataset, out var known)) return known;
        DatasetHead? head = null;
        if (dataset <= (_highest ??= ReadHighest()) && RowReader.Find(engine, Table.Heads.Name, (long)dataset) is { } document)
        {
            if (!RowCodec.TryDecode(Table.Heads, dataset, document, RowReader.PiecesOf(engine), out var bytes))
            {
                throw new InvalidDataException($"Row {dataset} of {Table.Heads.Name} does not match its checksum.");
            }

            head = DatasetHead.FromBytes(bytes.Span);
        }

        _known[dataset] = head;
        return head;
    }
}
