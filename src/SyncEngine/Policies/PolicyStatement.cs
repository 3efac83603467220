namespace SyncEngine.Policies;

/// <summary>A condition of a statement: a name and the values that it must, or must not, have.</summary>
internal sealed record PolicyCondition(string Name, PolicyVariable Variable, string? Claim, bool IsNegated,
    IReadOnlyList<string> Values)
{
    /// <summary>A missing name meets no condition.</summary>
    public bool IsMet(PolicyContext context)
    {
        if (context.Find(Variable, Claim) is not { } value) return false;
        for (int i = 0; i < Values.Count; i++)
            if (string.Equals(Values[i], value, StringComparison.Ordinal)) return !IsNegated;
        return IsNegated;
    }
}

/// <summary>One statement, compiled.</summary>
internal sealed class PolicyStatement(
    bool allows, string[] actions, string[] resources, PolicySegment[][] patterns, PolicyCondition[] conditions)
{
    public bool Allows => allows;

    public bool Applies(string action, ReadOnlySpan<char> resource, PolicyContext context)
    {
        if (!HasAction(action)) return false;
        bool isMeant = false;
        foreach (PolicySegment[] pattern in patterns) isMeant = isMeant || Matches(pattern, resource, context);
        if (!isMeant) return false;
        foreach (PolicyCondition condition in conditions)
            if (!condition.IsMet(context)) return false;
        return true;
    }

    public string Explain(string action, string resource, PolicyContext context)
    {
        if (!HasAction(action)) return $"it is about {string.Join(", ", actions)}";
        string? reason = null;
        for (int i = 0; i < patterns.Length; i++)
        {
            if (Matches(patterns[i], resource.AsSpan(), context))
            {
                foreach (PolicyCondition condition in conditions)
                    if (!condition.IsMet(context)) return $"its condition on {condition.Name} is not met";
                return $"{action} on {resources[i]}";
            }

            reason ??= ExplainMismatch(patterns[i], resources[i], resource, context);
        }

        return reason!;
    }

    /// <summary>The names for want of which alone it does not apply; none where it applies, or would not with any
    /// value.</summary>
    public IReadOnlyList<string> FindMissing(string action, string resource, PolicyContext context)
    {
        if (!HasAction(action) || Applies(action, resource.AsSpan(), context)) return [];
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        string[] segments = resource.Split('/');
        bool isMeant = false;
        foreach (PolicySegment[] pattern in patterns) isMeant = MightMatch(pattern, segments, context, missing) || isMeant;
        if (!isMeant) return [];
        foreach (PolicyCondition condition in conditions)
        {
            if (context.Find(condition.Variable, condition.Claim) is null) missing.Add(condition.Name);
            else if (!condition.IsMet(context)) return [];
        }

        return [.. missing];
    }

    private bool HasAction(string action)
    {
        foreach (string known in actions)
        {
            if (known[^1] == '*' ? action.AsSpan().StartsWith(known.AsSpan(0, known.Length - 1), StringComparison.Ordinal)
                : known == action) return true;
        }

        return false;
    }

    private static bool Matches(PolicySegment[] pattern, ReadOnlySpan<char> resource, PolicyContext context)
    {
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i].IsRest) return !resource.IsEmpty;
            int slash = resource.IndexOf('/');
            bool isLast = i == pattern.Length - 1;
            if (isLast != slash < 0 || resource.IsEmpty) return false;
            if (!pattern[i].Matches(isLast ? resource : resource[..slash], context)) return false;
            if (!isLast) resource = resource[(slash + 1)..];
        }

        return true;
    }

    /// <summary>Whether a pattern matches if each missing variable stands for the right thing; notes those that it
    /// needs.</summary>
    private static bool MightMatch(
        PolicySegment[] pattern, string[] segments, PolicyContext context, SortedSet<string> missing)
    {
        bool hasRest = pattern[^1].IsRest;
        if (hasRest ? segments.Length < pattern.Length : segments.Length != pattern.Length) return false;
        var needed = new List<string>();
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i].IsMissing(context) && segments[i].Length > 0) needed.Add(pattern[i].VariableName!);
            else if (!pattern[i].Matches(segments[i].AsSpan(), context)) return false;
        }

        missing.UnionWith(needed);
        return true;
    }

    private static string ExplainMismatch(PolicySegment[] pattern, string text, string resource, PolicyContext context)
    {
        string[] segments = resource.Split('/');
        for (int i = 0; i < Math.Min(pattern.Length, segments.Length); i++)
            if (!pattern[i].Matches(segments[i].AsSpan(), context)) return $"its resource is {text}: "
                + $"{pattern[i].Explain(segments[i], context)}";
        return $"its resource is {text}, which has {pattern.Length} segments";
    }
}
