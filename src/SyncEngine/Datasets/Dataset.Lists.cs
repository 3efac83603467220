using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    internal void WriteList(string key, ListAction action, int index, int to, Value element)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        Container? list = _state.Table.FindContainer(RecordKind.List, text);
        int count = list?.LiveCount ?? 0;
        if (action == ListAction.Add) index = count;
        bool inserts = action is ListAction.Add or ListAction.Insert;
        CheckIndex(index, inserts ? count + 1 : count, nameof(index));
        if (action == ListAction.Move) CheckIndex(to, count, nameof(to));
        if (action is ListAction.Add or ListAction.Insert or ListAction.Set)
        {
            if (element.IsMissing)
                throw new ArgumentException("An element of a list must not be missing; remove it instead.", nameof(element));
            int cell = inserts ? -1 : OrderOf(list!)[index];
            ReadOnlySpan<byte> field = cell < 0 ? default : _state.Table.Text(_state.Table[cell]);
            CheckLimits(CellKind.ListValue, text, field, element.Encoded);
        }

        if (action == ListAction.Move && index == to) return;
        BeginWriting();
        list ??= _state.Table.FindOrAddContainer(RecordKind.List, text);
        switch (action)
        {
            case ListAction.Add:
            case ListAction.Insert:
                InsertElement(list, index, element);
                break;
            case ListAction.Set:
                SetElement(list, OrderOf(list)[index], element);
                break;
            case ListAction.Remove:
                RemoveElement(list, index);
                break;
            case ListAction.Move:
                MoveElement(list, index, to);
                break;
        }
    }

    /// <summary>The cells of a list's values in the order of their places.</summary>
    private List<int> OrderOf(Container list)
    {
        if (list.Order is { } known) return known;
        var order = new List<int>(list.LiveCount);
        foreach (int cell in list.Members)
            if (_state.Table[cell].Kind == CellKind.ListValue && _state.LiveEntryCount(cell) > 0) order.Add(cell);
        order.Sort((left, right) => ComparePlaces(list, left, right));
        return list.Order = order;
    }

    private int ComparePlaces(Container list, int left, int right)
    {
        int order = PlaceOf(list, left).SequenceCompareTo(PlaceOf(list, right));
        return order != 0 ? order
            : _state.Table.Text(_state.Table[left]).SequenceCompareTo(_state.Table.Text(_state.Table[right]));
    }

    /// <summary>Where an element stands: where it was moved last, or where it was born.</summary>
    private ReadOnlySpan<byte> PlaceOf(Container list, int element)
    {
        ReadOnlySpan<byte> birth = _state.Table.Text(_state.Table[element]);
        int place = _state.Table.Find(CellKind.ListPlace, list.Number + 1, birth);
        if (place < 0 || !_state.TryGetWinner(place, out EntryData winner)) return birth;
        ReadOnlySpan<byte> encoded = _state.Table.Slab.Read(winner.ValueAt);
        return encoded[ValueScanner.ReadHeader(encoded, out _)..];
    }

    private byte[] NewPosition(Container list, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        list.Waypoints ??= new WaypointAllocator(Context.Random.Fill);
        byte[] position = ListPosition.Between(left, right, list.Waypoints);
        if (position.Length <= Wire.FrameLimits.TextBytesMax) return position;
        throw new Causality.SyncException(Causality.SyncErrorCode.LimitExceeded, "Too many insertions at one place made "
            + "the list's positions too long. Nothing was changed. Clear the list and fill it anew.");
    }

    private void InsertElement(Container list, int index, Value element)
    {
        List<int> order = OrderOf(list);
        ReadOnlySpan<byte> left = index == 0 ? default : PlaceOf(list, order[index - 1]);
        byte[] birth = NewPosition(list, left, NextPlace(list, index, left));
        int cell = _state.Table.FindOrAdd(CellKind.ListValue, list.Number + 1, birth, out _);
        _state.Write(cell, element.Encoded, _now, keepsOrder: true);
        order.Insert(index, cell);
        ForgetOrderIfTwins(list, index, left);
    }

    /// <summary>
    /// The place of the first element from an index on that stands behind another place. Honest replicas never put two
    /// elements at one place, but a frame may say so, and that must not stop anybody from inserting.
    /// </summary>
    private ReadOnlySpan<byte> NextPlace(Container list, int index, ReadOnlySpan<byte> left)
    {
        List<int> order = OrderOf(list);
        for (; index < order.Count; index++)
        {
            ReadOnlySpan<byte> place = PlaceOf(list, order[index]);
            if (place.SequenceCompareTo(left) > 0) return place;
        }

        return default;
    }

    private void ForgetOrderIfTwins(Container list, int index, ReadOnlySpan<byte> left)
    {
        List<int> order = OrderOf(list);
        if (index + 1 < order.Count && PlaceOf(list, order[index + 1]).SequenceCompareTo(left) <= 0) list.Order = null;
    }

    private void SetElement(Container list, int cell, Value element)
    {
        int place = FindPlace(list, cell);
        _state.Write(cell, element.Encoded, _now, keepsOrder: true);
        if (place < 0 || !_state.TryGetWinner(place, out EntryData winner)) return;

        // The place is written again, so that a concurrent delete neither kills the element nor moves it back.
        byte[] position = _state.Table.Slab.Read(winner.ValueAt).ToArray();
        _state.Write(place, position, _now, keepsOrder: true);
    }

    private void RemoveElement(Container list, int index)
    {
        List<int> order = OrderOf(list);
        int cell = order[index], place = FindPlace(list, cell);
        _state.Write(cell, default, _now, keepsOrder: true);
        DeleteCell(place, keepsOrder: true);
        order.RemoveAt(index);
    }

    private void MoveElement(Container list, int from, int to)
    {
        List<int> order = OrderOf(list);
        int cell = order[from];
        order.RemoveAt(from);
        ReadOnlySpan<byte> left = to == 0 ? default : PlaceOf(list, order[to - 1]);
        byte[] position;
        try
        {
            position = NewPosition(list, left, NextPlace(list, to, left));
        }
        catch
        {
            order.Insert(from, cell);
            throw;
        }

        byte[] birth = _state.Table.Text(_state.Table[cell]).ToArray();
        int place = _state.Table.FindOrAdd(CellKind.ListPlace, list.Number + 1, birth, out _);
        _state.Write(place, Value.FromBytes(position).Encoded, _now, keepsOrder: true);
        order.Insert(to, cell);
        ForgetOrderIfTwins(list, to, left);
    }

    private int FindPlace(Container list, int element) => _state.Table.Find(
        CellKind.ListPlace, list.Number + 1, _state.Table.Text(_state.Table[element]));

    private static void CheckIndex(int index, int count, string name)
    {
        if ((uint)index >= (uint)count)
            throw new ArgumentOutOfRangeException(name, index, $"The index must be from 0 to {count - 1}.");
    }
}
