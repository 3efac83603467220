using SyncEngine.Causality;

namespace SyncEngine.Cells;

/// <summary>
/// The state of one replica of a dataset: cells, version vector, collected frontier, digest. Every change, a local
/// write
/// and a join alike, goes through <see cref="AddEntry"/> and <see cref="RemoveEntries"/>. Its dataset's gate guards it.
/// </summary>
internal sealed partial class CellState(ulong seed)
{
    private readonly List<TouchedCell> _touches = [];
    private readonly List<EntryData> _before = [];
    private readonly List<int> _emptied = [];
    private readonly List<int> _wastefulLogs = [];

    /// <summary>What a touched cell held before the running change.</summary>
    internal readonly record struct TouchedCell(int Cell, int FirstBefore, int CountBefore, long RevisionBefore);

    public CellTable Table { get; } = new(seed);

    public ReplicaTable Replicas { get; } = new();

    /// <summary>Index of the own replica; −1 until the first write.</summary>
    public int Own
    {
        get => Replicas.Own;
        set => Replicas.Own = value;
    }

    /// <summary>Order-free hash of all surviving entries that are not deleted.</summary>
    public ulong Digest { get; private set; }

    /// <summary>Records that have something to read.</summary>
    public int LiveRecords { get; private set; }

    /// <summary>Bytes of keys, fields and values that have something to read.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>Entries that are tombstones.</summary>
    public int Tombstones { get; private set; }

    /// <summary>Bytes of keys, fields and elements that tombstones hold on to.</summary>
    public long TombstoneBytes { get; private set; }

    /// <summary>Raised once a transaction or join.</summary>
    public long Revision { get; private set; }

    /// <summary>Changes at or before this revision can no longer be listed one by one: tombstones were
    /// forgotten.</summary>
    public long ForgottenRevision { get; set; }

    /// <summary>Whether touched cells keep what they held, for a change set or an undo.</summary>
    public bool KeepsBefore { get; set; }

    /// <summary>Whether changed cells are noted for the next durable frame.</summary>
    public bool NotesDirty { get; set; }

    /// <summary>Cells changed since the last durable frame was encoded.</summary>
    public List<int> Dirty { get; } = [];

    public IReadOnlyList<TouchedCell> Touches => _touches;

    public IReadOnlyList<EntryData> Before => _before;

    /// <summary>Cells of registers and map fields with more than one entry.</summary>
    public HashSet<int> Contested { get; } = [];

    /// <summary>Ends the running change: the revision rises, what is empty goes.</summary>
    public void Complete()
    {
        Revision++;
        Settle();
    }

    /// <summary>Counts on from another revision; nothing may have been counted beyond it.</summary>
    public void SkipTo(long revision) => Revision = revision;

    /// <summary>Forgets what touched cells held before.</summary>
    public void Settle()
    {
        foreach (TouchedCell touch in _touches) Table[touch.Cell].Flags &= ~CellFlags.Touched;
        _touches.Clear();
        _before.Clear();
        SweepEmptied();
        foreach (int replica in _wastefulLogs) Replicas.Log(replica).Compact(Table, replica);
        _wastefulLogs.Clear();
        Table.CompactIfWasteful();
    }

    /// <summary>Removes cells without entries, but for those whose emptiness is still to be made durable.</summary>
    public void SweepEmptied()
    {
        if (_emptied.Count == 0) return;
        Table.Remove(_emptied.FindAll(cell => (Table[cell].Flags & CellFlags.Dirty) == 0));
        _emptied.RemoveAll(cell => !Table.IsInUse(cell) || !Table[cell].IsEmpty);
    }

    /// <summary>The entries of a cell, in no particular order.</summary>
    public EntryEnumerator EntriesOf(int cell) => new(Table, cell);

    public int LiveEntryCount(int cell)
    {
        int live = 0;
        foreach (EntryData entry in EntriesOf(cell))
            if (!entry.IsDeleted) live++;
        return live;
    }

    /// <summary>The register rule: the live entry with the greatest (time, replica), if there is one.</summary>
    public bool TryGetWinner(int cell, out EntryData winner)
    {
        ref CellData data = ref Table[cell];
        winner = data.First;
        if (data.IsEmpty) return false;
        if (data.First.Next == EntryData.None) return !winner.IsDeleted;
        bool found = false;
        foreach (EntryData entry in EntriesOf(cell))
        {
            if (entry.IsDeleted || (found && !IsLater(entry, winner))) continue;
            winner = entry;
            found = true;
        }

        return found;
    }

    public bool IsLater(in EntryData left, in EntryData right)
    {
        if (left.Clock != right.Clock) return left.Clock > right.Clock;
        ReplicaId a = Replicas.Id(left.Replica), b = Replicas.Id(right.Replica);
        return a != b ? a > b : left.Counter > right.Counter;
    }

