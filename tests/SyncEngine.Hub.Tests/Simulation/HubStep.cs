namespace SyncEngine.Hub.Tests.Simulation;

internal enum HubStepKind
{
    Write,
    Gather,
    Commit,
    Flush,
    Tick,
    ConnectHub,
    ConnectPeer,
    Transmit,
    Cut,
    HubCommit,
    HubFlush,
    Sweep,
    Restart,
    Crash,
    Copy,
    RestartHub,
    CrashHub,
    BreakHub,
    LogIn,
    Revoke,
    Forget,
}

/// <summary>One step of a history with a hub. Whatever it needs it draws from its own seed, and names are taken modulo what
/// there is, so that leaving out other steps leaves it what it was.</summary>
internal readonly record struct HubStep(HubStepKind Kind, int First, int Second, int Seed)
{
    private const int StepsMin = 60;
    private const int StepsMax = 700;

    private static readonly (HubStepKind Kind, int Weight)[] _kinds =
    [
        (HubStepKind.Write, 150), (HubStepKind.Gather, 20), (HubStepKind.Commit, 90), (HubStepKind.Flush, 20),
        (HubStepKind.Tick, 20), (HubStepKind.ConnectHub, 70), (HubStepKind.ConnectPeer, 20), (HubStepKind.Transmit, 300),
        (HubStepKind.Cut, 10), (HubStepKind.HubCommit, 110), (HubStepKind.HubFlush, 20), (HubStepKind.Sweep, 12),
        (HubStepKind.Restart, 5), (HubStepKind.Crash, 8), (HubStepKind.Copy, 2), (HubStepKind.RestartHub, 3),
        (HubStepKind.CrashHub, 7), (HubStepKind.BreakHub, 5), (HubStepKind.LogIn, 16), (HubStepKind.Revoke, 4),
        (HubStepKind.Forget, 12),
    ];

    /// <summary>The steps of a history. Most are short, for those find most and are read soonest.</summary>
    public static List<HubStep> Draw(Random random)
    {
        List<HubStepKind> kinds = [.. _kinds.SelectMany(static kind => Enumerable.Repeat(kind.Kind, kind.Weight))];
        int count = random.Next(StepsMin, random.Next(4) == 0 ? StepsMax : StepsMax / 2);
        var steps = new List<HubStep>(count);
        for (int i = 0; i < count; i++)
            steps.Add(new HubStep(kinds[random.Next(kinds.Count)], random.Next(64), random.Next(64), random.Next()));
        return steps;
    }
}
