using System.IO.Compression;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.LiteDB;

namespace SyncEngine.Benchmarks.Workloads;

/// <summary>This engine, in memory or, given a folder, with each replica in a LiteDB file of its own.</summary>
internal sealed class StoreEngine(string? folder) : IEngine
{
    public string Name => folder is null ? "syncengine" : "syncengine-litedb";

    public IReadOnlyDictionary<string, Func<IReplica, byte[]>> OtherEncodings { get; } =
        new Dictionary<string, Func<IReplica, byte[]>>
        {
            ["packed"] = static replica => ((StoreReplica)replica).EncodePacked(),
            ["deflate"] = static replica => Deflate(replica.EncodeAll()),
        };

    public IReplica Open() => folder is null ? OpenAuthor() : new StoreReplica(OpenFile(folder), isDurable: true);

    public IReplica OpenAuthor() => new StoreReplica(SyncStore.OpenInMemory(), isDurable: false);

    public static SyncStore OpenFile(string folder)
    {
        string own = Path.Combine(folder, Guid.NewGuid().ToString("n"));
        Directory.CreateDirectory(own);
        return OpenFileAsync(own).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Opens the store in a folder; all it leaves outside its file stays in the folder, too.</summary>
    public static ValueTask<SyncStore> OpenFileAsync(string folder) => LiteDbSyncStore.OpenAsync(
        Path.Combine(folder, "store.db"), null, new LiteDbStorageOptions { LocalStateFolder = folder });

    private static byte[] Deflate(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var stream = new DeflateStream(packed, CompressionLevel.Fastest)) stream.Write(bytes);
        return packed.ToArray();
    }
}

/// <summary>
/// A store's dataset as a replica. Writes and merges return once they are durable, which in memory is at once.
/// </summary>
internal sealed class StoreReplica(SyncStore store, bool isDurable) : IReplica
{
    private readonly Dataset _records = store.Identity.Dataset("records");

    public void Write(Record record)
    {
        _records.Put(record.Key, record.Value);
        if (isDurable) _records.FlushAsync().AsTask().GetAwaiter().GetResult();
    }

    public void WriteAll(Record[] records)
    {
        _records.Write(transaction =>
        {
            foreach (Record record in records) transaction.Put(record.Key, record.Value);
        });
        if (isDurable) _records.FlushAsync().AsTask().GetAwaiter().GetResult();
    }

    public string? Read(string key) => _records.Get<string>(key);

    public byte[] EncodeVersion() => VersionCodec.Encode(_records.Version);

    public byte[] EncodeDelta(byte[] version) =>
        _records.DeltaAsync(VersionCodec.Decode(version)).AsTask().GetAwaiter().GetResult();

    public byte[] EncodeAll() => _records.SnapshotAsync().AsTask().GetAwaiter().GetResult();

    public byte[] EncodePacked() => _records.SnapshotAsync(packs: true).AsTask().GetAwaiter().GetResult();

    public void Apply(byte[] frame)
    {
        JoinResult result = isDurable
            ? _records.JoinAsync(frame).AsTask().GetAwaiter().GetResult() : _records.Join(frame);
        if (result.Outcome == JoinOutcome.Gap) throw new InvalidOperationException("The delta left a gap.");
    }

    public ChangeCount CountChanges()
    {
        var count = new ChangeCount();
        count.Subscription = _records.Changes.Subscribe(changes =>
        {
            if (changes.IsResync) count.Fail();
            else count.Add(changes.Count);
        });
        return count;
    }

    public void Dispose() => store.Dispose();
}
