using System.IO.Hashing;
using SyncEngine.Storage;

namespace SyncEngine.LiteDB.Tests;

/// <summary>What a storage should hold, in the plainest form: the oracle of the crash tests.</summary>
internal sealed class StorageModel
{
    private readonly SortedDictionary<int, byte[]> _metadata = new();
    private readonly SortedDictionary<int, DatasetModel> _datasets = new();
    private readonly Dictionary<int, List<byte[]>> _staged = new();

    public IEnumerable<int> Datasets => _datasets.Keys;

    public long NextSequence(int dataset) => _datasets.TryGetValue(dataset, out var model) ? model.LastSequence + 1 : 1;

    public int FrameCount(int dataset) => _datasets.TryGetValue(dataset, out var model) ? model.Frames.Count : 0;

    public void Stage(int dataset, int page, byte[] frame)
    {
        if (page == 0) _staged[dataset] = new List<byte[]>();
        _staged[dataset].Add(frame);
    }

    public void DropStaged() => _staged.Clear();

    public StorageModel Clone()
    {
        var clone = new StorageModel();
        foreach (var (page, bytes) in _metadata) clone._metadata[page] = bytes;
        foreach (var (dataset, model) in _datasets) clone._datasets[dataset] = model.Clone();
        foreach (var (dataset, pages) in _staged) clone._staged[dataset] = pages.ToList();
        return clone;
    }

    public void Commit(StorageBatch batch)
    {
        foreach (var dataset in batch.DroppedDatasets) _datasets.Remove(dataset);
        foreach (var frame in batch.Frames)
        {
            var model = Dataset(frame.Dataset);
            model.Frames[frame.Sequence] = frame.Bytes.ToArray();
            model.LastSequence = Math.Max(model.LastSequence, frame.Sequence);
        }

        foreach (var flip in batch.Flips)
        {
            var model = Dataset(flip.Dataset);
            model.Pages = flip.PageCount == 0 ? new List<byte[]>() : _staged[flip.Dataset].ToList();
            _staged.Remove(flip.Dataset);
            var replaced = model.Frames.Keys.Where(s => s < flip.FirstKeptSequence).ToList();
            foreach (var old in replaced) model.Frames.Remove(old);
        }

        foreach (var (page, bytes) in batch.Metadata)
        {
            if (bytes is null) _metadata.Remove(page);
            else _metadata[page] = bytes;
        }
    }

    /// <summary>The whole state in a string that two equal states share.</summary>
    public string Describe()
    {
        var lines = new List<string>();
        lines.AddRange(_metadata.Select(m => $"meta {m.Key} {Hash(m.Value)}"));
        foreach (var (dataset, model) in _datasets)
        {
            lines.AddRange(model.Pages.Select((page, i) => $"{dataset} page {i} {Hash(page)}"));
            lines.AddRange(model.Frames.Select(frame => $"{dataset} frame {frame.Key} {Hash(frame.Value)}"));
        }

        return string.Join("\n", lines);
    }

    /// <summary>The state of a storage in the same form.</summary>
    public static string Describe(ISyncStorage storage, int datasetMax)
    {
        var lines = new List<string>();
        lines.AddRange(storage.ReadMetadata().OrderBy(m => m.Key).Select(m => $"meta {m.Key} {Hash(m.Value)}"));
        for (var dataset = 1; dataset <= datasetMax; dataset++)
        {
            storage.ReadFrames(dataset, new Describer(dataset, lines), CancellationToken.None);
        }

        return string.Join("\n", lines);
    }

    private DatasetModel Dataset(int dataset)
    {
        if (!_datasets.TryGetValue(dataset, out var model)) _datasets[dataset] = model = new DatasetModel();
        return model;
    }

    private static string Hash(ReadOnlyMemory<byte> bytes) => $"{bytes.Length}:{XxHash3.HashToUInt64(bytes.Span):x16}";

    private sealed class DatasetModel
    {
        public List<byte[]> Pages { get; set; } = new();

        public SortedDictionary<long, byte[]> Frames { get; init; } = new();

        public long LastSequence { get; set; }

        public DatasetModel Clone() => new()
        {
            Pages = Pages.ToList(),
            Frames = new SortedDictionary<long, byte[]>(Frames),
            LastSequence = LastSequence,
        };
    }

    private sealed class Describer(int dataset, List<string> lines) : IFrameReader
    {
        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame) =>
            lines.Add($"{dataset} page {page} {Hash(frame)}");

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame) =>
            lines.Add($"{dataset} frame {sequence} {Hash(frame)}");

        public void OnDamaged(StorageFault fault) => lines.Add("damaged " + fault);
    }
}
