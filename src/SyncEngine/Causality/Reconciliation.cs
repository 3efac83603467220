namespace SyncEngine.Causality;

/// <summary>
/// Makes two sides agree on what every dot means before they compare, send or join: where the lines of one replica fork,
/// because a copied file wrote on both sides, the branch that left is renamed wherever it is. A rename depends on the
/// branch alone, so all holders come to the same names. docs/ARCHITECTURE.md, "Copied files".
/// </summary>
internal static class Reconciliation
{
    private const int RenamesMax = 1_000;

    /// <summary>The renames that each side needs, in order; null if the sides agree already.</summary>
    /// <param name="here">One side, which is consistent in itself.</param>
    /// <param name="there">The other side, as well.</param>
    /// <param name="after">The first side's vector and lines once renamed.</param>
    /// <exception cref="SyncException">The sides cannot be made to agree: one of them lies.</exception>
    public static (List<Rename> Here, List<Rename> There)? Plan(ILineage here, ILineage there, out Lineage? after)
    {
        after = null;
        if (!TryFind(here, there, out _, out _)) return null;
        var left = new Lineage(here);
        var right = new Lineage(there);
        (List<Rename> Here, List<Rename> There) plan = ([], []);
        while (TryFind(left, right, out bool isHere, out Rename rename))
        {
            (isHere ? left : right).Apply(rename);
            (isHere ? plan.Here : plan.There).Add(rename);
            if (plan.Here.Count + plan.There.Count > RenamesMax)
                throw new SyncException(SyncErrorCode.Malformed, "The peer's lines contradict each other. Nothing was "
                    + "merged; ask another peer.", 0);
        }

        after = left;
        return plan;
    }

    private static bool TryFind(ILineage here, ILineage there, out bool isHere, out Rename rename)
    {
        (isHere, rename) = (false, default);
        bool found = false;
        for (int j = 0; j < there.Count; j++)
        {
            int i = here.Find(there.Id(j));
            if (i < 0 || here.Ceiling(i) == 0 || there.Ceiling(j) == 0) continue;
            if (!Forks(here, i, there, j, out bool loses, out Opening from)) continue;
            if (found && there.Id(j) > rename.Replica) continue;
            (found, isHere, rename) = (true, loses, new Rename(there.Id(j), from));
        }

        if (found) return true;
        isHere = true;
        if (IsNamedElsewhere(here, there, out rename)) return true;
        isHere = false;
        return IsNamedElsewhere(there, here, out rename);
    }

    /// <summary>
    /// Whether the lines of one replica part, and which side left: the one whose opening begins first, because the other
    /// went on there in an older opening; of two openings at one dot the one with the greater stamp.
    /// </summary>
    private static bool Forks(ILineage left, int i, ILineage right, int j, out bool leftLoses, out Opening from)
    {
        ReadOnlySpan<Opening> a = left.LineOf(i), b = right.LineOf(j);
        int same = CommonPrefix(a, b);
        bool opensLeft = same < a.Length, opensRight = same < b.Length;
        (leftLoses, from) = (false, default);
        if (!opensLeft && !opensRight) return false;
        long first = opensLeft ? a[same].FirstCounter : left.Ceiling(i) + 1;
        long second = opensRight ? b[same].FirstCounter : right.Ceiling(j) + 1;
        if (first == second)
        {
            if (!opensLeft || !opensRight) return false;
            leftLoses = a[same].Stamp > b[same].Stamp;
            from = leftLoses ? a[same] : b[same];
            return true;
        }

        leftLoses = first < second;
        if (leftLoses ? !opensLeft || right.Ceiling(j) < first : !opensRight || left.Ceiling(i) < second) return false;
        from = leftLoses ? a[same] : b[same];
        return true;
    }

    /// <summary>
    /// Whether <paramref name="there"/> calls a branch by its own name that <paramref name="here"/> still holds under another
    /// replica. What both lines begin with alike cannot be such a branch, for each side is consistent in itself.
    /// </summary>
    private static bool IsNamedElsewhere(ILineage here, ILineage there, out Rename rename)
    {
        rename = default;
        for (int i = 0; i < here.Count; i++)
        {
            if (here.Ceiling(i) == 0) continue;
            ReadOnlySpan<Opening> line = here.LineOf(i);
            int j = there.Find(here.Id(i));
            int at = j < 0 || there.Ceiling(j) == 0 ? 0 : CommonPrefix(line, there.LineOf(j));
            for (; at < line.Length; at++)
            {
                if (line[at].Stamp == here.Id(i).Bits) continue;
                int named = there.Find(new ReplicaId(line[at].Stamp));
                if (named < 0 || there.Ceiling(named) == 0) continue;
                rename = new Rename(here.Id(i), line[at]);
                return true;
            }
        }

        return false;
    }

    private static int CommonPrefix(ReadOnlySpan<Opening> a, ReadOnlySpan<Opening> b)
    {
        int shorter = Math.Min(a.Length, b.Length), same = 0;
        while (same < shorter && a[same] == b[same]) same++;
        return same;
    }
}
