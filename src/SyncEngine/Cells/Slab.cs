using System.Runtime.CompilerServices;

namespace SyncEngine.Cells;

/// <summary>
/// Append-only memory for keys, fields and values: each piece is its length as a varint and its bytes. A piece never
/// changes, so a view into it may be handed out; a dropped piece is garbage until the table is rewritten.
/// </summary>
internal sealed class Slab
{
    private const int ChunkBytes = 64 * 1024;
    private const int FirstChunkBytes = 64;
    private byte[][] _chunks = new byte[4][];
    private int _count;
    private int _used;

    /// <summary>Bytes in use, garbage included.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Bytes of dropped pieces.</summary>
    public long GarbageBytes { get; private set; }

    /// <summary>Appends a copy of the bytes and returns their address.</summary>
    public long Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length, out long address));
        return address;
    }

    /// <summary>Appends a piece whose bytes the caller fills in before anything else is appended.</summary>
    public Span<byte> Reserve(int length, out long address)
    {
        int prefix = PrefixLength(length), total = prefix + length;
        if (_count == 0 || _chunks[_count - 1].Length - _used < total) Grow(total);
        byte[] chunk = _chunks[_count - 1];
        address = ((long)(_count - 1) << 32) | (uint)_used;
        int at = _used;
        uint rest = (uint)length;
        while (rest >= 128)
        {
            chunk[at++] = (byte)(rest | 128);
            rest >>= 7;
        }

        chunk[at++] = (byte)rest;
        _used += total;
        UsedBytes += total;
        return chunk.AsSpan(at, length);
    }

    /// <summary>The bytes of a piece.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Read(long address)
    {
        byte[] buffer = Locate(address, out int offset, out int length);
        return new ReadOnlySpan<byte>(buffer, offset, length);
    }

    /// <summary>Where the bytes of a piece lie.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte[] Locate(long address, out int offset, out int length)
    {
        byte[] chunk = _chunks[(int)(address >> 32)];
        int at = (int)(uint)address;
        uint first = chunk[at++];
        if (first >= 128) first = LongLength(chunk, ref at, first);
        offset = at;
        length = (int)first;
        return chunk;
    }

    /// <summary>Counts a piece as garbage.</summary>
    public void Drop(long address)
    {
        Locate(address, out _, out int length);
        GarbageBytes += length + PrefixLength(length);
    }

    private void Grow(int total)
    {
        if (_count == _chunks.Length) Array.Resize(ref _chunks, _count * 2);
        int grown = _count == 0 ? FirstChunkBytes : Math.Min(ChunkBytes, _chunks[_count - 1].Length * 4);
        int length = Math.Max(grown, total);
        _chunks[_count++] = MemoryPolyfill.AllocateForOverwrite<byte>(length);
        _used = 0;
    }

    private static int PrefixLength(int length) => length < 1 << 7 ? 1 : length < 1 << 14 ? 2 : length < 1 << 21 ? 3
        : length < 1 << 28 ? 4 : 5;

    private static uint LongLength(byte[] chunk, ref int at, uint first)
    {
        uint length = first & 127;
        for (int shift = 7; ; shift += 7)
        {
            uint next = chunk[at++];
            length |= (next & 127) << shift;
            if (next < 128) return length;
        }
    }
}
