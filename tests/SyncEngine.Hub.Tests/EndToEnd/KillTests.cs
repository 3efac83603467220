using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hubs;
using SyncEngine.LiteDB;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>A hub in a process of its own, killed while devices write to it.</summary>
public sealed class KillTests
{
    private const int Devices = 12;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task What_devices_were_told_is_saved_survives_kills_and_goes_on_by_itself()
    {
        string folder = Directory.CreateTempSubdirectory("syncengine-hub-kill").FullName;
        int port = FreePort(), admin = FreePort();
        using var ends = new CancellationTokenSource(_patience);
        var stores = new List<SyncStore>();
        var clients = new List<HubClient>();
        var readers = new List<SyncStore>();
        var links = new List<SyncLink>();
        long[] saved = new long[Devices];
        try
        {
            using (HubChild hub = await HubChild.StartAsync(folder, port, admin, ends.Token))
                await HubChild.CreatePoolAsync(admin, ends.Token);
            Task[] writing = new Task[Devices];
            using var stops = CancellationTokenSource.CreateLinkedTokenSource(ends.Token);
            HubChild? running = await HubChild.StartAsync(folder, port, admin, ends.Token);
            for (int i = 0; i < Devices; i++)
            {
                stores.Add(SyncStore.OpenInMemory());
                clients.Add(HubClient.Connect(stores[i], new HubClientOptions(new Uri($"http://127.0.0.1:{port}/sync"), "game")));
                SyncStore reader = SyncStore.OpenInMemory();
                readers.Add(reader);
                await reader.AdoptIdentityAsync(stores[i].Identity.Id);
                string token = await clients[i].GetAccessTokenAsync(ends.Token);
                links.Add(reader.Connect(new WebSocketConnector(new Uri($"ws://127.0.0.1:{port}/sync/ws"),
                    options => options.SetRequestHeader("Authorization", "Bearer " + token))));
                writing[i] = WriteAsync(i);
            }

            for (int kill = 0; kill < 3; kill++)
            {
                long before = saved.Sum();
                while (saved.Sum() < before + 40) await Task.Delay(20, ends.Token);
                running.Dispose();
                running = await HubChild.StartAsync(folder, port, admin, ends.Token);
                foreach (HubClient client in clients) client.Link.RetryNow();
                foreach (SyncLink link in links) link.RetryNow();
            }

            long last = saved.Sum();
            while (saved.Sum() < last + 40) await Task.Delay(20, ends.Token);
            running.Dispose();
            await stops.CancelAsync();
            await Task.WhenAll(writing);

            async Task WriteAsync(int device)
            {
                try
                {
                    for (long n = 1;; n++)
                    {
                        stores[device].Identity.Dataset("save")["n"] = n;
                        stores[device].Identity.Dataset("save").Counter("sum").Add(1);

                        // The hub pushes nothing before it is durable there: what the reader has, the hub has saved.
                        Dataset read = readers[device].Identity.Dataset("save");
                        while (read["n"] != n || read.Counter("sum").Value < n) await Task.Delay(5, stops.Token);
                        Volatile.Write(ref saved[device], n);
                    }
                }
                catch (OperationCanceledException)
                {
                    // The test is over.
                }
            }

            await using HubStore left = await HubStore.OpenAsync(() => LiteDbStorage.Open(Path.Combine(folder, "hub.db")));
            for (int i = 0; i < Devices; i++)
            {
                using IdentityLease lease = await left.LeaseAsync("game", stores[i].Identity.Id, ends.Token);
                Assert.True(lease.Identity.Dataset("save")["n"].AsInteger() >= saved[i]);
                Assert.True(lease.Identity.Dataset("save").Counter("sum").Value >= saved[i]);
            }
        }
        finally
        {
            foreach (HubClient client in clients) await client.DisposeAsync();
            foreach (SyncStore store in stores.Concat(readers)) await store.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class HubChild(Process process) : IDisposable
    {
        private const string Key = "admin-key-of-the-tests-0123456789";

        public static async Task<HubChild> StartAsync(string folder, int port, int admin, CancellationToken cancellationToken)
        {
            string program = Path.GetFullPath(Path.Combine(
                AppContext.BaseDirectory, "..", "..", "SyncEngine.Cli",
                    Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/', '\\')),
                "SyncEngine.Cli.dll"));
            var start = new ProcessStartInfo("dotnet")
            {
                RedirectStandardOutput = true,
                ArgumentList =
                {
                    program, "hub", "--urls", $"http://127.0.0.1:{port}", "--admin-url", $"http://127.0.0.1:{admin}", "--data",
                        folder,
                },
            };
            start.Environment["SyncHub__AdminKey"] = Key;
            start.Environment["SyncHub__RatePerAddress__Burst"] = "0";
            Process process = Process.Start(start)!;
            string said = "";
            while (!said.Contains("Next:", StringComparison.Ordinal))
            {
                string line = await process.StandardOutput.ReadLineAsync(cancellationToken)
                    ?? throw new InvalidOperationException("The hub did not start: " + said);
                said += line + "\n";
            }

            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return new HubChild(process);
        }

        public static async Task CreatePoolAsync(int admin, CancellationToken cancellationToken)
        {
            using var http = new HttpClient();
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
            using var body = new StringContent("""{"name":"game","allowsGuests":true}""", Encoding.UTF8, "application/json");
            using HttpResponseMessage response = await http.PostAsync($"http://127.0.0.1:{admin}/admin/pools", body,
                cancellationToken);
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }

        /// <summary>Kills it, as a power cut would.</summary>
        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
