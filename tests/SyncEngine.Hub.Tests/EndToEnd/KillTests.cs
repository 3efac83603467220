using SyncEngine.Hub.Syncing;
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
        int port = HubChild.FreePort(), admin = HubChild.FreePort();
        using var ends = new CancellationTokenSource(_patience);
        HubChild running = await HubChild.StartAsync(folder, port, admin, ends.Token);
        try
        {
            await HubChild.CreatePoolAsync(admin, ends.Token);
            await using HubLoad load = await HubLoad.StartAsync(Devices, port, ends.Token);
            for (int kill = 0; kill < 3; kill++)
            {
                await load.AwaitSavedAsync(40);
                running.Dispose();
                running = await HubChild.StartAsync(folder, port, admin, ends.Token);
                load.RetryNow();
            }

            await load.AwaitSavedAsync(40);
            running.Dispose();
            await load.EndAsync();
            await using HubStore left = await HubLoad.OpenAsync(folder);
            await load.CheckAsync(left, ends.Token);
        }
        finally
        {
            running.Dispose();
        }

        Directory.Delete(folder, recursive: true);
    }
}
