namespace SyncEngine.Cells;

/// <summary>What a cell counted for before a change; <see cref="Apply"/> books the difference after it.</summary>
internal readonly struct Tally
{
    private readonly bool _wasLive;

    public Tally(CellState state, int cell)
    {
        ref CellData data = ref state.Table[cell];
        TextHash = state.TextHash(data);
        _wasLive = IsLive(state, cell);
    }

    /// <summary>For a cell that was just made.</summary>
    public Tally(ulong textHash)
    {
        TextHash = textHash;
        _wasLive = false;
    }

    public ulong TextHash { get; }

    public void Apply(CellState state, int cell, bool keepsOrder = false)
    {
        ref CellData data = ref state.Table[cell];
        if (data.Kind is CellKind.Register or CellKind.MapField)
        {
            if (data.First.Next != EntryData.None) state.Contested.Add(cell);
            else if (state.Contested.Count > 0) state.Contested.Remove(cell);
        }

        bool isLive = IsLive(state, cell);
        if (data.Kind is CellKind.ListPlace)
        {
            if (!keepsOrder) state.Table.ContainerAt(data.Owner - 1)!.Order = null;
            return;
        }

        if (isLive == _wasLive) return;
        state.BookLive(data, isLive);
        if (data.Kind == CellKind.ListValue && !keepsOrder) state.Table.ContainerAt(data.Owner - 1)!.Order = null;
    }

    private static bool IsLive(CellState state, int cell)
    {
        ref CellData data = ref state.Table[cell];
        if (data.IsEmpty) return false;
        return data.First.Next == EntryData.None ? !data.First.IsDeleted : state.LiveEntryCount(cell) > 0;
    }
}
