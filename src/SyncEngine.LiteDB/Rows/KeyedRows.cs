using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using LiteDB;
using LiteDB.Engine;

namespace SyncEngine.LiteDB.Rows;

/// <summary>
/// Rows under text keys. The document is <c>{ _id, b }</c>: the key's UTF-8 bytes, whose order is the keys' ordinal order for
/// ASCII; 8 bytes of XxHash3, seeded with the key's, and the row's bytes.
/// </summary>
internal static class KeyedRows
{
    public const string Collection = "rows";
    private const int RowsPerQuery = 1024;

    public static BsonDocument Encode(string key, ReadOnlySpan<byte> bytes)
    {
        var id = Encoding.UTF8.GetBytes(key);
        var stored = new byte[RowCodec.HashLength + bytes.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(stored, Hash(id, bytes));
        bytes.CopyTo(stored.AsSpan(RowCodec.HashLength));
        return new BsonDocument { ["_id"] = id, ["b"] = stored };
    }

    public static BsonValue Id(string key) => Encoding.UTF8.GetBytes(key);

    public static byte[]? Find(LiteEngine engine, string key) =>
        RowReader.Find(engine, Collection, Id(key)) is { } document ? Decode(document).Bytes : null;

    /// <summary>Rows whose keys start with a prefix, above a key.</summary>
    public static List<KeyValuePair<string, byte[]>> Range(LiteEngine engine, string prefix, string? after, int limit)
    {
        var low = Encoding.UTF8.GetBytes(after is null || string.CompareOrdinal(after, prefix) < 0 ? prefix : after);
        var high = Encoding.UTF8.GetBytes(prefix + "\u007f");
        var query = RowReader.Between(low, high, limit == int.MaxValue ? limit : limit + 1);
        query.OrderBy = "$._id";
        var rows = new List<KeyValuePair<string, byte[]>>();
        using var reader = engine.Query(Collection, query);
        while (rows.Count < limit && reader.Read())
        {
            var (key, bytes) = Decode(reader.Current.AsDocument);
            if (key == after || !key.StartsWith(prefix, StringComparison.Ordinal)) continue;
            rows.Add(new KeyValuePair<string, byte[]>(key, bytes));
        }

        return rows;
    }

    /// <summary>Every row as it is stored, a few at a time, for copies and checks.</summary>
    public static IEnumerable<BsonDocument> All(LiteEngine engine)
    {
        BsonValue last = Array.Empty<byte>();
        while (true)
        {
            var documents = new List<BsonDocument>();
            var query = new Query { Limit = RowsPerQuery, OrderBy = "$._id" };
            query.Where.Add(BsonExpression.Create("_id > @0", last));
            using (var reader = engine.Query(Collection, query))
            {
                while (reader.Read()) documents.Add(reader.Current.AsDocument);
            }

            foreach (var document in documents) yield return document;
            if (documents.Count < RowsPerQuery) yield break;
            last = documents[^1]["_id"];
        }
    }

    public static bool IsSound(BsonDocument document) => TryDecode(document, out _, out _);

    private static (string Key, byte[] Bytes) Decode(BsonDocument document) => TryDecode(document, out var key, out var bytes)
        ? (key, bytes) : throw new InvalidDataException($"Row {key} does not match its checksum.");

    private static bool TryDecode(BsonDocument document, out string key, out byte[] bytes)
    {
        var id = document["_id"].AsBinary;
        key = Encoding.UTF8.GetString(id);
        bytes = [];
        if (document["b"].AsBinary is not { Length: >= RowCodec.HashLength } stored) return false;
        bytes = stored[RowCodec.HashLength..];
        return BinaryPrimitives.ReadUInt64LittleEndian(stored) == Hash(id, bytes);
    }

    private static ulong Hash(byte[] id, ReadOnlySpan<byte> bytes) =>
        XxHash3.HashToUInt64(bytes, (long)XxHash3.HashToUInt64(id));
}
