using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    private int[] _localOf = [];
    private int[] _frameCells = [];
    private long[] _frameTo = [];

    /// <summary>Set while a stored frame is missing: dots above the vector may stand in cells.</summary>
    public bool HasGaps { get; set; }

    /// <summary>
    /// Merges a delta or snapshot. Keeps of each cell: entries on both sides, local entries that the frame does not
    /// cover, and the frame's entries that the local vector does not cover. All of it or nothing.
    /// </summary>
    /// <param name="frame">The frame; branches of copied files are renamed in it.</param>
    /// <param name="renames">The branches that were renamed here; the caller must make them durable.</param>
    /// <param name="judge">Asked before anything changes; null to ask nobody.</param>
    /// <exception cref="SyncException">The frame names a cell twice, or contradicts this state.</exception>
    public JoinOutcome Join(CellColumns frame, out IReadOnlyList<Rename> renames, IFrameJudge? judge = null)
    {
        renames = [];
        VersionVector? after = Agree(frame, out IReadOnlyList<Rename> planned);
        if (LacksBaseOf(frame, after)) return JoinOutcome.Gap;
        RefuseForeignStamps(frame, planned);
        if (planned.Count > 0 && judge?.AllowsRenames(this, planned) == false) return JoinOutcome.Refused;
        bool isKnown = !HasGaps && (after is null ? CoversTo(frame) : frame.ToIsAtMost(after));
        if (!isKnown) FindCells(frame);
        renames = planned;
        foreach (Rename rename in renames) Apply(rename);
        if (isKnown)
        {
            JoinCollected(frame);
            return JoinOutcome.AlreadyKnown;
        }

        if (judge is not null && !IsAllowed(judge, frame, [], [], frame.IsSnapshot)) return JoinOutcome.Refused;
        MapReplicas(frame);
        for (int i = 0; i < frame.CellCount; i++) JoinCell(frame, frame.Cells[i], _frameCells[i]);
        if (frame.IsSnapshot) JoinAbsentCells();
        for (int i = 0; i < frame.CellCount; i++) Table[_frameCells[i]].Flags &= ~CellFlags.InFrame;
        Advance(frame);
        JoinCollected(frame);
        return JoinOutcome.Joined;
    }

    /// <summary>Whether the frame builds on changes that are missing here.</summary>
    /// <exception cref="SyncException">The frame contradicts this state.</exception>
    public bool WouldLeaveGap(CellColumns frame) => LacksBaseOf(frame, Agree(frame, out _));

    /// <summary>The cells that hold a dot outside the base, each once, in order of replica and counter.</summary>
    public void ListCellsOutside(ReadOnlySpan<long> baseCounters, List<int> cells)
    {
        HashSet<int>? listed = null;
        for (int replica = 0; replica < Replicas.Count; replica++)
        {
            if (Replicas.Counter(replica) <= baseCounters[replica]) continue;
            DotLog log = Replicas.Log(replica);
            for (int i = log.FirstAbove(baseCounters[replica]); i < log.Count; i++)
            {
                int cell = log.CellAt(i);
                ref CellData data = ref Table[cell];
                if (data.First.Next == EntryData.None)
                {
                    if (data.First.Replica == replica && data.First.Counter == log.CounterAt(i)) cells.Add(cell);
                    continue;
                }

                // A cell of many entries comes by once for each of them: the set keeps that from costing their square.
                listed ??= [];
                if (listed.Contains(cell) || !Table.Holds(cell, replica, log.CounterAt(i))) continue;
                listed.Add(cell);
                cells.Add(cell);
            }
        }
    }

    /// <summary>Whether the vector covers the frontier of forgotten deletes, so that a delta suffices.</summary>
    public bool AllowsDelta(ReadOnlySpan<long> baseCounters)
    {
        for (int i = 0; i < Replicas.Count; i++)
            if (Replicas.Collected(i) > baseCounters[i]) return false;
        return true;
    }

    /// <summary>
    /// Renames the frame's branches of copied files, and lists those to rename here, so that both agree on what every dot
    /// means.
    /// </summary>
    /// <returns>The vector here after that, if anything is to be renamed.</returns>
    private VersionVector? Agree(CellColumns frame, out IReadOnlyList<Rename> renames)
    {
        renames = [];
        if (Reconciliation.Plan(Replicas, frame, out Lineage? after) is not { } plan) return null;
        foreach (Rename rename in plan.There) frame.Apply(rename);
        renames = plan.Here;
        return after!.ToVector();
    }

    private bool LacksBaseOf(CellColumns frame, VersionVector? after) =>
        !frame.IsSnapshot && !(after is null ? CoversBase(frame) : frame.BaseIsAtMost(after));

    private bool CoversBase(CellColumns frame)
    {
        for (int i = 0; i < frame.Base.Length; i++)
            if (frame.Base[i] > CounterOf(frame.Replicas[i])) return false;
        return true;
    }

    private bool CoversTo(CellColumns frame)
    {
        for (int i = 0; i < frame.To.Length; i++)
            if (frame.To[i] > CounterOf(frame.Replicas[i])) return false;
        return true;
    }

    private long CounterOf(ReplicaId id)
    {
        int local = Replicas.Find(id);
        return local < 0 ? 0 : Replicas.Counter(local);
    }

    /// <summary>Finds or makes each cell of the frame; on a cell named twice takes everything back.</summary>
    private void FindCells(CellColumns frame)
    {
        if (_frameCells.Length < frame.CellCount) _frameCells = new int[Math.Max(frame.CellCount, 16)];
        Table.EnsureCapacity(frame.CellCount);
        Container? container = null;
        int containerKeyAt = -1;
        for (int i = 0; i < frame.CellCount; i++)
        {
            int cell = FindOrAdd(frame, frame.Cells[i], ref container, ref containerKeyAt);
            _frameCells[i] = cell;
            ref CellData data = ref Table[cell];
            if ((data.Flags & CellFlags.InFrame) != 0)
            {
                ForgetCells(_frameCells.AsSpan(0, i));
                throw new SyncException(SyncErrorCode.Malformed, "The frame names one cell twice.", frame.Cells[i].KeyAt);
            }

            data.Flags |= CellFlags.InFrame;
        }
    }

    /// <summary>Finds or makes a cell of the frame; the container of the cell before saves looking it up again.</summary>
    private int FindOrAdd(CellColumns frame, in CellColumn column, ref Container? container, ref int containerKeyAt)
    {
        ReadOnlySpan<byte> text = frame.Bytes(column.KeyAt, column.KeyLength);
        int owner = 0;
        if (CellKinds.HasField(column.Kind))
        {
            RecordKind kind = CellKinds.RecordOf(column.Kind);
            if (container is null || containerKeyAt != column.KeyAt || container.Kind != kind)
                container = Table.FindOrAddContainer(kind, text);
            containerKeyAt = column.KeyAt;
            owner = container.Number + 1;
            text = frame.Bytes(column.FieldAt, column.FieldLength);
        }

        return Table.FindOrAdd(column.Kind, owner, text, out _);
    }

    /// <summary>Gives each replica of the frame its local index, and each local replica the counter that the frame
    /// covers.</summary>
    private void MapReplicas(CellColumns frame)
    {
        if (_localOf.Length < frame.Replicas.Length) _localOf = new int[Math.Max(4, frame.Replicas.Length)];
        for (int i = 0; i < frame.Replicas.Length; i++) _localOf[i] = Replicas.FindOrAdd(frame.Replicas[i]);
        if (_frameTo.Length < Replicas.Count) Array.Resize(ref _frameTo, Math.Max(4, Replicas.Count * 2));
        for (int i = 0; i < frame.Replicas.Length; i++) _frameTo[_localOf[i]] = frame.To[i];
    }

    private void JoinCell(CellColumns frame, in CellColumn column, int cell)
    {
        ref CellData data = ref Table[cell];
        ReadOnlySpan<EntryColumn> incoming = frame.Entries.AsSpan(column.FirstEntry, column.EntryCount);
        bool touched = false;
        Tally tally = default;
        if (!data.IsEmpty)
        {
            var filter = new Superseded(this, frame.Entries, column.FirstEntry, column.EntryCount);
            if (RemovesAny(cell, filter))
            {
                Begin(cell, ref touched, ref tally);
                RemoveEntries(cell, filter);
            }
        }

        foreach (ref readonly EntryColumn entry in incoming)
        {
            int replica = _localOf[entry.Replica];
            if (entry.Counter <= Replicas.Counter(replica)) continue;
            if (HasGaps && Table.Holds(cell, replica, entry.Counter)) continue;
            if (!touched && data.IsEmpty)
            {
                // A new cell had nothing, and its text is at hand in the frame: most entries of a first merge come here.
                Touch(cell);
                tally = new Tally(TextHash(data, FrameText(frame, column)));
                touched = true;
            }

            if (!touched) Begin(cell, ref touched, ref tally);
            var added = new EntryData
            {
                Replica = replica,
                Counter = entry.Counter,
                Clock = entry.Clock,
                Next = EntryData.None,
                ValueAt = entry.ValueLength == 0 ? EntryData.DeletedAt
                    : Table.Slab.Add(frame.Bytes(entry.ValueAt, entry.ValueLength)),
            };
            AddEntry(cell, added, tally.TextHash, logs: true);
        }

        if (touched) tally.Apply(this, cell);
        if (data.IsEmpty) _emptied.Add(cell);
    }

    private static ReadOnlySpan<byte> FrameText(CellColumns frame, in CellColumn column) =>
        CellKinds.HasField(column.Kind) ? frame.Bytes(column.FieldAt, column.FieldLength)
        : frame.Bytes(column.KeyAt, column.KeyLength);

    private void Begin(int cell, ref bool touched, ref Tally tally)
    {
        Touch(cell);
        tally = new Tally(this, cell);
        touched = true;
    }

    /// <summary>A snapshot's context covers what it lacks: that is gone.</summary>
    private void JoinAbsentCells()
    {
        for (int cell = 0; cell < Table.Bound; cell++)
        {
            ref CellData data = ref Table[cell];
            if (data.Kind == 0 || data.IsEmpty || (data.Flags & CellFlags.InFrame) != 0) continue;
            if (CellKinds.IsHeader(data.Kind)) continue;
            var filter = new Superseded(this, [], 0, 0);
            if (!RemovesAny(cell, filter)) continue;
            Touch(cell);
            var tally = new Tally(this, cell);
            RemoveEntries(cell, filter);
            tally.Apply(this, cell);
            if (!data.IsEmpty) continue;
            _emptied.Add(cell);
            ForgottenRevision = Revision + 1;
        }
    }

    private bool RemovesAny(int cell, in Superseded filter)
    {
        foreach (EntryData entry in EntriesOf(cell))
            if (filter.Removes(entry)) return true;
        return false;
    }

    private void Advance(CellColumns frame)
    {
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            int local = _localOf[i];
            _frameTo[local] = 0;
            if (frame.To[i] <= Replicas.Counter(local)) continue;
            Replicas.SetCounter(local, frame.To[i]);
            Replicas.SetLine(local, Line.Extend(frame.Lines[i], Replicas.LineOf(local), frame.To[i]));
            Replicas.Log(local).Settle();

            // Somebody else writes under our id: a copy, or this file is an old one. Who cannot be told apart any more by a
            // fork takes a new id, so that no claim of a peer can use up our counters either.
            if (local == Own) Own = EntryData.None;
        }
    }

    private void JoinCollected(CellColumns frame)
    {
        for (int i = 0; i < frame.Collected.Length; i++)
        {
            int local = Replicas.Find(frame.Replicas[i]);
            if (local >= 0 && frame.Collected[i] > Replicas.Collected(local))
                Replicas.SetCollected(local, frame.Collected[i]);
        }
    }

    /// <summary>Local entries that the frame covers and does not hold: some covered write superseded them.</summary>
    private readonly struct Superseded : IEntryFilter
    {
        private const int ScanMax = 32;
        private readonly CellState _state;
        private readonly EntryColumn[] _entries;
        private readonly int _first;
        private readonly int _count;
        private readonly HashSet<(int, long)>? _dots;

        public Superseded(CellState state, EntryColumn[] entries, int first, int count)
        {
            (_state, _entries, _first, _count, _dots) = (state, entries, first, count, null);
            if (count <= ScanMax) return;
            _dots = new HashSet<(int, long)>(count);
            for (int i = first; i < first + count; i++)
                _dots.Add((state._localOf[entries[i].Replica], entries[i].Counter));
        }

        public bool Removes(in EntryData entry) =>
            entry.Counter <= _state._frameTo[entry.Replica] && !IsInFrame(entry);

        private bool IsInFrame(in EntryData entry)
        {
            if (_dots is not null) return _dots.Contains((entry.Replica, entry.Counter));
            for (int i = _first; i < _first + _count; i++)
            {
                ref EntryColumn other = ref _entries[i];
                if (other.Counter == entry.Counter && _state._localOf[other.Replica] == entry.Replica) return true;
            }

            return false;
        }
    }
}
