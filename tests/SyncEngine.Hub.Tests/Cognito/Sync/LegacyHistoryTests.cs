using FsCheck.Xunit;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Hub.Cognito.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

public sealed class LegacyHistoryTests
{
    [Property(MaxTest = 200)]
    public void Native_devices_and_legacy_clients_share_a_dataset_through_crashes(int seed) =>
        Task.Run(() => RunAsync(seed)).GetAwaiter().GetResult();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task However_long_keys_are_the_dates_of_devices_fit_into_their_row(bool isImport)
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        string rest = new('\u20ac', 1020);
        LegacyPatch[] patches = [.. Enumerable.Range(0, 2048)
            .Select(number => new LegacyPatch($"{number:d4}{rest}", "1", isImport ? 1 : 0, 5_000))];
        if (isImport) Assert.True(await world.ImportAsync(patches));
        else Assert.Equal(2048, (await world.UpdateAsync(patches)).Count);
        Assert.Equal(2, (await world.UpdateAsync(new LegacyPatch("short", "1", 0, 7_000))).Single().SyncCount);
        await world.CrashAsync();
        IReadOnlyList<LegacyRecord> records = (await world.ReadAsync(0, limit: 4096)).Records;
        Assert.Equal(2049, records.Count);

        // Most of them are kept; where there was no room, the time of the write stands for it.
        Assert.InRange(records.Count(static record => record.DeviceMilliseconds == 5_000), 500, 2048);
        Assert.Equal("0000" + rest, records[0].Key);
        Assert.Equal(5_000, records[0].DeviceMilliseconds);
    }

    private static async Task RunAsync(int seed)
    {
        var random = new System.Random(seed);
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        Dataset[] devices = [LegacyWorld.NewDevice(), LegacyWorld.NewDevice(), LegacyWorld.NewDevice()];
        LegacyClient[] clients = [new(world, random), new(world, random), new(world, random)];
        for (int step = 0; step < 60; step++) await StepAsync(world, devices, clients, random, mayPull: true);
        for (int round = 0; round < 3; round++)
            foreach (Dataset device in devices) await world.SyncAsync(device);
        foreach (LegacyClient client in clients)
        {
            // The second finds nothing new, also where the first had to begin anew.
            await client.PullAsync(static () => Task.CompletedTask);
            await client.PullAsync(static () => Task.CompletedTask);
        }

        SortedDictionary<string, string> expected = await world.OnHubAsync(Texts);
        Assert.All(devices, device => Assert.Equal(expected, Texts(device)));
        Assert.All(clients, client => Assert.Equal(expected, client.Texts));
    }

    private static async Task StepAsync(
        LegacyWorld world, Dataset[] devices, LegacyClient[] clients, System.Random random, bool mayPull)
    {
        Dataset device = devices[random.Next(devices.Length)];
        LegacyClient client = clients[random.Next(clients.Length)];
        switch (random.Next(mayPull ? 16 : 14))
        {
            case < 4:
                Write(device, random);
                break;
            case < 7:
                await world.SyncAsync(device, pulls: random.Next(3) > 0);
                break;
            case < 11:
                await client.PushAsync(clients.Max(static known => known.Told), isAnswerLost: random.Next(5) == 0);
                break;
            case 11:
                await (random.Next(3) == 0 ? world.ReopenAsync() : world.CrashAsync());
                break;
            case 12:
                await world.Store.SweepAsync();
                break;
            case 13 when random.Next(4) == 0:
                await world.DeleteAsync();
                break;
            case 13 when random.Next(4) == 0:
                await world.OnHubAsync(hub => random.Next(2) == 0 ? hub.ForgetDeletes(hub.Version)
                    : hub.ForgetDeletesThrough(random.NextInt64(hub.Revision + 1)));
                break;
            default:
                // A client does one thing after the other; the rest of the world goes on between its pages.
                LegacyClient[] others = [.. clients.Where(other => other != client)];
                await client.PullAsync(() => random.Next(2) == 0
                    ? StepAsync(world, devices, others, random, mayPull: false) : Task.CompletedTask);
                break;
        }
    }

    private static SortedDictionary<string, string> Texts(Dataset dataset)
    {
        var texts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (RecordName record in dataset.Records) texts[record.Key] = LegacyText.Read(dataset, record.Key)!;
        return texts;
    }

    private static void Write(Dataset device, System.Random random)
    {
        string key = "k" + random.Next(5);
        switch (random.Next(8))
        {
            case 0: device.Delete(key); break;
            case 1: device.Counter(key).Add(random.Next(-5, 9)); break;
            case 2: device.Set(key).Add(random.Next(3)); break;
            case 3: device.Map(key)["f" + random.Next(2)] = random.Next(9); break;
            case 4: device.List(key).Add(random.Next(9)); break;
            case 5: device.Delete(key, (RecordKind)random.Next(1, 8)); break;
            case 6: device.Max(key).Raise(random.Next(99)); break;
            default: device[key] = "native " + random.Next(100); break;
        }
    }
}
