using LiteDB;
using LiteDB.Engine;

namespace SyncEngine.LiteDB.Rows;

/// <summary>Single rows and lists of ids.</summary>
internal static class RowReader
{
    private static readonly BsonExpression _idOnly = BsonExpression.Create("{ i: _id }");

    public static Query Between(BsonValue low, BsonValue high, int limit = int.MaxValue)
    {
        var query = new Query { Limit = limit };
        query.Where.Add(BsonExpression.Create("_id BETWEEN @0 AND @1", low, high));
        return query;
    }

    /// <summary>Ids in order, read from the index alone, which works where a document is damaged.</summary>
    public static List<BsonValue> Ids(LiteEngine engine, string collection, BsonValue low, BsonValue high, int limit)
    {
        var query = Between(low, high, limit);
        query.Select = _idOnly;
        var ids = new List<BsonValue>();
        using var reader = engine.Query(collection, query);
        while (reader.Read()) ids.Add(reader.Current["i"]);
        return ids;
    }

    public static BsonDocument? Find(LiteEngine engine, string collection, BsonValue id)
    {
        using var reader = engine.Query(collection, Between(id, id));
        return reader.Read() ? reader.Current.AsDocument : null;
    }

    public static Func<byte[], byte[]?> PiecesOf(LiteEngine engine) =>
        id => Find(engine, Table.Pieces, id) is { } piece ? piece["b"].AsBinary : null;
}
