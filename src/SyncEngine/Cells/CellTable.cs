using System.IO.Hashing;
using System.Runtime.CompilerServices;
using SyncEngine.Values;

namespace SyncEngine.Cells;

/// <summary>
/// All cells of a dataset, found by kind, container and text through an open-addressing index over UTF-8 bytes. No
/// object
/// per cell, no string: about 56 bytes and the text and value themselves.
/// </summary>
internal sealed class CellTable(ulong seed)
{
    private readonly SegmentedArray<CellData> _cells = new();
    private readonly SegmentedArray<EntryData> _more = new();
    private readonly List<Container?> _containers = [];
    private readonly List<int> _freeCells = [];
    private readonly List<int> _freeContainers = [];
    private Slot[] _slots = new Slot[8];
    private int _slotsUsed;
    private int _freeMore = EntryData.None;

    private struct Slot
    {
        public uint Hash;

        /// <summary>Index of the cell plus one; 0 for a free slot.</summary>
        public int Cell;
    }

    public Slab Slab { get; private set; } = new();

    /// <summary>Indexes below this may be in use; <see cref="IsInUse"/> tells which are.</summary>
    public int Bound => _cells.Count;

    public ref CellData this[int cell]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _cells[cell];
    }

    public bool IsInUse(int cell) => _cells[cell].Kind != 0;

    /// <summary>An entry of a cell: <see cref="FirstEntry"/> or an index that an entry named as its next.</summary>
    public ref EntryData EntryAt(ref CellData cell, int entry) => ref entry == FirstEntry ? ref cell.First : ref _more[entry];

    public EntryData More(int index) => _more[index];

    public Container? ContainerAt(int number) => _containers[number];

    public ReadOnlySpan<byte> Text(in CellData cell) => Slab.Read(cell.TextAt);

    /// <summary>The key of the record that a cell belongs to.</summary>
    public ReadOnlySpan<byte> KeyOf(in CellData cell) => Slab.Read(KeyAddress(cell));

    public long KeyAddress(in CellData cell) =>
        cell.Owner == 0 ? cell.TextAt : _cells[_containers[cell.Owner - 1]!.Header].TextAt;

    public Value ValueOf(in EntryData entry)
    {
        if (entry.IsDeleted) return default;
        byte[] buffer = Slab.Locate(entry.ValueAt, out int offset, out int length);
        return new Value(buffer, offset, length);
    }

    public void EnsureCapacity(int cells)
    {
        int wanted = _slotsUsed + cells;
        if (wanted > SlotsMax(_slots.Length)) Rehash(SlotCountFor(wanted));
    }

    /// <summary>The cell's index, or −1.</summary>
    public int Find(CellKind kind, int owner, ReadOnlySpan<byte> text) =>
        FindAt(kind, owner, text, HashOf(kind, owner, text), out _);

    public int FindOrAdd(CellKind kind, int owner, ReadOnlySpan<byte> text, out bool added)
    {
        uint hash = HashOf(kind, owner, text);
        int cell = FindAt(kind, owner, text, hash, out int slot);
        added = cell < 0;
        if (!added) return cell;
        if (_slotsUsed + 1 > SlotsMax(_slots.Length))
        {
            Rehash(_slots.Length * 2);
            FindAt(kind, owner, text, hash, out slot);
        }

        cell = Allocate();
        ref CellData data = ref _cells[cell];
        data = new CellData { TextAt = Slab.Add(text), Kind = kind, Owner = owner };
        data.First.Replica = data.First.Next = EntryData.None;
        _slots[slot] = new Slot { Hash = hash, Cell = cell + 1 };
        _slotsUsed++;
        if (owner != 0) _containers[owner - 1]!.Members.Add(cell);
        return cell;
    }

    public Container? FindContainer(RecordKind kind, ReadOnlySpan<byte> key)
    {
        int header = Find(CellKinds.HeaderOf(kind), 0, key);
        return header < 0 ? null : _containers[(int)_cells[header].First.Counter];
    }

    public Container FindOrAddContainer(RecordKind kind, ReadOnlySpan<byte> key)
    {
        int header = FindOrAdd(CellKinds.HeaderOf(kind), 0, key, out bool added);
        if (!added) return _containers[(int)_cells[header].First.Counter]!;
        int number = _freeContainers.Count > 0 ? _freeContainers[^1] : _containers.Count;
        var container = new Container(number, kind, header, XxHash3.HashToUInt64(key));
        _cells[header].First.Counter = number;
        if (number == _containers.Count) _containers.Add(container);
        else
        {
            _containers[number] = container;
            _freeContainers.RemoveAt(_freeContainers.Count - 1);
        }

        return container;
    }

    /// <summary>Takes empty cells out of the index; their indexes are used again.</summary>
    public void Remove(IReadOnlyList<int> emptied)
    {
        HashSet<int>? owners = null;
        foreach (int cell in emptied)
        {
            ref CellData data = ref _cells[cell];
            if (data.Kind == 0 || !data.IsEmpty || CellKinds.IsHeader(data.Kind)) continue;
            if (data.Owner != 0) (owners ??= []).Add(data.Owner - 1);
            RemoveFromIndex(cell, ref data);
        }

        if (owners is null) return;
        foreach (int number in owners)
        {
            Container container = _containers[number]!;
            container.Members.RemoveAll(cell => _cells[cell].Kind == 0);
            container.Order = null;
            if (container.Members.Count > 0) continue;
            RemoveFromIndex(container.Header, ref _cells[container.Header]);
            _containers[number] = null;
            _freeContainers.Add(number);
        }
    }

    /// <summary>Whether a cell holds an entry with the given dot.</summary>
    public bool Holds(int cell, int replica, long counter)
    {
        ref EntryData entry = ref _cells[cell].First;
        while (true)
        {
            if (entry.Replica == replica && entry.Counter == counter) return true;
            if (entry.Next == EntryData.None) return false;
            entry = ref _more[entry.Next];
        }
    }

    /// <summary>Adds an entry to a cell.</summary>
    public void Insert(ref CellData cell, in EntryData entry)
    {
        if (cell.IsEmpty)
        {
            cell.First = entry;
            cell.First.Next = EntryData.None;
            return;
        }

        int index = _freeMore;
        if (index == EntryData.None) index = _more.Add();
        else _freeMore = _more[index].Next;
        _more[index] = entry;
        _more[index].Next = cell.First.Next;
        cell.First.Next = index;
    }

    /// <summary>Takes out the entry after <paramref name="previous"/>, or the first where that is −1.</summary>
    public void RemoveAfter(ref CellData cell, int previous)
    {
        int freed;
        if (previous == EntryData.None)
        {
            freed = cell.First.Next;
            if (freed == EntryData.None)
            {
                cell.First = new EntryData { Replica = EntryData.None, Next = EntryData.None };
                return;
            }

            cell.First = _more[freed];
        }
        else
        {
            ref EntryData before = ref EntryAt(ref cell, previous);
            freed = before.Next;
            before.Next = _more[freed].Next;
        }

        _more[freed] = new EntryData { Replica = EntryData.None, Next = _freeMore };
        _freeMore = freed;
    }

    /// <summary>Stands for the cell's own entry where a pool index is asked for.</summary>
    public const int FirstEntry = -2;

    /// <summary>Copies what is alive into a fresh slab once most of the old one is garbage.</summary>
    public void CompactIfWasteful()
    {
        if (Slab.GarbageBytes < 64 * 1024 || Slab.GarbageBytes < Slab.UsedBytes / 2) return;
        var fresh = new Slab();
        for (int i = 0; i < _cells.Count; i++)
        {
            ref CellData cell = ref _cells[i];
            if (cell.Kind == 0) continue;
            cell.TextAt = fresh.Add(Slab.Read(cell.TextAt));
            if (CellKinds.IsHeader(cell.Kind) || cell.IsEmpty) continue;
            for (ref EntryData entry = ref cell.First; ; entry = ref _more[entry.Next])
            {
                if (!entry.IsDeleted) entry.ValueAt = fresh.Add(Slab.Read(entry.ValueAt));
                if (entry.Next == EntryData.None) break;
            }
        }

        Slab = fresh;
    }

    private static int SlotsMax(int slots) => (int)(slots * 0.8);

    private static int SlotCountFor(int cells)
    {
        int slots = 8;
        while (SlotsMax(slots) < cells) slots = checked(slots * 2);
        return slots;
    }

    private uint HashOf(CellKind kind, int owner, ReadOnlySpan<byte> text)
    {
        long salted = (long)seed ^ ((long)(uint)owner << 8 | (byte)kind) * unchecked((long)0x9E3779B97F4A7C15);
        return (uint)(XxHash3.HashToUInt64(text, salted) >> 32);
    }

    private int FindAt(CellKind kind, int owner, ReadOnlySpan<byte> text, uint hash, out int slot)
    {
        Slot[] slots = _slots;
        int mask = slots.Length - 1;
        for (int i = (int)hash & mask; ; i = (i + 1) & mask)
        {
            Slot candidate = slots[i];
            if (candidate.Cell == 0)
            {
                slot = i;
                return -1;
            }

            if (candidate.Hash != hash) continue;
            ref CellData cell = ref _cells[candidate.Cell - 1];
            if (cell.Kind != kind || cell.Owner != owner || !Slab.Read(cell.TextAt).SequenceEqual(text)) continue;
            slot = i;
            return candidate.Cell - 1;
        }
    }

    private int Allocate()
    {
        if (_freeCells.Count == 0) return _cells.Add();
        int cell = _freeCells[^1];
        _freeCells.RemoveAt(_freeCells.Count - 1);
        return cell;
    }

    private void Rehash(int slotCount)
    {
        Slot[] old = _slots;
        var slots = new Slot[slotCount];
        int mask = slotCount - 1;
        foreach (Slot slot in old)
        {
            if (slot.Cell == 0) continue;
            int i = (int)slot.Hash & mask;
            while (slots[i].Cell != 0) i = (i + 1) & mask;
            slots[i] = slot;
        }

        _slots = slots;
    }

    private void RemoveFromIndex(int cell, ref CellData data)
    {
        int slot = SlotOf(cell, HashOf(data.Kind, data.Owner, Slab.Read(data.TextAt)));
        Slab.Drop(data.TextAt);

        // A dot log may still name the cell, so it must read as empty until it is used again.
        data = new CellData();
        data.First.Replica = data.First.Next = EntryData.None;
        _freeCells.Add(cell);
        _slotsUsed--;

        // Backward shift: close the gap, so that no walk ends early and no marker is left behind.
        int mask = _slots.Length - 1, gap = slot;
        for (int i = (slot + 1) & mask; _slots[i].Cell != 0; i = (i + 1) & mask)
        {
            int home = (int)_slots[i].Hash & mask;
            if (((i - home) & mask) < ((i - gap) & mask)) continue;
            _slots[gap] = _slots[i];
            gap = i;
        }

        _slots[gap] = default;
    }

    private int SlotOf(int cell, uint hash)
    {
        int mask = _slots.Length - 1;
        int i = (int)hash & mask;
        while (_slots[i].Cell != cell + 1) i = (i + 1) & mask;
        return i;
    }
}
