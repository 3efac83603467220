using System.IO.Hashing;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;

namespace SyncEngine.Testing;

/// <summary>
/// Knows every write of a history and what it superseded, and holds devices against it. Writes are named by the stamp of their
/// opening and their counter, which no renaming of a copied file's branch changes. What a device must hold follows from what
/// its version says it has seen (invariant I1): the writes seen that no seen write superseded. It does not use the join.
/// </summary>
internal sealed class Oracle
{
    private readonly Dictionary<(ulong Stamp, long Counter), int> _byName = [];
    private readonly List<WriteRecord> _writes = [];
    private Dictionary<ulong, List<int>> _before = [];
    private long _counterBefore;
    private bool[] _covered = [];
    private bool[] _superseded = [];
    private bool[] _surelySuperseded = [];

    public IReadOnlyList<WriteRecord> Writes => _writes;

    /// <summary>Whether a file was torn. A device may then have lost a write that replaced others without noticing: the others
    /// are gone though it has not seen why, and what was replaced may come back beside what replaced it; devices that differ
    /// by that heal, and what only some hold gets another name.</summary>
    public bool IsTorn { get; set; }

    /// <summary>Notes what the dataset holds before a write.</summary>
    public void BeforeWrite(Dataset dataset)
    {
        _before = [];
        CellState state = dataset.State;
        _counterBefore = state.Own < 0 ? 0 : state.Replicas.Counter(state.Own);
        foreach (StandingWrite standing in Standing(state))
        {
            // What stands beyond a gap of a torn file has not been seen yet: a write stands beside it.
            if (standing.Counter > state.Replicas.Counter(standing.Replica)) continue;
            if (!_before.TryGetValue(standing.Text, out List<int>? cell)) _before.Add(standing.Text, cell = []);
            if (IdOf(dataset, standing) is >= 0 and int id) cell.Add(id);
        }
    }

    /// <summary>Takes down what the write did.</summary>
    /// <returns>How many writes it made.</returns>
    public int AfterWrite(Dataset dataset, string device)
    {
        CellState state = dataset.State;
        int first = _writes.Count;
        var after = new Dictionary<ulong, List<int>>();
        foreach (StandingWrite standing in Standing(state))
        {
            bool isNew = standing.Replica == state.Own && (standing.Counter > _counterBefore
                || !_byName.ContainsKey((standing.Stamp, standing.Counter)));
            if (isNew)
            {
                _byName.Add((standing.Stamp, standing.Counter), _writes.Count);
                _writes.Add(new WriteRecord(dataset.Name, device, standing, Describe(state, standing)));
            }

            if (!after.TryGetValue(standing.Text, out List<int>? cell)) after.Add(standing.Text, cell = []);
            if (IdOf(dataset, standing) is >= 0 and int known) cell.Add(known);
        }

        for (int id = first; id < _writes.Count; id++)
        {
            ulong text = _writes[id].Standing.Text;
            if (!_before.TryGetValue(text, out List<int>? held)) continue;
            _writes[id].Supersedes = held.FindAll(old => !after[text].Contains(old)).ToArray();
        }

        return _writes.Count - first;
    }

    /// <summary>Which writes a version covers.</summary>
    public HashSet<int> CoveredBy(string dataset, ILineage version)
    {
        Cover(dataset, version);
        var covered = new HashSet<int>();
        for (int id = 0; id < _writes.Count; id++)
            if (_covered[id]) covered.Add(id);
        return covered;
    }

    /// <summary>Holds a dataset against what its version says it has seen.</summary>
    /// <exception cref="HistoryException">It holds too much, too little, or something else.</exception>
    public void Check(Dataset dataset, string device)
    {
        CellState state = dataset.State;
        if (state.HasGaps) return;
        Cover(dataset.Name, state.Replicas);
        int expected = 0;
        for (int id = 0; id < _writes.Count; id++)
        {
            WriteRecord write = _writes[id];
            if (!_covered[id] && !IsTorn) continue;
            if (_covered[id] && write.IsDead)
                throw new HistoryException($"{device} has seen {write}, which died with its process: it was sent before it was "
                    + "durable, or its name was used twice.");
            foreach (int old in write.Supersedes)
            {
                _superseded[old] = true;
                _surelySuperseded[old] |= !IsTorn;
            }
        }

        for (int id = 0; id < _writes.Count; id++)
            if (MustStand(id)) expected++;
        foreach (StandingWrite standing in Standing(state))
        {
            int id = IdOf(dataset, standing);
            if (id < 0) continue;
            if (!_covered[id]) throw new HistoryException($"{device} holds {_writes[id]}, which its version does not cover.");
            if (_surelySuperseded[id])
                throw new HistoryException($"{device} holds {_writes[id]}, though it has seen what superseded it.");
            if (MustStand(id)) expected--;
        }

        if (expected == 0) return;
        var held = new HashSet<int>(Standing(state).Select(standing => IdOf(dataset, standing)));
        int lost = Enumerable.Range(0, _writes.Count).First(id => MustStand(id) && !held.Contains(id));
        throw new HistoryException($"{device} has seen {_writes[lost]} and nothing that superseded it, and does not hold it.");
    }

