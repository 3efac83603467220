using System.Net;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using SyncEngine.Causality;
using SyncEngine.Hub.Identities;
using SyncEngine.Hubs;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>Signing in leaves no guest behind at the hub, whatever became of the guest's registration.</summary>
public sealed class SignInTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Signing_in_while_the_guest_registers_leaves_none_behind(bool isKnownLogin)
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        using var owner = new RawDevice(hub, "game");
        if (isKnownLogin)
            await owner.TrySignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        phone.Identity.Dataset("save").Counter("coins").Add(5);
        var late = new LateGuest();
        await using HubClient one = HubClient.Connect(phone, Options(hub) with { HandlerFactory = () => late });

        // The hub has the guest, and the device does not know it yet.
        await late.Registered.Task.WaitAsync(_patience);
        Task signedIn = one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        late.MayAnswer.SetResult();
        await signedIn.WaitAsync(_patience);
        phone.Identity.Dataset("save").Counter("coins").Add(2);
        await Until(one.Link, () => one.Link.Current is { State: SyncState.Live, PendingChanges: 0 });

        IdentityRow account = Assert.Single(await ActiveAsync(hub));
        Assert.Equal(phone.Identity.Id, account.Id);
        Assert.Single(account.Logins);
        await using HubClient two = HubClient.Connect(laptop, Options(hub));
        await two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await Until(two.Link, () => laptop.Identity.Dataset("save").Counter("coins").Value == 7);
    }

    [Fact]
    public async Task A_pool_without_guests_is_signed_in_to_at_once()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game").Replace("\"allowsGuests\":true", "\"allowsGuests\":false"));
        await using SyncStore phone = SyncStore.OpenInMemory();
        phone.Identity.Dataset("save")["level"] = 1;
        await using HubClient client = HubClient.Connect(phone, Options(hub));
        await client.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await Until(client.Link, () => client.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        Assert.Single(await ActiveAsync(hub));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_guest_whose_registration_was_never_heard_of_joins_the_login(bool isKnownLogin)
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        using var owner = new RawDevice(hub, "game");
        if (isKnownLogin) await owner.TrySignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        using var device = new RawDevice(hub, "game");
        string guest = (await device.RegisterAsync()).IdentityId;
        (HttpStatusCode status, _) = await device.TrySignInAsync(
            DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(isKnownLogin ? owner.IdentityId : guest, device.IdentityId);
        IdentityRow account = Assert.Single(await ActiveAsync(hub));
        Assert.Equal("ann", Assert.Single(account.Logins).Subject);
        Assert.NotNull(account.FindDevice(device.DeviceId));
        if (isKnownLogin)
            Assert.Equal(guest, device.Credentials.GetProperty("mergedFrom").GetProperty("identityId").GetString());
    }

    [Fact]
    public async Task A_device_that_was_paired_with_another_one_signs_in_as_who_that_is_and_as_nobody_else()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, Options(hub));
        await one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        phone.Identity.Dataset("save")["of"] = "Ann";
        await laptop.AdoptIdentityAsync(phone.Identity.Id);
        await laptop.ApplyAsync(await phone.ExportAsync());
        laptop.Identity.Dataset("save")["laptop"] = 1;
        await using HubClient two = HubClient.Connect(laptop, Options(hub));
        SyncException refused = await Assert.ThrowsAsync<SyncException>(
            () => two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "bob")));
        Assert.Equal(SyncErrorCode.Unauthorized, refused.Code);
        Assert.Equal(phone.Identity.Id, laptop.Identity.Id);
        await two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await Until(one.Link, () => phone.Identity.Dataset("save")["laptop"] == 1);
    }

    private static HubClientOptions Options(HubApp hub) => new(new Uri(hub.Address, "/sync"), "game");

    private static async Task<IEnumerable<IdentityRow>> ActiveAsync(HubApp hub) =>
        (await ((IdentityDirectory)hub.Services.GetService(typeof(IdentityDirectory))!).ListAsync("game", null, 100))
        .Where(row => row.State == IdentityState.Active);

    private static async Task Until(SyncLink link, Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            await link.Status.Select(_ => 0).Merge(Observable.Interval(TimeSpan.FromMilliseconds(50)).Select(_ => 0))
                .Where(_ => holds()).FirstAsync().ToTask(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail("It never came to that; the link says: " + link.Current);
        }
    }

    /// <summary>Holds the hub's answer to a guest's registration back.</summary>
    private sealed class LateGuest : DelegatingHandler
    {
        public LateGuest() : base(new SocketsHttpHandler())
        {
        }

        public TaskCompletionSource Registered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayAnswer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage answer = await base.SendAsync(request, cancellationToken);
            if (!request.RequestUri!.AbsolutePath.EndsWith("/guests", StringComparison.Ordinal)) return answer;
            Registered.TrySetResult();
            await MayAnswer.Task.WaitAsync(cancellationToken);
            return answer;
        }
    }
}
