namespace SyncEngine.Testing;

/// <summary>Makes a history that goes wrong shorter by leaving out steps (delta debugging: Zeller, 1999).</summary>
internal static class Shrinking
{
    private const int PlaysMax = 3_000;

    /// <summary>The shortest history found that still goes wrong.</summary>
    /// <param name="steps">A history that goes wrong.</param>
    /// <param name="fails">Whether a history goes wrong.</param>
    public static List<T> Shrink<T>(List<T> steps, Func<List<T>, bool> fails)
    {
        int plays = 0;
        for (int size = Math.Max(1, steps.Count / 2); plays < PlaysMax;)
        {
            bool any = false;
            for (int at = 0; at < steps.Count && plays < PlaysMax;)
            {
                List<T> fewer = [.. steps.GetRange(0, at), .. steps.Skip(at + size)];
                plays++;
                if (fails(fewer)) (steps, any) = (fewer, true);
                else at += size;
            }

            if (size > 1) size /= 2;
            else if (!any) break;
        }

        return steps;
    }
}
