using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>
    /// Takes in what a peer with the same vector holds. A surviving write that only one side holds gets the dot (hash of
    /// what and where it is; 1), or the next that is not known. Deletes are left alone: each side forgets them on its own.
    /// </summary>
    /// <param name="frame">Everything that the peer holds.</param>
    /// <param name="limit">How many replicas may become known by it.</param>
    /// <returns>How many writes got a new dot.</returns>
    /// <exception cref="SyncException">The frame names a cell twice, or too much differs; nothing was changed.</exception>
    public int Heal(CellColumns frame, int limit)
    {
        FindCells(frame);
        MapReplicas(frame);
        Array.Clear(_frameTo, 0, Replicas.Count);
        var lonely = new List<(int Cell, EntryData Entry, byte[] Value, ulong Name)>();
        for (int i = 0; i < frame.CellCount; i++) FindLonely(frame, frame.Cells[i], _frameCells[i], lonely);
        for (int cell = 0; cell < Table.Bound; cell++)
        {
            ref CellData data = ref Table[cell];
            if (data.Kind != 0 && !CellKinds.IsHeader(data.Kind) && (data.Flags & CellFlags.InFrame) == 0)
                FindLonelyHere(frame, default, cell, lonely);
        }

        if (lonely.Count == 0 || lonely.Count > limit)
        {
            ForgetCells(_frameCells.AsSpan(0, frame.CellCount));
            return lonely.Count == 0 ? 0 : throw new SyncException(SyncErrorCode.LimitExceeded, $"{lonely.Count:N0} writes "
                + "differ from the peer's, too many to heal. Export this dataset, and sync it anew into a fresh file.");
        }

        foreach (IGrouping<int, (int Cell, EntryData Entry, byte[] Value, ulong Name)> group in lonely.GroupBy(x => x.Cell))
        {
            Touch(group.Key);
            var tally = new Tally(this, group.Key);
            foreach ((int cell, EntryData entry, byte[] value, ulong name) in group)
            {
                RemoveEntries(cell, new LiveEntry(entry.Replica, entry.Counter));
                int replica = Replicas.FindOrAdd(new ReplicaId(name));
                if (Table.Holds(cell, replica, 1)) continue;
                Replicas.SetCounter(replica, 1);
                Replicas.SetLine(replica, [new Opening(1, name)]);
                EntryData renamed = entry;
                (renamed.Replica, renamed.Counter, renamed.Next) = (replica, 1, EntryData.None);
                renamed.ValueAt = Table.Slab.Add(value);
                AddEntry(cell, renamed, tally.TextHash, logs: true);
            }

            tally.Apply(this, group.Key);
        }

        ForgetCells(_frameCells.AsSpan(0, frame.CellCount));
        return lonely.Count;
    }

    private void FindLonely(
        CellColumns frame, in CellColumn column, int cell, List<(int, EntryData, byte[], ulong)> lonely)
    {
        FindLonelyHere(frame, column, cell, lonely);
        for (int i = column.FirstEntry; i < column.FirstEntry + column.EntryCount; i++)
        {
            ref EntryColumn there = ref frame.Entries[i];
            if (there.ValueLength == 0) continue;
            ReadOnlySpan<byte> value = frame.Bytes(there.ValueAt, there.ValueLength);
            bool isShared = false;
            foreach (EntryData here in EntriesOf(cell)) isShared |= IsSame(here, there, value);
            if (isShared) continue;
            var entry = new EntryData { Replica = _localOf[there.Replica], Counter = there.Counter, Clock = there.Clock };
            lonely.Add((cell, entry, value.ToArray(), NameOf(cell, entry, value)));
        }
    }

    private void FindLonelyHere(
        CellColumns frame, in CellColumn column, int cell, List<(int, EntryData, byte[], ulong)> lonely)
    {
        foreach (EntryData here in EntriesOf(cell))
        {
            if (here.IsDeleted) continue;
            bool isShared = false;
            for (int i = column.FirstEntry; i < column.FirstEntry + column.EntryCount && !isShared; i++)
            {
                ref EntryColumn there = ref frame.Entries[i];
                isShared = there.ValueLength > 0 && IsSame(here, there, frame.Bytes(there.ValueAt, there.ValueLength));
            }

            if (isShared) continue;
            byte[] value = Table.Slab.Read(here.ValueAt).ToArray();
            lonely.Add((cell, here, value, NameOf(cell, here, value)));
        }
    }

    private bool IsSame(in EntryData here, in EntryColumn there, ReadOnlySpan<byte> value) =>
        !here.IsDeleted && here.Replica == _localOf[there.Replica] && here.Counter == there.Counter
        && here.Clock == there.Clock && Table.Slab.Read(here.ValueAt).SequenceEqual(value);

    /// <summary>The hash of what and where a write is. A name that is known already stands for a write that others may have seen
    /// go: then the hash of the write under that name, so that both sides, which know the same names, go on alike.</summary>
    private ulong NameOf(int cell, in EntryData entry, ReadOnlySpan<byte> value)
    {
        ulong text = TextHash(Table[cell]), name = Replicas.Id(entry.Replica).Bits;
        for (long counter = entry.Counter; ; counter = 1)
        {
            name = CellDigest.Part(text, name, counter, entry.Clock, value);
            if (name == 0) name = 1;
            int known = Replicas.Find(new ReplicaId(name));
            if (known < 0 || Replicas.Counter(known) == 0) return name;
        }
    }

    private readonly struct LiveEntry(int replica, long counter) : IEntryFilter
    {
        public bool Removes(in EntryData entry) =>
            !entry.IsDeleted && entry.Replica == replica && entry.Counter == counter;
    }
}
