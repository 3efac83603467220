using SyncEngine.Testing;
using SyncEngine.Tests.Wire;
using Xunit;

namespace SyncEngine.Tests.Simulation;

using Simulation = SyncEngine.Testing.Simulation;

public sealed class SimulatorTests
{
    private const long PlantedStepsMax = 400_000;

    [Fact]
    public void Histories_with_every_fault_end_equal_and_lose_nothing()
    {
        SimulationReport report = new Simulation().Run(seed: 0, steps: 60_000);
        Assert.Equal(60_000, report.Steps);
        Assert.True(report is { Histories: > 300, Crashes: > 300, Files: > 100, Delivered: > 20_000, Acknowledged: > 2_000 });
    }

    [Theory]
    [MemberData(nameof(OnceFailed))]
    public void What_once_failed_holds(ulong seed, long steps) => new Simulation().Run(seed, steps);

    /// <summary>Each found a fault of the engine, most of them in what it does after a piece of its file was torn.</summary>
    public static TheoryData<ulong, long> OnceFailed() => new()
    {
        { 1028, 452 }, { 1051, 369 }, { 1144, 437 }, { 1168, 269 }, { 1328, 276 }, { 1335, 344 }, { 1511, 445 },
        { 1562, 408 },
        { 2655, 463 }, { 3343, 489 }, { 4138, 363 }, { 4599, 165 }, { 4709, 261 }, { 7499, 470 }, { 8139, 320 },
        { 10056, 377 },
        { 12186, 497 }, { 20695, 402 }, { 23785, 464 }, { 41385, 264 }, { 50189, 460 }, { 54829, 487 }, { 551880, 432 },
        { 505844, 295 }, { 569453, 430 }, { 569509, 472 }, { 588187, 457 }, { 600439, 436 }, { 1044069, 388 },
        { 1059621, 348 }, { 2016336, 441 }, { 2258670, 490 },
        { 2270524, 262 }, { 11174, 496 }, { 3113845, 451 }, { 3242099, 353 }, { 3265217, 299 },
    };

    [Fact]
    public void A_seed_replays_its_history_to_the_letter()
    {
        var simulation = new Simulation();
        IReadOnlyList<string> first = simulation.Tell(1562);
        Assert.Equal(first, simulation.Tell(1562));
        Assert.Equal(first.Take(20), simulation.Tell(1562, steps: 200).Take(20));
        Assert.NotEqual(first, simulation.Tell(1563));
        Assert.Contains(first, words => words.Contains("is written", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_faults_nothing_is_disturbed()
    {
        SimulationReport report = new Simulation { Faults = SimulationFaults.None }.Run(seed: 0, steps: 10_000);
        Assert.True(report is { Disturbed: 0, Crashes: 0, Files: 0, Delivered: > 1_000 });
    }

    [Fact]
    public void A_run_is_cancelled_between_histories_and_reports_as_it_goes()
    {
        using var stop = new CancellationTokenSource();
        var reports = new List<SimulationReport>();
        Assert.Throws<OperationCanceledException>(() => new Simulation().Run(0, long.MaxValue, new Reporter(report =>
        {
            reports.Add(report);
            if (reports.Count == 5) stop.Cancel();
        }), stop.Token));
        Assert.Equal([1, 2, 3, 4, 5], reports.Select(report => report.Histories));
    }

    [Fact]
    public void Engines_that_do_not_hand_on_frontiers_are_caught() => AssertCaught(new Simulation
    {
        Tamper = static message => message[2] is 1 or 2
            ? FrameSurgeon.WithBody(message, static body => body[FrameSurgeon.Collected] = [0xC0]) : message,
    });

    [Fact]
    public void Engines_that_send_deltas_where_snapshots_are_due_are_caught() => AssertCaught(new Simulation
    {
        Tamper = static message => message[2] == 2
            ? FrameSurgeon.WithBody(message, static body => body[FrameSurgeon.Base] = PlantedFaultTests.Zeros(body), type: 1)
            : message,
    });

    [Fact]
    public void Engines_that_take_deltas_with_gaps_are_caught() => AssertCaught(new Simulation
    {
        Tamper = static message => message[2] == 1
            ? FrameSurgeon.WithBody(message, static body => body[FrameSurgeon.Base] = PlantedFaultTests.Zeros(body)) : message,
    });

    [Fact]
    public void Disks_that_forget_what_they_called_durable_are_caught() =>
        AssertCaught(new Simulation { ForgetsCommits = true });

    [Fact]
    public void Copies_that_draw_the_same_stamps_are_caught() => AssertCaught(new Simulation { RepeatsRandomness = true });

    [Fact]
    public void A_resolver_that_depends_on_the_device_is_caught()
    {
        int calls = 0;
        SimulationException failure = Assert.Throws<SimulationException>(() => new Simulation
        {
            Faults = SimulationFaults.None,
            Configure = save => save.Resolver = (_, _, _) => calls++,
            Write = static (save, random) => save["level"] = random.Next(100),
            Check = static _ => { },
        }.Run(seed: 0, steps: 10_000));
        Assert.StartsWith("The resolver shows different things", failure.Reason, StringComparison.Ordinal);
        Assert.InRange(failure.History.Count, 3, 8);
        Assert.Contains($"Run(seed: {failure.Seed}, steps: {failure.Steps})", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_rules_of_an_app_are_told_in_a_short_history()
    {
        SimulationException failure = Assert.Throws<SimulationException>(() => new Simulation
        {
            Write = static (save, random) =>
            {
                long gold = save["gold"].IsMissing ? 0 : save["gold"].AsInteger();
                save["gold"] = gold + random.Next(1, 10);
            },
            Check = static devices => Assert.Empty(devices[0].Conflicts),
        }.Run(seed: 0, steps: 10_000));
        int writes = failure.History.Count(words => words.Contains("is written", StringComparison.Ordinal));
        Assert.InRange(writes, 2, 3);
        Assert.IsAssignableFrom<Xunit.Sdk.XunitException>(failure.InnerException);
    }

    private static void AssertCaught(Simulation broken)
    {
        SimulationException failure = Assert.Throws<SimulationException>(() => broken.Run(seed: 0, PlantedStepsMax));
        Assert.NotEmpty(failure.History);
    }

    private sealed class Reporter(Action<SimulationReport> report) : IProgress<SimulationReport>
    {
        public void Report(SimulationReport value) => report(value);
    }
}
