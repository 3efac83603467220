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

    private void RenameEntries(int old, int renamed, long first)
    {
        DotLog from = Replicas.Log(old), to = Replicas.Log(renamed);
        int start = from.FirstAbove(first - 1);
        for (int i = start; i < from.Count; i++)
        {
            (int cell, long counter) = (from.CellAt(i), from.CounterAt(i));
            if (!Table.Holds(cell, old, counter)) continue;

            // A lone entry reads as before; among several the id may break a tie.
            if (Table[cell].First.Next == EntryData.None) NoteDirty(cell);
            else Touch(cell);
            ref CellData data = ref Table[cell];
            int at = CellTable.FirstEntry;
            while (Table.EntryAt(ref data, at) is var passed && (passed.Replica != old || passed.Counter != counter))
                at = passed.Next;
            ref EntryData entry = ref Table.EntryAt(ref data, at);
            if (!entry.IsDeleted)
            {
                ulong text = TextHash(data);
                ReadOnlySpan<byte> value = Table.Slab.Read(entry.ValueAt);
                Digest -= CellDigest.Part(text, Replicas.Id(old).Bits, counter, entry.Clock, value);
                Digest += CellDigest.Part(text, Replicas.Id(renamed).Bits, counter, entry.Clock, value);
            }

            entry.Replica = renamed;
            from.Live--;
            to.Live++;
            to.Append(counter, cell);
        }

        from.Truncate(start);
        to.Settle();
    }
}
