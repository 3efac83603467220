using SyncEngine.Datasets;

namespace SyncEngine.Testing;

/// <summary>
/// Plays random histories of many devices of one person: the real engine on a simulated network, disk and clock, all of which
/// fail in every way they know. After each history everybody meets everybody; then all devices must be equal, nothing that was
/// acknowledged may be lost, and what the app checks must hold. While it runs, each device is held at each step against what
/// it must hold. The same seed plays the same histories.
/// </summary>
/// <remarks>It runs on the calling thread, some tens of thousands of steps a second. Not thread-safe: give each thread its
/// own.</remarks>
public sealed class Simulation
{
    /// <summary>Most devices at the start of a history; copied files add up to three. At least 2; default 4.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 2, or more than 16.</exception>
    public int DevicesMax
    {
        get;
        init => field = value is >= 2 and <= 16 ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "From 2 to 16 devices.");
    } = 4;

    /// <summary>What may go wrong. Default: everything.</summary>
    public SimulationFaults Faults { get; init; } = SimulationFaults.All;

    /// <summary>What a device writes when it is its turn: draw all that is random from the generator, and write to nothing
    /// but the dataset. Default: something random of every kind of record.</summary>
    public Action<Dataset, Random>? Write { get; init; }

    /// <summary>Prepares a dataset, as an app does when it opens one: its resolver above all. May be called more than
    /// once.</summary>
    public Action<Dataset>? Configure { get; init; }

    /// <summary>What must hold at the end of each history; it gets the same dataset of each device and throws where it does
    /// not.</summary>
    public Action<IReadOnlyList<Dataset>>? Check { get; init; }

    /// <summary>Changes each message of a session, to show that a broken engine is caught.</summary>
    internal Func<byte[], byte[]>? Tamper { get; init; }

    /// <summary>A disk that says that a commit is durable and forgets it in a crash.</summary>
    internal bool ForgetsCommits { get; init; }

    /// <summary>Each opening draws the same random bits as the one before, as a machine does whose image was restored.</summary>
    internal bool RepeatsRandomness { get; init; }

    /// <summary>Plays histories until so many steps are done.</summary>
    /// <param name="seed">The first history's seed; each further one has the next.</param>
    /// <param name="steps">How many steps in all, at least 1.</param>
    /// <param name="progress">Told after each history.</param>
    /// <param name="cancellationToken">Ends the run between two histories.</param>
    /// <exception cref="SimulationException">A history went wrong.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 1 step.</exception>
    public SimulationReport Run(
        ulong seed, long steps, IProgress<SimulationReport>? progress = null, CancellationToken cancellationToken = default)
    {
        if (steps < 1) throw new ArgumentOutOfRangeException(nameof(steps), steps, "At least one step.");
        var counts = new SimulationReport();
        for (ulong current = seed; counts.Steps < steps; current++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            List<Step> plan = Plan.Draw(current, steps - counts.Steps, Faults);
            if (Play(current, plan, counts, null) is { } failure) throw Explain(current, plan, failure);
            counts.Histories++;
            progress?.Report(counts.Copy());
        }

        return counts;
    }

    /// <summary>Plays one history and tells it in words, step by step.</summary>
    /// <param name="seed">The history's seed.</param>
    /// <param name="steps">Most steps; most histories have fewer.</param>
    /// <exception cref="SimulationException">The history went wrong.</exception>
    public IReadOnlyList<string> Tell(ulong seed, long steps = long.MaxValue)
    {
        List<Step> plan = Plan.Draw(seed, steps, Faults);
        var words = new List<string>();
        return Play(seed, plan, new SimulationReport(), words) is { } failure ? throw Explain(seed, plan, failure) : words;
    }

    private Exception? Play(ulong seed, List<Step> plan, SimulationReport counts, List<string>? words)
    {
        try
        {
            using var world = new World(this, seed, counts, words);
            foreach (Step step in plan) world.Apply(step);
            world.Heal();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private SimulationException Explain(ulong seed, List<Step> plan, Exception failure)
    {
        List<Step> shortest = Shrinking.Shrink(
            plan, fewer => Play(seed, fewer, new SimulationReport(), null) is not null);
        var words = new List<string>();
        Exception reason = Play(seed, shortest, new SimulationReport(), words) ?? failure;
        string what = reason is HistoryException ? reason.Message : $"{reason.GetType().Name}: {reason.Message}";
        bool isOwn = Write is not null || Configure is not null || Check is not null || DevicesMax != 4
            || Faults != SimulationFaults.All;
        return new SimulationException(seed, plan.Count, what, words, isOwn, reason);
    }
}