    /// <summary>A deleted write may be forgotten; one whose file was torn or replaced may be lost.</summary>
    private bool MustStand(int id) =>
        _covered[id] && !_superseded[id] && !_writes[id].MayBeGone && !_writes[id].Standing.IsDeleted;

    private void Cover(string dataset, ILineage version)
    {
        if (_covered.Length < _writes.Count)
        {
            int length = Math.Max(64, _writes.Count * 2);
            (_covered, _superseded, _surelySuperseded) = (new bool[length], new bool[length], new bool[length]);
        }

        Array.Clear(_superseded, 0, _superseded.Length);
        Array.Clear(_surelySuperseded, 0, _surelySuperseded.Length);
        var openings = new Dictionary<ulong, (long First, long Last)>();
        for (int i = 0; i < version.Count; i++)
        {
            ReadOnlySpan<Opening> line = version.LineOf(i);
            for (int at = 0; at < line.Length && line[at].FirstCounter <= version.Counter(i); at++)
            {
                long last = at + 1 < line.Length ? line[at + 1].FirstCounter - 1 : version.Counter(i);
                openings[line[at].Stamp] = (line[at].FirstCounter, Math.Min(last, version.Counter(i)));
            }
        }

        for (int id = 0; id < _writes.Count; id++)
        {
            WriteRecord write = _writes[id];
            _covered[id] = write.Dataset == dataset
                && openings.TryGetValue(write.Standing.Stamp, out (long First, long Last) opening)
                && write.Standing.Counter >= opening.First && write.Standing.Counter <= opening.Last;
        }
    }

    /// <summary>The write that stands there; −1 if the file misses changes, for then its lines may tell the wrong name, or if
    /// it got another name when devices healed what differed.</summary>
    private int IdOf(Dataset dataset, StandingWrite standing)
    {
        bool isKnown = _byName.TryGetValue((standing.Stamp, standing.Counter), out int id);
        if (isKnown && _writes[id].Dataset == dataset.Name && IsSame(_writes[id].Standing, standing)) return id;
        bool isHealed = IsTorn && standing.Counter == 1
            && dataset.State.Replicas.Id(standing.Replica).Bits == standing.Stamp
            && _writes.Exists(write => write.Dataset == dataset.Name && IsSame(write.Standing, standing));
        if (dataset.State.HasGaps || isHealed) return -1;
        throw new HistoryException(isKnown
            ? $"{_writes[id]} has become {Describe(dataset.State, standing)}."
            : $"A device holds {Describe(dataset.State, standing)}, which nobody wrote.");
    }

    private static bool IsSame(in StandingWrite left, in StandingWrite right) => left.Text == right.Text
        && left.Clock == right.Clock && left.IsDeleted == right.IsDeleted && left.Value == right.Value;

    private static List<StandingWrite> Standing(CellState state)
    {
        var standing = new List<StandingWrite>();
        for (int cell = 0; cell < state.Table.Bound; cell++)
        {
            if (!state.Table.IsInUse(cell) || CellKinds.IsHeader(state.Table[cell].Kind)) continue;
            ulong hash = state.TextHash(state.Table[cell]);
            foreach (EntryData entry in state.EntriesOf(cell))
            {
                ReadOnlySpan<Opening> line = state.Replicas.LineOf(entry.Replica);
                int openings = Line.LengthAt(line, entry.Counter);
                ulong value = entry.IsDeleted ? 0 : XxHash3.HashToUInt64(state.Table.Slab.Read(entry.ValueAt));
                standing.Add(new StandingWrite(cell, hash, openings == 0 ? 0 : line[openings - 1].Stamp, entry.Counter,
                    entry.Replica, entry.Clock, entry.IsDeleted, value));
            }
        }

        return standing;
    }

    private static string Describe(CellState state, in StandingWrite standing)
    {
        ref CellData data = ref state.Table[standing.Cell];
        string value = standing.IsDeleted ? "deleted" : "?";
        foreach (EntryData entry in state.EntriesOf(standing.Cell))
            if (entry.Counter == standing.Counter && entry.Replica == standing.Replica && !entry.IsDeleted)
                value = state.Table.ValueOf(entry).ToString() + (data.Kind == CellKind.Counter ? " by this opening" : "");
        return $"{data.Kind} {System.Text.Encoding.UTF8.GetString(state.Table.KeyOf(data).ToArray())} = {value}";
    }
}
