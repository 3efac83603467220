using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using SyncEngine.Testing;

namespace SyncEngine.Cli.Commands;

internal static class SimulateCommand
{
    private const long StepsAtOnce = 20_000;

    public static Command Build(Terminal terminal)
    {
        Option<ulong?> seed = new("--seed")
        {
            Description = "The first history's seed; a random one without it.", HelpName = "N",
        };
        Option<long> steps = new("--steps")
        {
            Description = "How many steps in all.", HelpName = "M", DefaultValueFactory = _ => 100_000,
        };
        Option<double?> minutes = new("--minutes") { Description = "Go on for so long instead.", HelpName = "T" };
        Option<int> devices = new("--devices")
        {
            Description = "Most devices at the start of a history, from 2 to 16.", HelpName = "D", DefaultValueFactory = _ => 4,
        };
        Option<string[]> without = new("--without")
        {
            Description = "Faults to leave out: " + string.Join(", ", Enum.GetNames<SimulationFaults>()[1..^1]) + ".",
            HelpName = "FAULT", AllowMultipleArgumentsPerToken = true,
        };
        Option<bool> tell = new("--tell") { Description = "Play the seed's history alone and tell it step by step." };
        var command = new Command("simulate", "Play random histories of many devices on a bad network, with bad disks and wrong "
            + "clocks, and hold each device at each step against what it must hold. Exit code 1 if a history goes wrong; it is "
            + "then told in words, made as short as it goes. The same seed plays the same histories.")
        {
            seed, steps, minutes, devices, without, tell,
        };
        command.SetAction((arguments, cancellationToken) => Task.Run(
            () =>
            {
                var simulation = new Simulation
                {
                    DevicesMax = InRange(arguments.GetValue(devices), 2, 16, "--devices"),
                    Faults = (arguments.GetValue(without) ?? []).Aggregate(
                        SimulationFaults.All, (all, fault) => all & ~FaultOf(fault)),
                };
                long most = InRange(arguments.GetValue(steps), 1, long.MaxValue, "--steps");
                ulong first = arguments.GetValue(seed) ?? BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));
                if (arguments.GetValue(tell)) return Tell(terminal, simulation, first, most);
                double? wanted = arguments.GetValue(minutes);
                if (wanted is not null && arguments.GetResult(steps) is { Implicit: false })
                    throw CommandFailure.BadInput("Give --steps or --minutes, not both.");
                if (wanted is <= 0 or > 100_000 or double.NaN)
                    throw CommandFailure.BadInput("--minutes must be above 0 and at most 100000.");
                TimeSpan? time = wanted is null ? null : TimeSpan.FromMinutes(wanted.Value);
                return Run(terminal, simulation, first, most, time, cancellationToken);
            }, cancellationToken));
        return command;
    }

    private static SimulationFaults FaultOf(string name) =>
        Enum.TryParse(name, ignoreCase: true, out SimulationFaults fault) && Enum.IsDefined(fault)
            && fault is not (SimulationFaults.None or SimulationFaults.All) ? fault
            : throw CommandFailure.BadInput($"There is no fault {name}. There are "
                + string.Join(", ", Enum.GetNames<SimulationFaults>()[1..^1]) + ".");

    private static int Tell(Terminal terminal, Simulation simulation, ulong seed, long steps)
    {
        try
        {
            foreach (string words in simulation.Tell(seed, steps)) terminal.Out.WriteLine(words);
            return ExitCode.Success;
        }
        catch (SimulationException failure)
        {
            throw Failed(terminal, failure);
        }
    }

    private static int Run(
        Terminal terminal, Simulation simulation, ulong seed, long steps, TimeSpan? time, CancellationToken cancellationToken)
    {
        terminal.Out.WriteLine($"seed {seed}");
        var watch = Stopwatch.StartNew();
        var total = new Tally();
        bool IsDone() => time is { } most ? watch.Elapsed >= most : total.Steps >= steps;
        terminal.ShowProgressAsync(begin =>
        {
            IProgress<double> progress = begin("Playing histories");
            while (!IsDone() && !cancellationToken.IsCancellationRequested)
            {
                ulong next = seed + (ulong)total.Histories;
                long batch = time is null ? Math.Min(StepsAtOnce, steps - total.Steps) : StepsAtOnce;
                try
                {
                    total.Add(simulation.Run(next, batch, cancellationToken: cancellationToken));
                }
                catch (OperationCanceledException)
                {
                    break;
                }
                catch (SimulationException failure)
                {
                    throw Failed(terminal, failure);
                }

                progress.Report(time is { } most ? watch.Elapsed / most : (double)total.Steps / steps);
            }

            return Task.FromResult(true);
        }).GetAwaiter().GetResult();
        total.Show(terminal, watch.Elapsed);
        if (!IsDone()) throw new OperationCanceledException(cancellationToken);
        return ExitCode.Success;
    }

    private static CommandFailure Failed(Terminal terminal, SimulationException failure)
    {
        terminal.Out.WriteLine(failure.Message);
        string reason = failure.Reason.Split('\n')[0];
        return CommandFailure.NotFound($"A history went wrong: {reason} Keep its seed, {failure.Seed}, and report it.");
    }

    private static T InRange<T>(T value, T least, T most, string name)
        where T : IComparable<T> => value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0 ? value
        : throw CommandFailure.BadInput($"{name} must be from {least} to {most}.");

    private sealed class Tally
    {
        private long _writes;
        private long _acknowledged;
        private long _delivered;
        private long _disturbed;
        private long _crashes;
        private long _files;
        private long _checks;

        public long Histories { get; private set; }

        public long Steps { get; private set; }

        public void Add(SimulationReport report)
        {
            Histories += report.Histories;
            Steps += report.Steps;
            _writes += report.Writes;
            _acknowledged += report.Acknowledged;
            _delivered += report.Delivered;
            _disturbed += report.Disturbed;
            _crashes += report.Crashes;
            _files += report.Files;
            _checks += report.Checks;
        }

        public void Show(Terminal terminal, TimeSpan elapsed)
        {
            var table = Tables.Make("what", "#how many");
            foreach ((string what, long count) in new[]
            {
                ("changes written", _writes), ("of them acknowledged", _acknowledged), ("messages that arrived", _delivered),
                ("messages lost, repeated, reordered, cut or forged", _disturbed), ("processes that died", _crashes),
                ("files copied, restored or torn", _files), ("devices held against what they must hold", _checks),
            }) Tables.Add(table, what, count.ToString("N0", CultureInfo.InvariantCulture));
            terminal.Screen.Write(table);
            string rate = (Steps / Math.Max(0.001, elapsed.TotalSeconds)).ToString("N0", CultureInfo.InvariantCulture);
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"held: {Histories} histories, {Steps} steps, 0 diverged, 0 lost ({elapsed.TotalSeconds:F1} s, {rate} steps/s)"));
        }
    }
}
