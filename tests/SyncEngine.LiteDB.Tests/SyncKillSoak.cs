using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SyncEngine.CrashChild;
using SyncEngine.Datasets;
using SyncEngine.Sync;

namespace SyncEngine.LiteDB.Tests;

/// <summary>Kills one of two real processes that sync live, again and again, and looks at what both have in the end.</summary>
public static class SyncKillSoak
{
    private const int KillsARound = 40;
    private static readonly string[] _names = ["left", "right"];

    /// <summary>Runs a number of kills; returns what went wrong.</summary>
    /// <param name="seed">Decides whom to kill and when.</param>
    /// <param name="count">How many kills.</param>
    /// <param name="log">Told about progress.</param>
    public static IReadOnlyList<string> Run(int seed, int count, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var failures = new List<string>();
        var random = new Random(seed);
        for (int done = 0; done < count && failures.Count == 0; done += KillsARound)
        {
            int kills = Math.Min(KillsARound, count - done);
            string folder = Directory.CreateTempSubdirectory("synckill").FullName;
            try
            {
                RunRoundAsync(folder, random, kills, log, failures).GetAwaiter().GetResult();
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }

            log($"{done + kills} kills, {failures.Count} failures");
        }

        failures.ForEach(log);
        return failures.ConvertAll(failure => $"seed {seed}: {failure}");
    }

    private static async Task RunRoundAsync(string folder, Random random, int kills, Action<string> log, List<string> failures)
    {
        await PairAsync(folder).ConfigureAwait(false);
        int port = FreePort();
        Child[] children = [new Child(folder, "left", port), new Child(folder, "right", port)];
        try
        {
            for (int kill = 0; kill < kills; kill++)
            {
                // Both write and have had time to connect, then anywhere within what they do.
                long left = children[0].Acknowledged, right = children[1].Acknowledged;
                var patience = Stopwatch.StartNew();
                while (children[0].Acknowledged == left || children[1].Acknowledged == right)
                {
                    if (patience.Elapsed > TimeSpan.FromSeconds(30))
                    {
                        failures.Add($"kill {kill}: a child does not get on: {children[0]}, {children[1]}");
                        return;
                    }

                    await Task.Delay(1).ConfigureAwait(false);
                }

                await Task.Delay(random.Next(60)).ConfigureAwait(false);
                children[random.Next(2)].Restart();
            }
        }
        finally
        {
            foreach (Child child in children) child.Dispose();
        }

        foreach (Child child in children)
            if (child.Fault is { } fault) failures.Add($"{child}: {fault}");
        await CheckAsync(folder, children, log, failures).ConfigureAwait(false);
    }

    private static async Task PairAsync(string folder)
    {
        await using SyncStore left = await OpenAsync(folder, "left").ConfigureAwait(false);
        await using SyncStore right = await OpenAsync(folder, "right").ConfigureAwait(false);
        await right.AdoptIdentityAsync(left.Identity.Id).ConfigureAwait(false);
        await left.AdoptIdentityAsync(left.Identity.Id).ConfigureAwait(false);
    }

    private static async Task CheckAsync(string folder, Child[] children, Action<string> log, List<string> failures)
    {
        await using SyncStore left = await OpenAsync(folder, "left").ConfigureAwait(false);
        await using SyncStore right = await OpenAsync(folder, "right").ConfigureAwait(false);
        foreach (SyncStore store in new[] { left, right })
            if ((await store.VerifyAsync().ConfigureAwait(false)).Count > 0) failures.Add("a file has faults");
        Dataset here = left.Identity.Dataset("save"), there = right.Identity.Dataset("save");

        // What one side has of the other must have been durable there: nothing leaves before.
        if (there.Counter("left").Value > here.Counter("left").Value
            || here.Counter("right").Value > there.Counter("right").Value)
            failures.Add("a write was sent before it was durable");
        long travelled = Math.Min(there.Counter("left").Value, here.Counter("right").Value);
        (MemoryTransport one, MemoryTransport other) = MemoryTransport.CreatePair();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Task<SyncResult> serving = right.ServeAsync(other, null, soon.Token).AsTask();
        await left.SynchronizeAsync(one, null, null, soon.Token).ConfigureAwait(false);
        await serving.ConfigureAwait(false);
        if (here.Digest != there.Digest || !here.Version.Equals(there.Version)) failures.Add("the two are not equal");
        if (here.Version.Count != 2) failures.Add($"a kill looked like a copy: {here.Version}");
        foreach (Child child in children)
        {
            long count = here.Counter(child.Name).Value;
            if (count < child.Acknowledged) failures.Add($"{child} acknowledged {child.Acknowledged}, {count} are there");
            for (long n = Math.Max(1, count - 49); n <= count; n++)
                if (here.Get<long>(child.Name + (n % 50)) != n) failures.Add($"write {n} of {count} of {child} is not there");
        }

        log($"acknowledged {children[0].Acknowledged} and {children[1].Acknowledged}; {travelled} had travelled when both "
            + "were dead");
    }

    private static ValueTask<SyncStore> OpenAsync(string folder, string name) =>
        SyncChild.OpenAsync(Path.Combine(folder, name + ".db"), Path.Combine(folder, name));

    private static int FreePort()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return port;
    }

    /// <summary>A process that writes and syncs; it is killed when disposed.</summary>
    private sealed class Child : IDisposable
    {
        private readonly string _folder;
        private readonly int _port;
        private Process _process;
        private long _acknowledged;

        public Child(string folder, string name, int port)
        {
            (_folder, Name, _port) = (folder, name, port);
            _process = Start();
        }

        public string Name { get; }

        public string? Fault { get; private set; }

        public long Acknowledged => Interlocked.Read(ref _acknowledged);

        public void Restart()
        {
            Kill();
            _process = Start();
        }

        public void Dispose() => Kill();

        public override string ToString() => Name;

        private void Kill()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }

        private Process Start()
        {
            var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
            start.ArgumentList.Add(typeof(SyncChild).Assembly.Location);
            start.ArgumentList.Add(Path.Combine(_folder, Name + ".db"));
            start.ArgumentList.Add(Path.Combine(_folder, Name));
            start.ArgumentList.Add("false");
            start.ArgumentList.Add(Name);
            start.ArgumentList.Add(_port.ToString(CultureInfo.InvariantCulture));
            Process process = Process.Start(start)!;
            process.OutputDataReceived += (_, line) => Take(line.Data);
            process.BeginOutputReadLine();
            return process;
        }

        /// <summary>A last line that was cut short reads as a lower number, which changes nothing.</summary>
        private void Take(string? line)
        {
            if (line is null) return;
            if (line.StartsWith("fault", StringComparison.Ordinal)) Fault ??= line;
            else if (long.TryParse(line, CultureInfo.InvariantCulture, out long n) && n > Acknowledged)
                Interlocked.Exchange(ref _acknowledged, n);
        }
    }
}
