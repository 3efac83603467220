using LiteDB;
using LiteDB.Engine;

namespace SyncEngine.LiteDB.Rows;

/// <summary>
/// Reads the rows of a range in order. A document that LiteDB cannot read is stepped over, with its number known from
/// the index; an index that it cannot read ends the scan with an exception.
/// </summary>
internal sealed class RowScan : IDisposable
{
    // LiteDB holds every page that a query has touched, so a long scan is cut into several queries.
    private const long BytesPerQuery = 16 * 1024 * 1024;

    private readonly LiteEngine _engine;
    private readonly string _collection;
    private readonly long _high;
    private long _next;
    private long _queryBytes;
    private IBsonDataReader? _reader;

    public RowScan(LiteEngine engine, string collection, long low, long high)
    {
        _engine = engine;
        _collection = collection;
        _next = low;
        _high = high;
    }

    public long Id { get; private set; }

    /// <summary>The row's document; null if LiteDB could not read it.</summary>
    public BsonDocument? Document { get; private set; }

    /// <summary>Whether LiteDB threw; its state is then better not relied on.</summary>
    public bool HadFaults { get; private set; }

    public bool MoveNext()
    {
        if (_next > _high) return false;
        try
        {
            if (_queryBytes > BytesPerQuery) Dispose();
            _reader ??= _engine.Query(_collection, RowReader.Between(_next, _high));
            if (!_reader.Read()) return false;
            Accept(_reader.Current.AsDocument);
            return true;
        }
        catch (Exception e) when (e is not (IOException or OutOfMemoryException))
        {
            return StepOver();
        }
    }

    public void Dispose()
    {
        _reader?.Dispose();
        _reader = null;
        _queryBytes = 0;
    }

    private bool StepOver()
    {
        HadFaults = true;
        Dispose();
        var ids = RowReader.Ids(_engine, _collection, _next, _high, 1);
        if (ids.Count == 0 || !ids[0].IsInt64)
        {
            throw new InvalidDataException($"The index of {_collection} is unreadable.");
        }

        var id = ids[0].AsInt64;
        try
        {
            if (RowReader.Find(_engine, _collection, id) is { } document)
            {
                Accept(document);
                return true;
            }
        }
        catch (Exception e) when (e is not (IOException or OutOfMemoryException))
        {
            // The document that ended the query is this one.
        }

        Id = id;
        Document = null;
        _next = id + 1;
        return true;
    }

    private void Accept(BsonDocument document)
    {
        Id = document["_id"].AsInt64;
        if (Id < _next || Id > _high)
        {
            throw new InvalidDataException("A document does not carry the number it is filed under.");
        }

        Document = document;
        _next = Id + 1;
        _queryBytes += document.TryGetValue("b", out var bytes) ? bytes.AsBinary?.Length ?? 0 : 0;
    }
}
