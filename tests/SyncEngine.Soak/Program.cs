using System.Diagnostics;
using System.Globalization;
using SyncEngine.Hub.Tests.Simulation;
using SyncEngine.LiteDB.Tests;
using SyncEngine.Tests.Simulation;
using SyncEngine.Tests.Wire;

// Runs the tests' random trials from a seed, many more than the test run has time for.
//   histories SEED COUNT   random histories of engine and model
//   powercut  SEED COUNT   simulated power cuts, half from a plain thread, half with a SynchronizationContext
//   kill      SEED COUNT   kill -9 of a child process, both kinds of thread
//   synckill  SEED COUNT   kill -9 of one of two processes that sync live over the loopback
//   healing   SEED COUNT   random copies and rollbacks, engine and model
//   sessions  SEED COUNT   random histories of stores over bad networks
//   hub       SEED SECONDS random histories of devices with a hub in the middle, for so long
//   frames    SEED COUNT   mutated frames and messages
//   io        SEED STRIDE  every STRIDE-th I/O fails, then the disk is full at every STRIDE-th
// Prints each failure; exits 1 if there was one.
if (args.Length != 3 || !int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out int seed)
    || !int.TryParse(args[2], NumberStyles.None, CultureInfo.InvariantCulture, out int count))
{
    Console.Error.WriteLine("usage: histories|powercut|kill|synckill|healing|sessions|hub|frames|io SEED COUNT");
    return 2;
}

var watch = Stopwatch.StartNew();
int failures = args[0] switch
{
    "histories" => DifferentialSoak.Run(seed, count, Console.WriteLine),
    "powercut" => PowerCutSoak.Run(seed, count / 2, false, Console.WriteLine).Count
        + PowerCutSoak.Run(seed + count, count - (count / 2), true, Console.WriteLine).Count,
    "kill" => KillSoak.Run(seed, count / 2, false, Console.WriteLine).Count
        + KillSoak.Run(seed + count, count - (count / 2), true, Console.WriteLine).Count,
    "synckill" => SyncKillSoak.Run(seed, count, Console.WriteLine).Count,
    "healing" => SyncSoak.RunHealing(seed, count, Console.WriteLine),
    "sessions" => SyncSoak.RunSessions(seed, count, Console.WriteLine),
    "hub" => HubSimulationSoak.Run(seed, count, Console.WriteLine),
    "frames" => FrameSoak.Run(seed, count, Console.WriteLine).Count,
    "io" => FaultSoak.RunFailures(seed, count, Console.WriteLine).Count
        + FaultSoak.RunFullDisks(seed, count, Console.WriteLine).Count,
    _ => throw new ArgumentException($"There is no soak {args[0]}."),
};
Console.WriteLine($"{args[0]} from seed {seed}: {failures} failures in {watch.Elapsed.TotalSeconds:F0} s");
return failures == 0 ? 0 : 1;
