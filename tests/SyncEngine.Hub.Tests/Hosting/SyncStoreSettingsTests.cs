using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using SyncEngine.Hosting;
using Xunit;

namespace SyncEngine.Hub.Tests.Hosting;

public sealed class SyncStoreSettingsTests
{
    [Theory]
    [InlineData("SyncStore:Path", "SyncStore:ChangeQueueMax", "2")]
    [InlineData("SyncStore:ChangeQueueMax", "SyncStore:ChangeQueueMax", "1")]
    [InlineData("SyncStore:Path", "SyncStore:Path", " ")]
    [InlineData("SyncStore:ChangeQueueMax", "SyncStore:ChangeQueueMax", "many")]
    [InlineData("SyncStore:Hub:Address", "SyncStore:Hub:Address", "sync.example.com")]
    [InlineData("SyncStore:Hub:Address", "SyncStore:Hub:Address", "ftp://sync.example.com")]
    [InlineData("SyncStore:Hub:Pool", "SyncStore:Hub:Address", "https://sync.example.com/sync")]
    [InlineData("Pth", "SyncStore:Pth", "save.db")]
    [InlineData("RecordMax", "SyncStore:Limits:RecordMax", "7")]
    public async Task What_is_wrong_fails_the_start_by_its_name(string named, string key, string value)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new(key, value)]);
        builder.Services.AddSyncStore();
        using IHost host = builder.Build();
        OptionsValidationException wrong = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Contains(named, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_told_at_once_also_without_a_host()
    {
        var services = new ServiceCollection();
        services.AddSyncStore("cloud", static store =>
        {
            store.ChangeQueueMax = 0;
            store.Hub = new HubSettings { DeviceName = new string('x', 101) };
        });
        await using ServiceProvider provider = services.BuildServiceProvider();
        OptionsValidationException wrong = await Assert.ThrowsAsync<OptionsValidationException>(
            async () => await provider.GetRequiredKeyedService<HostedSyncStore>("cloud").OpenAsync());
        Assert.Equal(
            [
                "SyncStores:cloud:Path is not usable: name the store's file, such as save.db, or set IsInMemory.",
                "SyncStores:cloud:ChangeQueueMax is not usable: give 2 or more.",
                "SyncStores:cloud:Hub:Address is not usable: give the hub's address for devices, such as "
                    + "https://sync.example.com/sync.",
                "SyncStores:cloud:Hub:Pool is not usable: name the identity pool.",
                "SyncStores:cloud:Hub:DeviceName is not usable: give at most 100 characters.",
            ], wrong.Failures);
    }

    [Fact]
    public void A_name_that_is_no_section_is_refused() =>
        Assert.Throws<ArgumentException>(static () => new ServiceCollection().AddSyncStore("a:b"));
}
