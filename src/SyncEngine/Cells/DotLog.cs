namespace SyncEngine.Cells;

/// <summary>
/// One replica's dots in counter order, each with the cell it was written to: what makes a delta cost what changed and
/// not what exists. Superseded dots stay as garbage until they outnumber the live ones.
/// </summary>
internal sealed class DotLog
{
    private long[] _counters = [];
    private int[] _cells = [];
    private int _sortedCount;

    public int Count { get; private set; }

    /// <summary>How many of the dots still stand in their cells.</summary>
    public int Live { get; set; }

    public long CounterAt(int index) => _counters[index];

    public int CellAt(int index) => _cells[index];

    public void EnsureCapacity(int count)
    {
        if (count <= _counters.Length) return;
        int capacity = Math.Max(count, Math.Max(4, Count + (Count >> 1)));
        Array.Resize(ref _counters, capacity);
        Array.Resize(ref _cells, capacity);
    }

    /// <summary>Appends a dot above all that were there when the running change began.</summary>
    public void Append(long counter, int cell)
    {
        if (Count == _counters.Length) EnsureCapacity(Count + 1);
        if (_sortedCount == Count && (Count == 0 || _counters[Count - 1] < counter)) _sortedCount++;
        _counters[Count] = counter;
        _cells[Count++] = cell;
    }

    /// <summary>Puts dots that came out of order into order.</summary>
    public void Settle()
    {
        if (_sortedCount == Count) return;
        // Only dots of the running change can be out of place, but they may belong before the last sorted one.
        long least = long.MaxValue;
        for (int i = _sortedCount; i < Count; i++) least = Math.Min(least, _counters[i]);
        int from = Array.BinarySearch(_counters, 0, _sortedCount, least);
        if (from < 0) from = ~from;
        Array.Sort(_counters, _cells, from, Count - from);
        DropTwins(from);
        _sortedCount = Count;
    }

    /// <summary>A dot that went while changes were missing, and that a peer brought again, would be listed twice.</summary>
    private void DropTwins(int from)
    {
        int kept = from;
        for (int i = from; i < Count; i++)
        {
            bool isTwin = false;
            for (int j = kept - 1; j >= from && _counters[j] == _counters[i] && !isTwin; j--) isTwin = _cells[j] == _cells[i];
            if (isTwin) continue;
            (_counters[kept], _cells[kept]) = (_counters[i], _cells[i]);
            kept++;
        }

        Count = kept;
    }

    /// <summary>The index of the first dot with a counter above <paramref name="counter"/>.</summary>
    public int FirstAbove(long counter)
    {
        if (counter <= 0) return 0;
        int index = Array.BinarySearch(_counters, 0, Count, counter);
        if (index < 0) return ~index;

        // A dot that went while changes were missing, and came again in another cell, may stand twice.
        while (index < Count && _counters[index] == counter) index++;
        return index;
    }

    /// <summary>Drops all dots from an index on: a transaction is undone.</summary>
    public void Truncate(int count)
    {
        Count = count;
        _sortedCount = Math.Min(_sortedCount, count);
    }

    /// <summary>Whether so many dots are garbage that dropping them pays.</summary>
    public bool WantsCompaction => Count > 64 && Count > 2 * Live + 64;

    /// <summary>Keeps only the dots that still stand in their cells.</summary>
    public void Compact(CellTable table, int replica)
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (!table.Holds(_cells[i], replica, _counters[i])) continue;
            _counters[kept] = _counters[i];
            _cells[kept++] = _cells[i];
        }

        Count = _sortedCount = kept;
        if (_counters.Length > 2 * kept + 64)
        {
            Array.Resize(ref _counters, kept + (kept >> 2) + 4);
            Array.Resize(ref _cells, kept + (kept >> 2) + 4);
        }
    }
}
