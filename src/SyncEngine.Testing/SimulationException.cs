namespace SyncEngine.Testing;

/// <summary>A simulated history went wrong. The message tells the shortest history found that does, in words, and how to
/// replay it.</summary>
public sealed class SimulationException : Exception
{
    internal SimulationException(
        ulong seed, long steps, string reason, IReadOnlyList<string> history, bool isOwn, Exception inner)
        : base(Tell(seed, steps, reason, history, isOwn), inner) =>
        (Seed, Steps, Reason, History) = (seed, steps, reason, history);

    /// <summary>The seed of the history: run it alone with this seed and <see cref="Steps"/>.</summary>
    public ulong Seed { get; }

    /// <summary>How many steps the history had before it was made shorter.</summary>
    public long Steps { get; }

    /// <summary>What went wrong.</summary>
    public string Reason { get; }

    /// <summary>What happened, step by step, in the shortest history found that goes wrong.</summary>
    public IReadOnlyList<string> History { get; }

    private static string Tell(ulong seed, long steps, string reason, IReadOnlyList<string> history, bool isOwn)
    {
        string replay = isOwn ? $"Run(seed: {seed}, steps: {steps}) of this simulation"
            : $"syncengine simulate --seed {seed} --steps {steps}";
        return $"{reason}\nTo replay it: {replay}\nThe shortest history found that goes wrong ({history.Count} lines):\n  "
            + string.Join("\n  ", history);
    }
}
