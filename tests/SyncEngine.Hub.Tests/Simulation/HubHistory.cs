using SyncEngine.Testing;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>What histories with a hub did.</summary>
internal sealed class HubCounts
{
    /// <summary>What the connections did.</summary>
    public SimulationReport Wire { get; } = new();

    public long Histories { get; set; }

    public long Steps { get; set; }

    public long Writes { get; set; }

    public long Acknowledged { get; set; }

    public long Refused { get; set; }

    public long Merges { get; set; }

    public long Revocations { get; set; }

    public long HubCrashes { get; set; }

    public long Checks { get; set; }

    public override string ToString() => $"{Histories} histories, {Steps} steps, {Writes} writes, {Acknowledged} acknowledged, "
        + $"{Refused} refused, {Wire.Delivered} messages, {Merges} merges, {Revocations} revocations, {HubCrashes} crashes of "
        + $"the hub, {Checks} checks";
}

/// <summary>Plays histories of devices with a hub in the middle, each the same for the same seed.</summary>
internal static class HubHistory
{
    /// <summary>Plays one history.</summary>
    /// <returns>Null if all held; else what went wrong, in the shortest history found that does.</returns>
    public static string? Fail(ulong seed, HubCounts counts, HubPlants? plants = null)
    {
        plants ??= new HubPlants();
        List<HubStep> steps = HubStep.Draw(RandomOf(seed));
        if (Play(seed, steps, counts, plants, null) is null) return null;
        steps = Shrinking.Shrink(steps, fewer => Play(seed, fewer, new HubCounts(), plants, null) is not null);
        var words = new List<string>();
        Exception? failure = Play(seed, steps, new HubCounts(), plants, words);
        string what = failure is null or HistoryException ? failure?.Message ?? "It went wrong and holds now."
            : failure.ToString();
        return $"seed {seed}: {what}\nThe shortest history found that goes wrong:\n  {string.Join("\n  ", words)}";
    }

    /// <summary>Tells a history in words; the last ones say what went wrong, if anything did.</summary>
    public static IReadOnlyList<string> Tell(ulong seed)
    {
        var words = new List<string>();
        if (Play(seed, HubStep.Draw(RandomOf(seed)), new HubCounts(), new HubPlants(), words) is { } failure)
            words.Add(failure.Message);
        return words;
    }

    private static Exception? Play(
        ulong seed, List<HubStep> steps, HubCounts counts, HubPlants plants, List<string>? words)
    {
        try
        {
            using var world = new HubWorld(plants, seed, counts, words);
            foreach (HubStep step in steps) world.Apply(step);
            world.Heal();
            counts.Histories++;
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private static Random RandomOf(ulong seed) => new(unchecked((int)(seed ^ (seed >> 32)) * 397) ^ 0x4B0B);
}
