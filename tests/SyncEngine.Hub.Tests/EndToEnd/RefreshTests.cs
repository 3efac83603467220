using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tests.Logins;
using SyncEngine.Hubs;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>Credentials are good for an hour, and the client gets the next one by itself.</summary>
public sealed class RefreshTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    [InlineData(3)]
    public async Task A_client_goes_on_after_the_hour_whatever_its_clock_says(int daysAhead)
    {
        TestClock time = new(), mine = new();
        mine.Advance(TimeSpan.FromDays(daysAhead));
        await using HubApp hub = await HubApp.StartAsync(services => services.AddSingleton<TimeProvider>(time));
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        HubClientOptions options = new(new Uri(hub.Address, "/sync"), "game");
        await using SyncStore phone = SyncStore.OpenInMemory(new SyncStoreOptions { TimeProvider = mine });
        string token;
        await using (HubClient client = HubClient.Connect(phone, options))
        {
            token = await client.GetAccessTokenAsync();
            Assert.Equal(token, await client.GetAccessTokenAsync());
            for (int hour = 0; hour < 3; hour++)
            {
                string before = token;
                Pass(time);
                Pass(mine);
                token = await client.GetAccessTokenAsync();
                Assert.NotEqual(before, token);
                Assert.Equal(token, await client.GetAccessTokenAsync());
            }

            // The hub's hour is over, and the client's clock stood still: the hub's refusal tells.
            Pass(time);
            Pass(time);
            Assert.Single(await client.GetDevicesAsync());
            Assert.NotEqual(token, await client.GetAccessTokenAsync());
            token = await client.GetAccessTokenAsync();
        }

        // A session is refused the same way, and begins all the same.
        Pass(time);
        Pass(time);
        await phone.Identity.Dataset("save").PutAsync("k", 1);
        await using HubClient next = HubClient.Connect(phone, options);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await HubHasAsync()) await Task.Delay(20, patience.Token);
        Assert.NotEqual(token, await next.GetAccessTokenAsync());

        static void Pass(TestClock clock) => clock.Advance(TimeSpan.FromMinutes(58));

        async Task<bool> HubHasAsync()
        {
            using IdentityLease lease = await hub.Store.LeaseAsync("game", phone.Identity.Id);
            return lease.Identity.HasDataset("save") && !lease.Identity.OpenForJoin("save")["k"].IsMissing;
        }
    }
}
