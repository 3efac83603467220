namespace SyncEngine.Causality;

/// <summary>A replica's list of openings that wrote, in order of their first counters; immutable.</summary>
/// <remarks>See docs/ARCHITECTURE.md, "Copied files": lines travel with vectors, and two lines of one replica that are
/// no
/// prefix of one another show that a copied file wrote on both sides.</remarks>
internal static class Line
{
    /// <summary>
    /// Whether two lines of one replica have forked: at the first opening where they differ, one side went on in an
    /// older opening at or above the counter where the other started a new one.
    /// </summary>
    public static bool Forks(
        ReadOnlySpan<Opening> left, long leftCounter, ReadOnlySpan<Opening> right, long rightCounter)
    {
        int same = 0;
        while (same < left.Length && same < right.Length && left[same] == right[same]) same++;
        bool leftEnds = same == left.Length, rightEnds = same == right.Length;
        if (leftEnds && rightEnds) return false;
        if (leftEnds) return leftCounter >= right[same].FirstCounter;
        if (rightEnds) return rightCounter >= left[same].FirstCounter;
        return true;
    }

    /// <summary>Whether counters rise strictly and stay between 1 and <paramref name="counter"/>.</summary>
    public static bool IsValid(ReadOnlySpan<Opening> line, long counter)
    {
        long before = 0;
        foreach (Opening opening in line)
        {
            if (opening.FirstCounter <= before || opening.FirstCounter > counter) return false;
            before = opening.FirstCounter;
        }

        return line.Length > 0 || counter == 0;
    }
}
