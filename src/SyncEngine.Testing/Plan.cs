namespace SyncEngine.Testing;

/// <summary>Draws the steps of a history from its seed.</summary>
internal static class Plan
{
    private const int StepsMin = 20;
    private const int StepsMax = 500;

    private static readonly (StepKind Kind, int Weight, SimulationFaults Needs)[] _kinds =
    [
        (StepKind.Write, 150, SimulationFaults.None),
        (StepKind.Gather, 30, SimulationFaults.None),
        (StepKind.Commit, 90, SimulationFaults.None),
        (StepKind.Flush, 25, SimulationFaults.None),
        (StepKind.Tick, 30, SimulationFaults.None),
        (StepKind.Connect, 90, SimulationFaults.None),
        (StepKind.Transmit, 480, SimulationFaults.None),
        (StepKind.Cut, 12, SimulationFaults.Cuts),
        (StepKind.Split, 4, SimulationFaults.Partitions),
        (StepKind.Mend, 12, SimulationFaults.Partitions),
        (StepKind.Deceive, 8, SimulationFaults.HostilePeers),
        (StepKind.Restart, 8, SimulationFaults.None),
        (StepKind.Crash, 14, SimulationFaults.Crashes),
        (StepKind.Tear, 2, SimulationFaults.TornFiles),
        (StepKind.Jump, 6, SimulationFaults.Clocks),
        (StepKind.Copy, 4, SimulationFaults.Copies),
        (StepKind.Save, 8, SimulationFaults.Restores),
        (StepKind.Restore, 5, SimulationFaults.Restores),
        (StepKind.Forget, 20, SimulationFaults.ForgottenDeletes),
        (StepKind.Mail, 20, SimulationFaults.Mail),
        (StepKind.DeliverMail, 24, SimulationFaults.Mail),
    ];

    /// <summary>The steps of a history, at most <paramref name="stepsMax"/> of them.</summary>
    public static List<Step> Draw(ulong seed, long stepsMax, SimulationFaults faults)
    {
        Random random = RandomOf(seed);
        var kinds = new List<StepKind>();
        foreach ((StepKind kind, int weight, SimulationFaults needs) in _kinds)
            for (int i = 0; i < weight && (faults & needs) == needs; i++) kinds.Add(kind);

        // Most histories are short, for those find most and are read soonest; some are long.
        int most = random.Next(4) == 0 ? StepsMax : StepsMax / 4;
        int count = (int)Math.Min(stepsMax, random.Next(StepsMin, most));
        var steps = new List<Step>(count);
        for (int i = 0; i < count; i++)
            steps.Add(new Step(kinds[random.Next(kinds.Count)], random.Next(64), random.Next(64), random.Next()));
        return steps;
    }

    /// <summary>A generator for a seed of any size.</summary>
    public static Random RandomOf(ulong seed) => new(unchecked((int)(seed ^ (seed >> 32)) * 397) ^ 0x5EED);
}