    /// <summary>Notes a cell before its first change in the running transaction or join.</summary>
    internal void Touch(int cell)
    {
        ref CellData data = ref Table[cell];
        long revisionBefore = data.Revision;
        data.Revision = Revision + 1;
        NoteDirty(cell);
        if (!KeepsBefore || (data.Flags & CellFlags.Touched) != 0) return;
        data.Flags |= CellFlags.Touched;
        int first = _before.Count;
        foreach (EntryData entry in EntriesOf(cell)) _before.Add(entry);
        _touches.Add(new TouchedCell(cell, first, _before.Count - first, revisionBefore));
    }

    private void NoteDirty(int cell)
    {
        ref CellData data = ref Table[cell];
        if (!NotesDirty || (data.Flags & CellFlags.Dirty) != 0) return;
        data.Flags |= CellFlags.Dirty;
        Dirty.Add(cell);
    }

    private void UndoTouched()
    {
        for (int i = _touches.Count - 1; i >= 0; i--)
        {
            TouchedCell touch = _touches[i];
            var tally = new Tally(this, touch.Cell);
            RemoveEntries(touch.Cell, default(EveryEntry));
            for (int j = 0; j < touch.CountBefore; j++)
                AddEntry(touch.Cell, _before[touch.FirstBefore + j], tally.TextHash, logs: false);
            tally.Apply(this, touch.Cell);
            Table[touch.Cell].Revision = touch.RevisionBefore;
            if (Table[touch.Cell].IsEmpty) _emptied.Add(touch.Cell);
        }
    }

    /// <summary>Takes out each entry that the filter names, with its part of digest and counts.</summary>
    internal int RemoveEntries<TFilter>(int cell, TFilter filter) where TFilter : struct, IEntryFilter
    {
        ref CellData data = ref Table[cell];
        int removed = 0, previous = EntryData.None, current = data.IsEmpty ? EntryData.None : CellTable.FirstEntry;
        ulong textHash = 0;
        while (current != EntryData.None)
        {
            ref EntryData entry = ref Table.EntryAt(ref data, current);
            if (!filter.Removes(entry))
            {
                previous = current;
                current = entry.Next;
                continue;
            }

            if (textHash == 0 && !entry.IsDeleted) textHash = TextHash(data);
            if (entry.IsDeleted) TombstoneBytes -= BytesHeldBy(data);
            Discount(entry, textHash);
            removed++;
            Table.RemoveAfter(ref data, previous);
            if (previous != EntryData.None) current = Table.EntryAt(ref data, previous).Next;
            else if (data.IsEmpty) current = EntryData.None;
        }

        return removed;
    }

    /// <summary>Adds an entry whose value lies in the slab, with its part of digest and counts.</summary>
    internal void AddEntry(int cell, in EntryData entry, ulong textHash, bool logs)
    {
        ref CellData data = ref Table[cell];
        Table.Insert(ref data, entry);
        DotLog log = Replicas.Log(entry.Replica);
        log.Live++;
        if (logs) log.Append(entry.Counter, cell);
        if (entry.IsDeleted)
        {
            Tombstones++;
            TombstoneBytes += BytesHeldBy(data);
            return;
        }

        ReadOnlySpan<byte> value = Table.Slab.Read(entry.ValueAt);
        Digest += CellDigest.Part(textHash, Replicas.Id(entry.Replica).Bits, entry.Counter, entry.Clock, value);
        LiveBytes += value.Length;
    }

    internal ulong TextHash(in CellData cell) => TextHash(cell, Table.Text(cell));

    private ulong TextHash(in CellData cell, ReadOnlySpan<byte> text)
    {
        ulong keyHash = cell.Owner == 0 ? 0 : Table.ContainerAt(cell.Owner - 1)!.KeyHash;
        return CellDigest.TextHash(cell.Kind, keyHash, text);
    }

    private int BytesHeldBy(in CellData cell) =>
        Table.Text(cell).Length + (cell.Owner == 0 ? 0 : Table.KeyOf(cell).Length);

    private void Discount(in EntryData entry, ulong textHash)
    {
        DotLog log = Replicas.Log(entry.Replica);
        log.Live--;
        if (log.WantsCompaction && !_wastefulLogs.Contains(entry.Replica)) _wastefulLogs.Add(entry.Replica);
        if (entry.IsDeleted)
        {
            Tombstones--;
            return;
        }

        ReadOnlySpan<byte> value = Table.Slab.Read(entry.ValueAt);
        Digest -= CellDigest.Part(textHash, Replicas.Id(entry.Replica).Bits, entry.Counter, entry.Clock, value);
        LiveBytes -= value.Length;
        Table.Slab.Drop(entry.ValueAt);
    }
}

/// <summary>Names the entries that a change takes out of a cell.</summary>
internal interface IEntryFilter
{
    bool Removes(in EntryData entry);
}

/// <summary>A write supersedes every entry of its cell.</summary>
internal readonly struct EveryEntry : IEntryFilter
{
    public bool Removes(in EntryData entry) => true;
}
