using System.Buffers.Binary;
using System.Diagnostics;
using SyncEngine.Causality;

namespace SyncEngine.Cells;

/// <summary>
/// Places in a list as self-contained byte strings: plain unsigned byte order is list order, there is always room
/// between two, and no position refers to another, so forgetting any of them harms none.
/// </summary>
/// <remarks>
/// A position is a path in the manner of Fugue (Weidner and Kleppmann, "The Art of the Fugue", 2023). A step is a
/// waypoint (8 random bytes) and a token: 2i + 1 is element i of the waypoint, followed by 2 random bytes that keep
/// clones of one process apart; 2i leads to what lies directly before element i. Steps after an element lie directly
/// after it. Every waypoint's elements are neighbours in the list, because they share its bytes as a prefix; a run of
/// inserts stays in one waypoint, so concurrent runs never interleave.
/// A new waypoint goes to the shallowest level at which a free id separates the neighbours, and deeper only if there
/// is none: writers that take turns at one place therefore do not lengthen each other's positions.
/// </remarks>
internal static class ListPosition
{
    /// <summary>The longest position in bytes. After 10,000 random inserts the longest measured has 122.</summary>
    public const int LengthMax = 65_535;

    private const int WaypointLength = 8;
    private const int TieLength = 2;
    private const int StepLengthMax = WaypointLength + PositionToken.LengthMax + TieLength;
    private const long IndexMax = (PositionToken.Max - 1) / 2;

    /// <summary>Free ids between two waypoints below which a third might be drawn twice.</summary>
    private const ulong GapMin = 1UL << 44;

    /// <summary>
    /// How far from its neighbour a waypoint is drawn where nothing bounds it: leaves room for 2^16 more.
    /// </summary>
    private const ulong ReachMax = 1UL << 48;

    /// <summary>
    /// A new position strictly between two neighbours of the known order, deleted elements included. An empty span is
    /// the start or end of the list.
    /// </summary>
    /// <exception cref="ArgumentException">A neighbour is no position, or they are out of order.</exception>
    /// <exception cref="SyncException">The position would be longer than <see cref="LengthMax"/>.</exception>
    public static byte[] Between(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, WaypointAllocator own)
    {
        ArgumentNullException.ThrowIfNull(own);
        if (!left.IsEmpty && !IsValid(left)) throw new ArgumentException("Not a list position.", nameof(left));
        if (!right.IsEmpty && !IsValid(right)) throw new ArgumentException("Not a list position.", nameof(right));
        if (!right.IsEmpty && left.SequenceCompareTo(right) >= 0)
        {
            throw new ArgumentException("The neighbours are out of order.", nameof(right));
        }

        if (!TryExtend(left, 1, left, right, own, out byte[] position)
            && !TryExtend(right, -1, left, right, own, out position)
            && !TryBeside(left, right, own, out position))
        {
            position = Descend(left, right, own);
        }
        Debug.Assert(left.SequenceCompareTo(position) < 0, "A new position follows its left neighbour.");
        Debug.Assert(right.IsEmpty || right.SequenceCompareTo(position) > 0, "A new position precedes its right one.");
        return position;
    }

    /// <summary>Whether the bytes, which may be hostile, are a position.</summary>
    public static bool IsValid(ReadOnlySpan<byte> position)
    {
        if (position.Length > LengthMax) return false;
        int offset = 0;
        while (Step.TryRead(position, offset, out Step step))
        {
            offset = step.End;
            if (offset == position.Length) return step.IsElement;
        }
        return false;
    }

    /// <summary>Takes the next index of the neighbour's waypoint, if that is our own and lies in the gap.</summary>
    private static bool TryExtend(ReadOnlySpan<byte> neighbour, int direction, ReadOnlySpan<byte> left,
        ReadOnlySpan<byte> right, WaypointAllocator own, out byte[] position)
    {
        position = [];
        if (neighbour.IsEmpty) return false;
        Step last = Step.ReadLast(neighbour);
        if (!own.TryGetUsed(last.Waypoint, out (long Min, long Max) used)) return false;
        long index = direction > 0 ? used.Max + 1 : used.Min - 1;
        if (Math.Abs(index) > IndexMax) return false;

        ReadOnlySpan<byte> prefix = neighbour.Slice(0, last.Start);
        Span<byte> step = stackalloc byte[StepLengthMax];
        step = step.Slice(0, WriteElement(step, last.Waypoint, index, own));
        bool isBetween = Compare(prefix, step, left) > 0 && (right.IsEmpty || Compare(prefix, step, right) < 0);
        if (!isBetween) return false;
        own.Use(last.Waypoint, index);
        position = Concatenate(prefix, step);
        return true;
    }

