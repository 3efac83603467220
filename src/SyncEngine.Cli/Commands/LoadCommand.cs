using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SyncEngine.Cli.Cognito;
using SyncEngine.Datasets;
using SyncEngine.Hubs;
using SyncEngine.Sync;

namespace SyncEngine.Cli.Commands;

internal static class LoadCommand
{
    private const int Starters = 64;
    private const int KeysEach = 50;

    public static Command Build(Terminal terminal)
    {
        Option<int> idle = Number("--idle", "Devices that connect, each of an identity of its own, and do nothing.", 0);
        Option<int> pairs = Number("--pairs", "Identities of two connected devices, one of which writes to the other.", 0);
        Option<int> writers = Number("--writers", "How many of the pairs write at once; the others stay connected.", 0);
        Option<int> cognito = Number("--cognito", "Old clients at once that each make a guest, get credentials, list a dataset "
            + "and write to it, again and again, as Amazon Cognito's clients do.", 0);
        Option<int> seconds = Number("--seconds", "For how long they write.", 10);
        Option<int> identities = Number("--identities", "Identities on the disk of a hub that is started and does nothing; also "
            + "how long it takes to start.", 0);
        Option<int> pause = Number("--pause", "Milliseconds that a writer waits after the other device has seen its write.", 0);
        var command = new Command("load", "Measure a hub on this machine: starts one in a process and a folder of its own, "
            + "connects "
            + "devices over the loopback, and tells memory, pushes a second and how long one takes to the other device. "
                + "Each push is "
            + "durable at the hub before the other device hears of it.")
        {
            idle, pairs, writers, cognito, seconds, pause, identities,
        };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            if (new[] { idle, pairs, cognito, identities }.All(option => arguments.GetValue(option) <= 0))
                throw CommandFailure.BadInput("Say what to measure: --idle N, --pairs N, --cognito N or --identities N, such as "
                    + "--pairs 50; several are measured one after another.");
            if (arguments.GetValue(identities) is > 0 and int stored)
            {
                await new ManyIdentities(terminal).MeasureAsync(stored, cancellationToken);
                if (new[] { idle, pairs, cognito }.All(option => arguments.GetValue(option) <= 0)) return ExitCode.Success;
            }

            await using HubProcess hub = await HubProcess.StartAsync(cancellationToken);
            using var load = new Load(terminal, hub);
            if (arguments.GetValue(idle) is > 0 and int count) await load.IdleAsync(count, cancellationToken);
            if (arguments.GetValue(cognito) is > 0 and int clients)
                await load.CognitoAsync(clients, TimeSpan.FromSeconds(arguments.GetValue(seconds)), cancellationToken);
            if (arguments.GetValue(pairs) is > 0 and int twos)
            {
                int writing = arguments.GetValue(writers) is > 0 and int asked ? Math.Min(asked, twos) : twos;
                await load.PushAsync(twos, writing, TimeSpan.FromSeconds(arguments.GetValue(seconds)),
                    TimeSpan.FromMilliseconds(arguments.GetValue(pause)), cancellationToken);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static Option<int> Number(string name, string words, int otherwise)
    {
        Option<int> option = new(name) { Description = words, HelpName = "N", DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out int number) && number < 0)
                result.AddError($"{name} takes 0 or more.");
        });
        return option;
    }

    private sealed class Load(Terminal terminal, HubProcess hub) : IDisposable
    {
        private readonly SocketsHttpHandler _handler = new() { MaxConnectionsPerServer = Starters };

        public async Task IdleAsync(int count, CancellationToken cancellationToken)
        {
            long before = hub.MemoryBytes;
            List<(SyncStore Store, HubClient Client)> devices = await ConnectAsync(count, cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(10), cancellationToken);
            double each = (hub.MemoryBytes - before) / 1024.0 / count;
            Say($"{count:N0} idle sessions: {each:N1} KiB of the hub's memory each, everything told "
                + $"({before / 1048576.0:N0} MiB before, {hub.MemoryBytes / 1048576.0:N0} MiB after)");
            await EndAsync(devices);
        }

        public async Task PushAsync(
            int identities, int writing, TimeSpan time, TimeSpan pause, CancellationToken cancellationToken)
        {
            List<(SyncStore Store, HubClient Client)> devices = await ConnectAsync(identities, cancellationToken);
            var seconds = new List<SyncStore>();
            foreach ((SyncStore store, HubClient client) in devices)
            {
                SyncStore other = SyncStore.OpenInMemory();
                await other.AdoptIdentityAsync(store.Identity.Id);
                string token = await client.GetAccessTokenAsync(cancellationToken);
                var address = new UriBuilder(hub.Hub + "/ws") { Scheme = "ws" };
                other.Connect(new WebSocketConnector(
                    address.Uri, options => options.SetRequestHeader("Authorization", "Bearer " + token)));
                await other.WaitForFirstSyncAsync(cancellationToken);
                seconds.Add(other);
            }

            TimeSpan cpu = hub.ProcessorTime;
            long end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
            double[][] all = await Task.WhenAll(Enumerable.Range(0, writing).Select(i => WriteAsync(
                devices[i].Store.Identity.Dataset("save"), seconds[i].Identity.Dataset("save"), end, pause, cancellationToken)));
            double[] sorted = [.. all.SelectMany(static latencies => latencies).Order()];
            Say($"{2 * identities:N0} connected devices, {writing:N0} writing: {sorted.Length / time.TotalSeconds:N0} "
                + $"durable pushes/s, "
                + $"median {At(sorted, 0.5):N1} ms to the other device, 99 % {At(sorted, 0.99):N1} ms; the hub used "
                + $"{(hub.ProcessorTime - cpu).TotalSeconds / time.TotalSeconds:N2} cores");
            foreach (SyncStore store in seconds) await store.DisposeAsync();
            await EndAsync(devices);
        }

        /// <summary>Whole rounds of old clients. Each asks again as soon as it was answered.</summary>
        public async Task CognitoAsync(int clients, TimeSpan time, CancellationToken cancellationToken)
        {
            using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = clients, UseProxy = false };
            using var http = new HttpMessageInvoker(handler);
            var old = new CognitoLoad(
                new CognitoClient(http, hub.Cognito, hub.Cognito, HubProcess.Region), HubProcess.DeveloperKeys);
            await old.PrepareAsync(cancellationToken);
            TimeSpan cpu = hub.ProcessorTime, own = Environment.CpuUsage.TotalTime;
            long end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
            List<double>[] all = await Task.WhenAll(Enumerable.Range(0, clients).Select(
                _ => Task.Run(() => old.RunAsync(end, cancellationToken), cancellationToken)));
            double[] sorted = [.. all.SelectMany(static latencies => latencies).Order()];
            Say($"{clients:N0} old clients: {sorted.Length / time.TotalSeconds:N0} full rounds/s (GetId, "
                + $"GetCredentialsForIdentity, ListRecords, UpdateRecords), median {At(sorted, 0.5):N1} ms a round, 99 % "
                + $"{At(sorted, 0.99):N1} ms; the hub used {(hub.ProcessorTime - cpu).TotalSeconds / time.TotalSeconds:N2} "
                + $"cores, the clients {(Environment.CpuUsage.TotalTime - own).TotalSeconds / time.TotalSeconds:N2}");
        }

        public void Dispose() => _handler.Dispose();

        private static double At(double[] sorted, double share) =>
            sorted.Length == 0 ? double.NaN : sorted[(int)(sorted.Length * share)];

        /// <summary>Writes, waits until the other device shows it, and writes again.</summary>
        private static async Task<double[]> WriteAsync(
            Dataset from, Dataset to, long end, TimeSpan pause, CancellationToken cancellationToken)
        {
            var latencies = new List<double>();
            using var arrived = new SemaphoreSlim(0);
            using IDisposable watching = to.Changes.Subscribe(_ => arrived.Release());
            for (int i = 0; Stopwatch.GetTimestamp() < end; i++)
            {
                string key = "k" + (i % KeysEach).ToString(CultureInfo.InvariantCulture);
                long begun = Stopwatch.GetTimestamp();
                from[key] = i;
                while (to[key] != i) await arrived.WaitAsync(cancellationToken);
                latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                if (pause > TimeSpan.Zero) await Task.Delay(pause, cancellationToken);
            }

            return [.. latencies];
        }

        private async Task<List<(SyncStore, HubClient)>> ConnectAsync(int count, CancellationToken cancellationToken)
        {
            var devices = new (SyncStore, HubClient)[count];
            long begun = Stopwatch.GetTimestamp();
            var options = new HubClientOptions(hub.Hub, HubProcess.PoolName) { HandlerFactory = () => new Kept(_handler) };
            await Parallel.ForAsync(0, count, new ParallelOptions
            {
                MaxDegreeOfParallelism = Starters, CancellationToken = cancellationToken,
            }, async (i, stop) =>
            {
                SyncStore store = SyncStore.OpenInMemory();
                store.Identity.Dataset("save")["start"] = i;
                devices[i] = (store, HubClient.Connect(store, options));
                await store.WaitForFirstSyncAsync(stop);
            });
            Say($"{count:N0} devices registered and synced in {Stopwatch.GetElapsedTime(begun).TotalSeconds:N1} s");
            return [.. devices];
        }

        private static async Task EndAsync(List<(SyncStore Store, HubClient Client)> devices) => await Parallel.ForEachAsync(
            devices, new ParallelOptions { MaxDegreeOfParallelism = Starters }, static async (device, _) =>
            {
                await device.Client.DisposeAsync();
                await device.Store.DisposeAsync();
            });

        private void Say(string words) => terminal.Out.WriteLine(words);

        /// <summary>One handler for all devices: closing one of them must not close it.</summary>
        private sealed class Kept(HttpMessageHandler inner) : HttpMessageHandler
        {
            private readonly HttpMessageInvoker _invoker = new(inner, disposeHandler: false);

            protected override Task<HttpResponseMessage> SendAsync(
                HttpRequestMessage request, CancellationToken cancellationToken) =>
                    _invoker.SendAsync(request, cancellationToken);
        }
    }
}
