namespace SyncEngine.Causality;

/// <summary>A replica's list of openings that wrote, in order of their first counters; immutable.</summary>
/// <remarks>See docs/ARCHITECTURE.md, "Copied files": lines travel with vectors, and two lines of one replica that are
/// no
/// prefix of one another show that a copied file wrote on both sides.</remarks>
internal static class Line
{
    /// <summary>How many openings of a line had begun when its replica had made <paramref name="counter"/>
    /// changes.</summary>
    public static int LengthAt(ReadOnlySpan<Opening> line, long counter)
    {
        int length = line.Length;
        while (length > 0 && line[length - 1].FirstCounter > counter) length--;
        return length;
    }

    /// <summary>The line with the openings of <paramref name="known"/> above a counter: those of changes that are here though
    /// some before them are missing.</summary>
    public static Opening[] Extend(Opening[] line, ReadOnlySpan<Opening> known, long counter)
    {
        int below = LengthAt(known, counter);
        return below == known.Length ? line : [.. line, .. known[below..]];
    }

    /// <summary>Which opening has a stamp; −1 if none.</summary>
    public static int IndexOf(ReadOnlySpan<Opening> line, ulong stamp)
    {
        for (int i = 0; i < line.Length; i++)
            if (line[i].Stamp == stamp) return i;
        return -1;
    }

    /// <summary>Whether counters rise strictly and stay between 1 and <paramref name="counter"/>.</summary>
    public static bool IsRising(ReadOnlySpan<Opening> line, long counter)
    {
        long before = 0;
        foreach (Opening opening in line)
        {
            if (opening.FirstCounter <= before || opening.FirstCounter > counter) return false;
            before = opening.FirstCounter;
        }

        return true;
    }
}
