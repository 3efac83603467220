using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>Renames done here so far.</summary>
    public long Renames { get; private set; }

    /// <summary>
    /// The dots of a replica from an opening on become dots of a replica of their own: in cells, vector, frontier and line.
    /// Nothing that an app reads changes, but for ties of equal times.
    /// </summary>
    public void Apply(Rename rename)
    {
        int old = Replicas.Find(rename.Replica), renamed = Replicas.FindOrAdd(rename.To);
        long first = rename.From.FirstCounter;
        RenameEntries(old, renamed, first);
        Replicas.Split(old, renamed, rename.From);
        if (Own == old) Own = renamed;
        Renames++;
    }

    /// <summary>Whether a value stands here in the branch that a rename is about.</summary>
    public bool HoldsLive(Rename rename)
    {
        int replica = Replicas.Find(rename.Replica);
        if (replica < 0) return false;
        DotLog log = Replicas.Log(replica);
        for (int i = log.FirstAbove(rename.From.FirstCounter - 1); i < log.Count; i++)
        {
            foreach (EntryData entry in EntriesOf(log.CellAt(i)))
                if (entry.Replica == replica && entry.Counter >= rename.From.FirstCounter && !entry.IsDeleted) return true;
        }

        return false;
    }

    /// <summary>Puts before the lines of a delta what their sender knew to be here.</summary>
    /// <returns>Whether it is here; if not, the delta is none for this state.</returns>
    public bool TryCompleteLines(CellColumns frame)
    {
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            int before = frame.OpeningsBefore[i], replica = before == 0 ? EntryData.None : Replicas.Find(frame.Replicas[i]);
            if (before == 0) continue;
            if (replica < 0) return false;

            // A stamp is drawn once: who has the same opening at the same place has the same line up to there.
            ReadOnlySpan<Opening> line = Replicas.LineOf(replica);
            if (line.Length <= before || line[before] != frame.Lines[i][0]) return false;
            (frame.Lines[i], frame.OpeningsBefore[i]) = ([.. line[..before], .. frame.Lines[i]], 0);
        }

        return true;
    }

    /// <summary>An opening belongs to one replica: a frame that tells it of another would make this state one that nobody
    /// takes.</summary>
    /// <param name="frame">A frame whose renames were done.</param>
    /// <param name="planned">The renames to be done here.</param>
    /// <exception cref="SyncException">It tells an opening of two replicas. Nothing was changed.</exception>
    public void RefuseForeignStamps(CellColumns frame, IReadOnlyList<Rename> planned)
    {
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            foreach (Opening opening in frame.Lines[i])
            {
                int known = Replicas.FindStamp(opening.Stamp);
                if (known < 0 || Replicas.Id(known) == frame.Replicas[i]) continue;

                // A branch that is about to be renamed here still stands under its old name.
                ReplicaId id = Replicas.Id(known);
                bool moves = false;
                foreach (Rename rename in planned) moves |= rename.To == frame.Replicas[i];
                if (moves) continue;
                throw new SyncException(SyncErrorCode.Malformed, $"An opening of replica {id} is told of "
                    + $"{frame.Replicas[i]}. Nothing of the frame was applied; ask the sender for a snapshot.", 0);
            }
        }
    }

    private void RenameEntries(int old, int renamed, long first)
    {
        DotLog from = Replicas.Log(old), to = Replicas.Log(renamed);
        int start = from.FirstAbove(first - 1);

        // Each cell once, and each of its entries once, however many of the branch stand in it.
        var cells = new HashSet<int>();
        for (int i = start; i < from.Count; i++)
        {
            int cell = from.CellAt(i);
            if (Table.IsInUse(cell) && !Table[cell].IsEmpty && cells.Add(cell)) RenameEntriesOf(cell, old, renamed, first);
        }

        from.Truncate(start);
        to.Settle();
    }

    private void RenameEntriesOf(int cell, int old, int renamed, long first)
    {
        bool any = false;
        foreach (EntryData entry in EntriesOf(cell)) any |= entry.Replica == old && entry.Counter >= first;
        if (!any) return;

        // A lone entry reads as before; among several the id may break a tie.
        if (Table[cell].First.Next == EntryData.None) NoteDirty(cell);
        else Touch(cell);
        ref CellData data = ref Table[cell];
        ulong text = TextHash(data);
        for (int at = CellTable.FirstEntry; at != EntryData.None;)
        {
            ref EntryData entry = ref Table.EntryAt(ref data, at);
            at = entry.Next;
            if (entry.Replica != old || entry.Counter < first) continue;
            if (!entry.IsDeleted)
            {
                ReadOnlySpan<byte> value = Table.Slab.Read(entry.ValueAt);
                Digest -= CellDigest.Part(text, Replicas.Id(old).Bits, entry.Counter, entry.Clock, value);
                Digest += CellDigest.Part(text, Replicas.Id(renamed).Bits, entry.Counter, entry.Clock, value);
            }

            entry.Replica = renamed;
            Replicas.Log(old).Live--;
            Replicas.Log(renamed).Live++;
            Replicas.Log(renamed).Append(entry.Counter, cell);
        }
    }
}
