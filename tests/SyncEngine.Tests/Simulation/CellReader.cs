using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Tests.Simulation;

/// <summary>One surviving entry of a real dataset.</summary>
internal readonly record struct StandingEntry(
    CellKind Kind, string Key, string Field, Dot Dot, ulong Clock, Value Value);

/// <summary>Looks into a dataset past its face: every entry, and every count recomputed from them.</summary>
internal static class CellReader
{
    public static List<StandingEntry> Standing(Dataset dataset)
    {
        CellState state = dataset.State;
        var standing = new List<StandingEntry>();
        for (int cell = 0; cell < state.Table.Bound; cell++)
        {
            if (!state.Table.IsInUse(cell) || CellKinds.IsHeader(state.Table[cell].Kind)) continue;
            ref CellData data = ref state.Table[cell];
            string key = System.Text.Encoding.UTF8.GetString(state.Table.KeyOf(data));
            string field = data.Owner == 0 ? "" : Convert.ToHexString(state.Table.Text(data));
            foreach (EntryData entry in state.EntriesOf(cell))
            {
                var dot = new Dot(state.Replicas.Id(entry.Replica), entry.Counter);
                Value value = entry.IsDeleted ? default : Copied(state.Table.ValueOf(entry));
                standing.Add(new StandingEntry(data.Kind, key, field, dot, entry.Clock, value));
            }
        }

        return standing;
    }

    /// <summary>All entries in one comparable text, so that two states are equal exactly when the texts are.</summary>
    public static string Print(Dataset dataset, bool liveOnly = false) => string.Join('\n', Standing(dataset)
        .Where(entry => !liveOnly || !entry.Value.IsMissing)
        .Select(entry => $"{entry.Kind} {entry.Key} {entry.Field} {entry.Dot} {entry.Clock:x} "
            + Convert.ToHexString(entry.Value.Encoded))
        .Order(StringComparer.Ordinal));

    public static VersionVector VectorOf(Dataset dataset)
    {
        ReplicaTable replicas = dataset.State.Replicas;
        return replicas.ToVector(replicas.Counters);
    }

    /// <summary>All that a refused frame must leave as it was.</summary>
    public static string Fingerprint(Dataset dataset)
    {
        CellState state = dataset.State;
        string lines = string.Join(';', Enumerable.Range(0, state.Replicas.Count)
            .Where(i => state.Replicas.Counter(i) > 0)
            .Select(i => state.Replicas.Id(i) + "=" + string.Join(',', state.Replicas.LineOf(i).ToArray())));
        return $"{VectorOf(dataset)} {dataset.Collected} {state.Digest:x} {state.Revision} {state.LiveRecords} "
            + $"{state.LiveBytes} {state.Tombstones} {dataset.Conflicts.Count} {lines}\n{Print(dataset)}";
    }

    /// <summary>Holds every incremental figure against the same figure made anew from the entries.</summary>
    public static void AssertFiguresAreRight(Dataset dataset)
    {
        CellState state = dataset.State;
        ulong digest = 0;
        int tombstones = 0;
        long bytes = 0;
        var records = new HashSet<(RecordKind, string)>();
        var texts = new HashSet<(CellKind, string, string)>();
        var dots = new HashSet<Dot>();
        VersionVector vector = VectorOf(dataset);
        foreach (StandingEntry entry in Standing(dataset))
        {
            Assert.True(dots.Add(entry.Dot), $"Two entries have the dot {entry.Dot}.");
            Assert.True(vector.Covers(entry.Dot), $"The vector does not cover {entry.Dot}.");
            if (entry.Value.IsMissing)
            {
                tombstones++;
                continue;
            }

            digest += PartOf(entry);
            bytes += entry.Value.Encoded.Length;
            if (entry.Kind == CellKind.ListPlace) continue;
            int keyLength = System.Text.Encoding.UTF8.GetByteCount(entry.Key);
            if (records.Add((CellKinds.RecordOf(entry.Kind), entry.Key))) bytes += keyLength;
            if (texts.Add((entry.Kind, entry.Key, entry.Field))) bytes += entry.Field.Length / 2;
        }

        Assert.Equal(digest, state.Digest);
        Assert.Equal(tombstones, state.Tombstones);
        Assert.Equal(records.Count, state.LiveRecords);
        Assert.Equal(records.Count, dataset.Records.Count);
        Assert.Equal(bytes, state.LiveBytes);
        AssertLogsAreRight(state);
    }

    private static ulong PartOf(StandingEntry entry)
    {
        byte[] key = System.Text.Encoding.UTF8.GetBytes(entry.Key);
        bool hasField = CellKinds.HasField(entry.Kind);
        ulong keyHash = hasField ? System.IO.Hashing.XxHash3.HashToUInt64(key) : 0;
        ulong text = CellDigest.TextHash(entry.Kind, keyHash, hasField ? Convert.FromHexString(entry.Field) : key);
        return CellDigest.Part(text, entry.Dot.Replica.Bits, entry.Dot.Counter, entry.Clock, entry.Value.Encoded);
    }

    /// <summary>Each replica's log of dots must be in order and name each standing entry, or deltas lack cells.</summary>
    private static void AssertLogsAreRight(CellState state)
    {
        for (int replica = 0; replica < state.Replicas.Count; replica++)
        {
            DotLog log = state.Replicas.Log(replica);
            int standing = 0;
            for (int i = 0; i < log.Count; i++)
            {
                if (i > 0) Assert.True(log.CounterAt(i - 1) < log.CounterAt(i), "A dot log is out of order.");
                int cell = log.CellAt(i);
                if (state.Table.IsInUse(cell) && state.Table.Holds(cell, replica, log.CounterAt(i))) standing++;
            }

            Assert.Equal(log.Live, standing);
        }
    }

    private static Value Copied(Value value) => new(value.Encoded.ToArray(), 0, value.Encoded.Length);
}
