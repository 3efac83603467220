namespace SyncEngine.Cells;

/// <summary>Walks the entries of a cell; it copies them, so the cell may change meanwhile but must not
/// shrink.</summary>
internal struct EntryEnumerator(CellTable table, int cell)
{
    private int _next = table[cell].IsEmpty ? EntryData.None : CellTable.FirstEntry;

    public EntryData Current { get; private set; }

    public readonly EntryEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_next == EntryData.None) return false;
        Current = _next == CellTable.FirstEntry ? table[cell].First : table.More(_next);
        _next = Current.Next;
        return true;
    }
}
