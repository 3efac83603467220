using SyncEngine.Datasets;
using SyncEngine.Sync;
using SyncEngine.Tests.Laws;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Sync;

public sealed class FolderHistoryTests
{
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Devices_end_equal_whatever_the_cloud_does(int seed)
    {
        var random = new Random(seed);
        var time = new ManualTime();
        int count = random.Next(2, 6);
        var devices = new List<FolderDevice> { new((ulong)seed * 10, time) };
        devices[0].Round();
        for (int i = 1; i < count; i++)
        {
            devices.Add(new FolderDevice((ulong)((seed * 10) + i), time));
            FolderDevice.Mirror(devices[0], devices[i]);
            Assert.True(devices[i].Round().HasAdopted);
        }

        var cloud = new SimulatedCloud(devices, random);
        var counted = new long[1];
        for (int step = 0; step < 400; step++)
        {
            time.Advance(random.Next(5_000));
            FolderDevice device = devices[random.Next(count)];
            switch (random.Next(12))
            {
                case < 4:
                    Operate(device, random, counted);
                    break;
                case < 7:
                    device.Round();
                    break;
                case 7 when random.Next(4) == 0:
                    cloud.Hide();
                    break;
                case 8 when random.Next(4) == 0:
                    Dataset forgetful = device.Store.Identity.Dataset("d0");
                    forgetful.ForgetDeletes(forgetful.Version);
                    break;
                case 9 when random.Next(3) == 0:
                    FolderTests.KillIn(device, random.Next(2) == 0 ? "move" : "delete");
                    break;
                default:
                    cloud.Step();
                    break;
            }
        }

        for (int i = 0; i < 6; i++)
        {
            cloud.Settle();
            time.Advance(100_000);
            foreach (FolderDevice device in devices) device.Round();
        }

        foreach (FolderDevice device in devices)
        {
            FolderResult last = device.Round();
            Assert.Empty(last.Waiting);
            Assert.Equal(devices[0].Print(), device.Print());
            Assert.Equal(counted[0], device.Store.Identity.Dataset("d0").Counter("sum").Value);
        }

        // Whoever comes last finds everything in the folder.
        var late = new FolderDevice((ulong)seed * 10 + 9, time);
        FolderDevice.Mirror(devices[^1], late);
        Assert.True(late.Round().HasAdopted);
        Assert.Equal(devices[0].Print(), late.Print());
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 30)];

    private static void Operate(FolderDevice device, Random random, long[] counted)
    {
        Dataset dataset = device.Store.Identity.Dataset("d" + random.Next(2));
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            KindOperations operations = KindOperations.All[random.Next(KindOperations.All.Count)];
            dataset.Write(w => operations.Operate(w, "k" + random.Next(3), random));
        }

        int add = random.Next(1, 100);
        device.Store.Identity.Dataset("d0").Counter("sum").Add(add);
        counted[0] += add;
    }
}