    /// <summary>
    /// Draws a waypoint beside one on the path of either neighbour, at the shallowest level with room.
    /// </summary>
    private static bool TryBeside(
        ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, WaypointAllocator own, out byte[] position)
    {
        int shared = SharedLength(left, right);
        for (int offset = 0; Step.TryRead(left, offset, out Step step); offset = step.End)
        {
            ulong waypoint;
            if (offset <= shared && offset < right.Length)
            {
                // Both paths pass here. The middle of the gap leaves room for inserts on either side.
                ulong gap = ReadWaypoint(right, offset) - step.Waypoint;
                if (gap < GapMin) continue;
                waypoint = step.Waypoint + (gap / 4) + (own.NextRandom() % (gap / 2));
            }
            else
            {
                if (ulong.MaxValue - step.Waypoint < ReachMax) continue;
                waypoint = step.Waypoint + 1 + (own.NextRandom() % ReachMax);
            }
            position = Open(left.Slice(0, offset), waypoint, own);
            return true;
        }
        for (int offset = 0; Step.TryRead(right, offset, out Step step); offset = step.End)
        {
            bool isShared = offset <= shared && offset < left.Length;
            if (isShared || step.Waypoint < ReachMax) continue;
            position = Open(right.Slice(0, offset), step.Waypoint - 1 - (own.NextRandom() % ReachMax), own);
            return true;
        }
        position = [];
        return false;
    }

    /// <summary>
    /// Draws a waypoint a level below a neighbour: before the right one if that came later, else after the left.
    /// </summary>
    private static byte[] Descend(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, WaypointAllocator own)
    {
        if (right.IsEmpty || !IsAfterInTree(left, right)) return Open(left, own.NextRandom(), own);

        Step last = Step.ReadLast(right);
        int tokenStart = last.Start + WaypointLength;
        Span<byte> token = stackalloc byte[PositionToken.LengthMax];
        token = token.Slice(0, PositionToken.Write(token, last.Token - 1));
        return Open(Concatenate(right.Slice(0, tokenStart), token), own.NextRandom(), own);
    }

    /// <summary>
    /// Whether the right neighbour hangs below the left one on its right-hand side: through its full position, or
    /// further along its waypoint. From index 0 on a waypoint grows to the right, below it to the left. The new
    /// element must then join the later of the two, which the run that is being written may have just placed.
    /// </summary>
    private static bool IsAfterInTree(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (right.StartsWith(left)) return true;
        Step last = Step.ReadLast(left);
        ReadOnlySpan<byte> waypoint = left.Slice(0, last.Start + WaypointLength);
        return last.Token > 0
            && right.StartsWith(waypoint)
            && Step.TryRead(right, last.Start, out Step other)
            && other.Token > last.Token;
    }

    private static byte[] Open(ReadOnlySpan<byte> prefix, ulong waypoint, WaypointAllocator own)
    {
        Span<byte> step = stackalloc byte[StepLengthMax];
        step = step.Slice(0, WriteElement(step, waypoint, 0, own));
        own.Use(waypoint, 0);
        return Concatenate(prefix, step);
    }

    private static int WriteElement(Span<byte> target, ulong waypoint, long index, WaypointAllocator own)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, waypoint);
        int length = WaypointLength + PositionToken.Write(target.Slice(WaypointLength), (2 * index) + 1);
        own.Fill(target.Slice(length, TieLength));
        return length + TieLength;
    }

    private static byte[] Concatenate(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> rest)
    {
        if (prefix.Length + rest.Length > LengthMax)
        {
            throw new SyncException(SyncErrorCode.LimitExceeded,
                "The list has no short enough position left here; copy its elements into a new list.");
        }
        byte[] whole = new byte[prefix.Length + rest.Length];
        prefix.CopyTo(whole);
        rest.CopyTo(whole.AsSpan(prefix.Length));
        return whole;
    }

    /// <summary>Compares prefix and step, taken together, with a position.</summary>
    private static int Compare(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> step, ReadOnlySpan<byte> position)
    {
        return position.StartsWith(prefix)
            ? step.SequenceCompareTo(position.Slice(prefix.Length))
            : prefix.SequenceCompareTo(position);
    }

    private static int SharedLength(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int length = Math.Min(left.Length, right.Length);
        int shared = 0;
        while (shared < length && left[shared] == right[shared]) shared++;
        return shared;
    }

    private static ulong ReadWaypoint(ReadOnlySpan<byte> position, int offset) =>
        BinaryPrimitives.ReadUInt64BigEndian(position.Slice(offset));

    /// <summary>One step of a path: where it starts and ends, its waypoint and its token.</summary>
    private readonly record struct Step(int Start, int End, ulong Waypoint, long Token)
    {
        /// <summary>Whether the step is an element, rather than the way to what lies before one.</summary>
        public bool IsElement => (Token & 1) != 0;

        public static bool TryRead(ReadOnlySpan<byte> position, int start, out Step step)
        {
            step = default;
            if (position.Length - start <= WaypointLength) return false;
            int tokenLength = PositionToken.Read(position.Slice(start + WaypointLength), out long token);
            int end = start + WaypointLength + tokenLength + ((token & 1) != 0 ? TieLength : 0);
            if (tokenLength == 0 || end > position.Length) return false;
            step = new Step(start, end, ReadWaypoint(position, start), token);
            return true;
        }

        public static Step ReadLast(ReadOnlySpan<byte> position)
        {
            Step last = default;
            while (TryRead(position, last.End, out Step step)) last = step;
            return last;
        }
    }
}
