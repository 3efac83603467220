using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>
    /// Replays a stored frame: its cells replace what they held, its counters, frontiers and lines are taken over. Call
    /// <see cref="CompleteLoading"/> after the last.
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="revision">Its revision.</param>
    /// <param name="revisionsBelow">How far below it each cell changed.</param>
    /// <param name="lowered">The replicas whose counters count though they were higher.</param>
    /// <param name="isDamaged">Whether a frame before it was damaged.</param>
    /// <returns>Branches that were renamed by a damaged frame, by their new names.</returns>
    public IReadOnlyList<ReplicaId> Load(
        CellColumns frame, long revision, long[] revisionsBelow, IReadOnlyList<ReplicaId> lowered, bool isDamaged)
    {
        _followed.Clear();
        if (isDamaged) FollowLostRenames(frame);
        MapReplicas(frame);
        FindCells(frame);
        for (int i = 0; i < frame.CellCount; i++) LoadCell(frame, frame.Cells[i], _frameCells[i], revision - revisionsBelow[i]);
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            int local = _localOf[i];
            _frameTo[local] = 0;
            if (frame.To[i] > Replicas.Counter(local)) Replicas.SetCounter(local, frame.To[i]);
            if (frame.Collected[i] > Replicas.Collected(local)) Replicas.SetCollected(local, frame.Collected[i]);
            LoadLine(local, frame.OpeningsBefore[i], frame.Lines[i]);
            if (lowered.Count > 0 && lowered.Contains(frame.Replicas[i]))
                Replicas.Lower(local, frame.To[i], frame.Collected[i]);
        }

        Revision = Math.Max(Revision, revision);
        return _followed;
    }

    /// <summary>Merges a stored frame that could only be shown before, because one that it builds on was damaged; not if its
    /// branches have got other names since.</summary>
    public void JoinLater(CellColumns frame)
    {
        for (int i = 0; i < frame.Replicas.Length; i++)
            if (IsToldOtherwise(frame.Replicas[i], frame.OpeningsBefore[i], frame.Lines[i])) return;
        MapReplicas(frame);
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            if (frame.OpeningsBefore[i] + frame.Lines[i].Length > Replicas.LineOf(_localOf[i]).Length)
                LoadLine(_localOf[i], frame.OpeningsBefore[i], frame.Lines[i]);
        }

        FindCells(frame);
        for (int i = 0; i < frame.CellCount; i++) JoinCell(frame, frame.Cells[i], _frameCells[i]);
        for (int i = 0; i < frame.CellCount; i++) Table[_frameCells[i]].Flags &= ~CellFlags.InFrame;
        for (int i = 0; i < frame.EntryCount; i++)
            Replicas.NoteBeyond(_localOf[frame.Entries[i].Replica], frame.Entries[i].Counter);
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            _frameTo[_localOf[i]] = 0;
            if (frame.To[i] > Replicas.Counter(_localOf[i])) Replicas.SetCounter(_localOf[i], frame.To[i]);
            Replicas.Log(_localOf[i]).Settle();
        }

        JoinCollected(frame);
    }

    /// <summary>Builds the dot logs once all stored frames are replayed; what was loaded is durable.</summary>
    public void CompleteLoading()
    {
        SweepEmptied();
        for (int i = 0; i < Replicas.Count; i++) Replicas.Log(i).EnsureCapacity(Replicas.Log(i).Live);
        for (int cell = 0; cell < Table.Bound; cell++)
        {
            if (!Table.IsInUse(cell) || CellKinds.IsHeader(Table[cell].Kind)) continue;
            foreach (EntryData entry in EntriesOf(cell)) Replicas.Log(entry.Replica).Append(entry.Counter, cell);
        }

        for (int i = 0; i < Replicas.Count; i++)
        {
            Replicas.Log(i).Settle();
            Replicas.SetDurable(i, Replicas.Counter(i));
        }

        Replicas.ClearChanged();
        Settle();
    }

    /// <summary>Replicas of whose line an opening is missing, so that nobody knows who wrote what stands above.</summary>
    private readonly HashSet<int> _brokenLines = [];

    private readonly List<ReplicaId> _followed = [];

    public bool HasBrokenLines => _brokenLines.Count > 0;

    public bool IsLineBroken(int replica) => _brokenLines.Contains(replica);

    /// <summary>Drops, of replicas whose lines are broken, what is not surely whole: it has no name that a peer would
    /// understand.</summary>
    /// <param name="whole">For each replica up to where all is there.</param>
    /// <returns>Whether there was anything.</returns>
    public bool DropUnnamed(long[] whole)
    {
        bool any = false;
        var filter = new Unnamed(whole, _brokenLines);
        for (int cell = 0; cell < Table.Bound; cell++)
        {
            ref CellData data = ref Table[cell];
            if (data.Kind == 0 || data.IsEmpty || CellKinds.IsHeader(data.Kind)) continue;
            bool drops = false;
            foreach (EntryData entry in EntriesOf(cell)) drops |= filter.Removes(entry);
            if (!drops) continue;
            any = true;
            var tally = new Tally(this, cell);
            RemoveEntries(cell, filter);
            tally.Apply(this, cell);
            NoteDirty(cell);
            if (data.IsEmpty) _emptied.Add(cell);
        }

        return any;
    }

    private bool IsToldOtherwise(ReplicaId id, int before, Opening[] told)
    {
        int replica = Replicas.Find(id);
        ReadOnlySpan<Opening> known = replica < 0 ? [] : Replicas.LineOf(replica);
        for (int i = 0; i < told.Length; i++)
        {
            if (before + i < known.Length && known[before + i] != told[i]) return true;
            int named = Replicas.Find(new ReplicaId(told[i].Stamp));
            if (named >= 0 && named != replica && Replicas.Ceiling(named) > 0) return true;
        }

        return false;
    }

    private void LoadLine(int replica, int before, Opening[] told)
    {
        ReadOnlySpan<Opening> known = Replicas.LineOf(replica);
        if (before > known.Length)
        {
            _brokenLines.Add(replica);
            return;
        }

        if (before == 0) _brokenLines.Remove(replica);
        if (before + told.Length == known.Length && told.AsSpan().SequenceEqual(known[before..])) return;
        Replicas.SetLine(replica, [.. known[..before], .. told]);
    }

    /// <summary>Where the frame of a rename was damaged, later ones tell of it: a line without the branch, or the branch under
    /// a name of its own. What was loaded of the branch before follows.</summary>
    private void FollowLostRenames(CellColumns frame)
    {
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            int local = Replicas.Find(frame.Replicas[i]);
            if (local >= 0) FollowIfLeft(local, frame.OpeningsBefore[i], frame.Lines[i]);
            if (local >= 0 && Replicas.Counter(local) > 0) continue;
            for (int other = 0; other < Replicas.Count; other++)
            {
                int opening = Line.IndexOf(Replicas.LineOf(other), frame.Replicas[i].Bits);
                if (opening >= 0 && other != local) RenameLoaded(other, Replicas.LineOf(other)[opening]);
            }
        }
    }

    /// <summary>A line that a frame tells otherwise than it is known, or shorter, has lost a branch.</summary>
    private void FollowIfLeft(int replica, int before, Opening[] told)
    {
        ReadOnlySpan<Opening> known = Replicas.LineOf(replica);
        int same = before;
        while (same < known.Length && same - before < told.Length && known[same] == told[same - before]) same++;
        if (same < known.Length) RenameLoaded(replica, known[same]);
    }

    /// <summary>As <see cref="Apply"/>, while the logs of dots are not built yet.</summary>
    private void RenameLoaded(int old, Opening from)
    {
        int renamed = Replicas.FindOrAdd(new ReplicaId(from.Stamp));
        for (int cell = 0; cell < Table.Bound; cell++)
        {
            if (!Table.IsInUse(cell) || CellKinds.IsHeader(Table[cell].Kind)) continue;
            List<EntryData> branch = [];
            foreach (EntryData entry in EntriesOf(cell))
                if (entry.Replica == old && entry.Counter >= from.FirstCounter) branch.Add(entry);
            if (branch.Count == 0) continue;
            var tally = new Tally(this, cell);
            RemoveEntries(cell, new BranchFrom(old, from.FirstCounter));
            foreach (EntryData entry in branch)
                AddEntry(cell, entry with { Replica = renamed, Next = EntryData.None }, tally.TextHash, logs: false);
            tally.Apply(this, cell);
        }

        Replicas.Split(old, renamed, from);
        _followed.Add(Replicas.Id(renamed));
    }

    private readonly struct Unnamed(long[] whole, HashSet<int> broken) : IEntryFilter
    {
        public bool Removes(in EntryData entry) =>
            entry.Counter > whole[entry.Replica] && broken.Contains(entry.Replica);
    }

    private readonly struct BranchFrom(int replica, long first) : IEntryFilter
    {
        public bool Removes(in EntryData entry) => entry.Replica == replica && entry.Counter >= first;
    }

    private void LoadCell(CellColumns frame, in CellColumn column, int cell, long revision)
    {
        var tally = new Tally(this, cell);
        RemoveEntries(cell, default(EveryEntry));
        for (int i = column.FirstEntry; i < column.FirstEntry + column.EntryCount; i++)
        {
            ref EntryColumn stored = ref frame.Entries[i];
            var entry = new EntryData
            {
                Replica = _localOf[stored.Replica],
                Counter = stored.Counter,
                Clock = stored.Clock,
                Next = EntryData.None,
                ValueAt = stored.ValueLength == 0 ? EntryData.DeletedAt
                    : Table.Slab.Add(frame.Bytes(stored.ValueAt, stored.ValueLength)),
            };
            AddEntry(cell, entry, tally.TextHash, logs: false);
        }

        tally.Apply(this, cell);
        ref CellData data = ref Table[cell];
        data.Flags &= ~CellFlags.InFrame;
        data.Revision = Math.Max(data.Revision, revision);
        if (data.IsEmpty) _emptied.Add(cell);
    }
}
