using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>
/// Random histories of durable stores over sessions whose messages are lost, repeated, reordered and cut off: crashes that lose
/// what was not durable, files copied unnoticed while in use, small parts, forgotten deletes. In the end all are equal,
/// nothing acknowledged is lost and nothing is counted twice.
/// </summary>
public sealed class SessionHistoryTests
{
    [Fact]
    public Task Every_history_ends_with_all_devices_equal_and_nothing_lost() => RunAsync(0, 60);

    /// <summary>Runs a share of the histories; the soak runs more.</summary>
    internal static async Task RunAsync(int first, int count)
    {
        for (int seed = first; seed < first + count; seed++)
        {
            await using var history = new History(seed);
            try
            {
                await history.RunAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    private sealed class History(int seed) : IAsyncDisposable
    {
        private readonly Random _random = new(seed);
        private readonly List<(SyncStore Store, MemoryDisk Disk)> _devices = [];
        private readonly HashSet<string> _acknowledged = [];
        private readonly List<(int Device, string Key)> _pending = [];
        private long _added;
        private int _writes;
        private int _copies;

        /// <summary>Ends a session that hangs, on however busy a machine.</summary>
        private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromMinutes(5)).Token;

        public async Task RunAsync()
        {
            int devices = _random.Next(2, 5);
            for (int i = 0; i < devices; i++) await AddAsync(new MemoryDisk());
            foreach ((SyncStore store, _) in _devices.Skip(1)) await store.AdoptIdentityAsync(_devices[0].Store.Identity.Id);
            int steps = _random.Next(10, 40);
            for (int step = 0; step < steps; step++) await StepAsync();

            // Versions tell what is durable: what a storage thread has still to write does not show in them.
            for (int i = 0; i < _devices.Count; i++) await FlushAsync(i);
            for (int round = 0; round < 3; round++)
                for (int a = 0; a < _devices.Count; a++)
                    for (int b = 0; b < _devices.Count; b++)
                        if (a != b) await MeetAsync(a, b, loss: 0);
            Check();
        }

        public async ValueTask DisposeAsync()
        {
            foreach ((SyncStore store, _) in _devices) await store.DisposeAsync();
        }

        private async Task StepAsync()
        {
            int device = _random.Next(_devices.Count);
            switch (_random.Next(14))
            {
                case < 4: Write(device); break;
                case 4: await FlushAsync(device); break;
                case 5: await AddAsync(device); break;
                case 6: await CrashAsync(device); break;
                case 7 when _copies < 3: await CopyAsync(device); break;
                case 8: Save(device).ForgetDeletes(Save(_random.Next(_devices.Count)).Version); break;
                default:
                    int other = _random.Next(_devices.Count);
                    if (other != device) await MeetAsync(device, other, loss: _random.Next(3) * 10);
                    break;
            }
        }

        private void Write(int device)
        {
            for (int i = _random.Next(1, 12); i > 0; i--)
            {
                string key = "w" + _writes++;
                Save(device)[key] = $"a value of device {device}, long enough for parts";
                _pending.Add((device, key));
                Save(device)["shared" + _random.Next(5)] = _writes;
                if (_random.Next(4) == 0) Save(device).Delete("shared" + _random.Next(5));
            }
        }

        /// <summary>A counter's add is known to be in or not: it is awaited.</summary>
        private async Task AddAsync(int device)
        {
            Save(device).Counter("coins").Add(1);
            _added++;
            await FlushAsync(device);
        }

        private async Task FlushAsync(int device)
        {
            await _devices[device].Store.FlushAsync();
            _acknowledged.UnionWith(_pending.Where(write => write.Device == device).Select(write => write.Key));
            _pending.RemoveAll(write => write.Device == device);
        }

        /// <summary>The process ends as it is: what is on the disk then is what there is.</summary>
        private async Task CrashAsync(int device)
        {
            (SyncStore store, MemoryDisk disk) = _devices[device];
            MemoryDisk image = disk.Copy(isNoticed: false);
            await store.DisposeAsync();
            _devices[device] = (await SyncStore.OpenAsync(image.Open), image);
            _pending.RemoveAll(write => write.Device == device);
        }

        private async Task CopyAsync(int device)
        {
            _copies++;
            await AddAsync(_devices[device].Disk.Copy(isNoticed: false));
        }

        private async Task AddAsync(MemoryDisk disk) => _devices.Add((await SyncStore.OpenAsync(disk.Open), disk));

        private Dataset Save(int device) => _devices[device].Store.Identity.Dataset("save");

        /// <summary>One session; with loss, messages are also repeated and reordered, and it may be cut off.</summary>
        private async Task MeetAsync(int a, int b, int loss)
        {
            int part = _random.Next(2) == 0 ? 200 : 256 * 1024;
            using var left = new SyncSession(
                _devices[a].Store.Identity, new SessionOptions { IsInitiator = true, PartBytes = part });
            using var right = new SyncSession(_devices[b].Store.Identity, new SessionOptions { PartBytes = part });
            var toRight = new List<byte[]>();
            var toLeft = new List<byte[]>();
            int messages = loss > 0 && _random.Next(3) == 0 ? _random.Next(4, 40) : int.MaxValue, idle = 0;
            CancellationToken soon = Soon;
            while (messages > 0 && !(left.Progress.IsLive && right.Progress.IsLive && toLeft.Count + toRight.Count == 0))
            {
                soon.ThrowIfCancellationRequested();
                bool any = Collect(left, toRight, loss) | Collect(right, toLeft, loss);
                any |= Deliver(right, toRight, loss) | Deliver(left, toLeft, loss);
                if (any) messages--;
                idle = any ? 0 : idle + 1;
                if (idle > 0) await Task.Yield();
                if (idle < 50) continue;
                await _devices[a].Store.FlushAsync();
                await _devices[b].Store.FlushAsync();
                await Task.Delay(1);
                if (idle % 10 != 0) continue;
                left.Resend();
                right.Resend();
            }
        }

        private bool Collect(SyncSession from, List<byte[]> line, int loss)
        {
            if (!from.TryTake(out ReadOnlyMemory<byte> message)) return false;
            byte[] bytes = message.ToArray();

            // The handshake is over a connection that keeps order; what comes after need not be.
            bool isHello = bytes[2] == 7;
            if (!isHello && _random.Next(100) < loss) return true;
            line.Add(bytes);
            if (!isHello && _random.Next(100) < loss) line.Add(bytes);
            return true;
        }

        private bool Deliver(SyncSession to, List<byte[]> line, int loss)
        {
            if (line.Count == 0 || _random.Next(100) < loss) return false;
            int at = line[0][2] == 7 || loss == 0 ? 0 : _random.Next(Math.Min(3, line.Count));
            byte[] message = line[at];
            line.RemoveAt(at);
            to.Receive(message);
            return true;
        }

        private void Check()
        {
            for (int i = 0; i < _devices.Count; i++)
            {
                Dataset save = Save(i);
                CellReader.AssertFiguresAreRight(save);
                Assert.Equal(Save(0).Version, save.Version);
                Assert.Equal(CellReader.Print(Save(0), liveOnly: true), CellReader.Print(save, liveOnly: true));
                Assert.DoesNotContain(_acknowledged, key => !save.Contains(key));
                Assert.Equal(_added, save.Counter("coins").Value);
            }
        }
    }
}
