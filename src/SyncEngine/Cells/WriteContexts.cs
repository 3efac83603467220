namespace SyncEngine.Cells;

/// <summary>
/// What was known of other replicas when each own write was made, as far back as this is remembered: not beyond a restart, a
/// rename or a few thousand merges.
/// </summary>
internal sealed class WriteContexts
{
    private const int NotesMax = 4096;

    /// <summary>For each replica, by the last own write before: the counter that was known until then.</summary>
    private readonly Dictionary<int, List<(long Own, long Known)>> _raises = [];

    /// <summary>Own writes that superseded less than what they knew of their cell.</summary>
    private readonly HashSet<long> _narrow = [];
    private int _count;

    /// <summary>The last own write of which nothing is remembered; −1 before the first that is.</summary>
    private long _forgotten = -1;

    public void Clear()
    {
        _raises.Clear();
        _narrow.Clear();
        (_count, _forgotten) = (0, -1);
    }

    public void NoteWrite(long counter)
    {
        if (_forgotten < 0) _forgotten = counter - 1;
    }

    /// <summary>Notes an own write that took back others, and superseded nothing else.</summary>
    public void NoteTakeBack(long counter)
    {
        if (HasRoom(counter) && _narrow.Add(counter)) _count++;
    }

    /// <summary>Notes that more becomes known of a replica.</summary>
    /// <param name="own">The last own write.</param>
    /// <param name="replica">The replica.</param>
    /// <param name="known">What was known of it until now.</param>
    public void NoteRaise(long own, int replica, long known)
    {
        if (!HasRoom(own)) return;
        if (!_raises.TryGetValue(replica, out List<(long Own, long Known)>? raises)) _raises.Add(replica, raises = []);
        if (raises.Count > 0 && raises[^1].Own == own) return;
        raises.Add((own, known));
        _count++;
    }

    /// <summary>Whether an own write superseded a dot that is known now, if that stood in its cell: whether it was known then.
    /// Null if that is not remembered.</summary>
    public bool? Knew(long write, int replica, long counter)
    {
        if (_forgotten < 0 || write <= _forgotten || _narrow.Contains(write)) return null;
        if (!_raises.TryGetValue(replica, out List<(long Own, long Known)>? raises)) return true;
        (int low, int high) = (0, raises.Count);
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (raises[middle].Own < write) low = middle + 1;
            else high = middle;
        }

        return low == raises.Count || raises[low].Known >= counter;
    }

    /// <summary>Whether something about the last own write is worth noting; forgets all when there is too much.</summary>
    private bool HasRoom(long own)
    {
        if (_forgotten < 0 || own <= _forgotten) return false;
        if (_count < NotesMax) return true;
        Clear();
        _forgotten = own;
        return false;
    }
}
