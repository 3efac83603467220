using System.Runtime.CompilerServices;

namespace SyncEngine.Cells;

/// <summary>A growing array in segments: references to items stay valid, growth copies at most one small
/// segment.</summary>
internal sealed class SegmentedArray<T> where T : struct
{
    private const int SegmentBits = 10;
    private const int SegmentLength = 1 << SegmentBits;
    private T[][] _segments = [new T[2]];
    private int _segmentCount = 1;

    public int Count { get; private set; }

    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _segments[index >> SegmentBits][index & (SegmentLength - 1)];
    }

    /// <summary>Appends a default item and returns its index.</summary>
    public int Add()
    {
        int index = Count++;
        int segment = index >> SegmentBits, offset = index & (SegmentLength - 1);
        if (segment == 0)
        {
            if (offset == _segments[0].Length) Array.Resize(ref _segments[0], Math.Min(SegmentLength, offset * 4));
        }
        else if (segment == _segmentCount)
        {
            if (_segmentCount == _segments.Length) Array.Resize(ref _segments, _segmentCount * 2);
            _segments[_segmentCount++] = new T[SegmentLength];
        }

        return index;
    }
}
