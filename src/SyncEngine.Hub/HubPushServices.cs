using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SyncEngine.Causality;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub;

/// <summary>What push, webhooks and hooks are made of.</summary>
internal static class HubPushServices
{
    private const string OutgoingClient = "syncengine-hub-outgoing";

    public static void AddHubPush(this IServiceCollection services)
    {
        services.TryAddKeyedSingleton(OutgoingClient, static (_, _) => OutgoingHttp.CreateClient());
        services.TryAddSingleton<PushRegistrations>();
        services.TryAddSingleton(static provider =>
            new WebhookSender(Outgoing(provider), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(static provider => new ChangeFeed(
            provider.GetRequiredService<HubRows>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ChangeFeed>>(), Options(provider).Feed));
        services.TryAddSingleton(static provider => new DevicePush(
            provider.GetRequiredService<PushRegistrations>(), [.. Senders(provider), .. provider.GetServices<IPushSender>()],
            provider.GetRequiredService<OpenSessions>().IsOpen, provider.GetRequiredService<TimeProvider>(), RandomSource.System,
            provider.GetRequiredService<ILogger<DevicePush>>(), Options(provider).DevicePush));
        services.TryAddSingleton(static provider => new ChangeHub(
            provider.GetRequiredService<ChangeFeed>(), provider.GetRequiredService<DevicePush>(),
            provider.GetRequiredService<ILogger<ChangeHub>>()));
        services.TryAddSingleton(static provider => new ServerSentEvents(
            provider.GetRequiredService<ChangeHub>(), provider.GetRequiredService<ChangeFeed>(),
            provider.GetRequiredService<TimeProvider>(), Options(provider).Events));
        services.TryAddSingleton(static provider => new Webhooks(
            provider.GetRequiredService<HubRows>(), provider.GetRequiredService<ChangeFeed>(), Outgoing(provider),
            provider.GetRequiredService<TimeProvider>(), RandomSource.System, provider.GetRequiredService<ILogger<Webhooks>>(),
            Options(provider).Webhooks));
        services.TryAddSingleton(static provider => new HookRunner(
            provider.GetServices<IChangeHook>(), provider.GetRequiredService<Webhooks>().ProposalHooks,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<HookRunner>>(),
            Options(provider).Hooks));
        services.TryAddSingleton<HookedReview>();
        services.TryAddSingleton<PushEndpoints>();
        services.TryAddSingleton<EventEndpoints>();
        services.AddHostedService<PushStart>();
    }

    private static SyncHubOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<SyncHubOptions>>().Value;

    private static HttpClient Outgoing(IServiceProvider provider) => provider.GetRequiredKeyedService<HttpClient>(OutgoingClient);

    private static IEnumerable<IPushSender> Senders(IServiceProvider provider)
    {
        SyncHubOptions options = Options(provider);
        TimeProvider time = provider.GetRequiredService<TimeProvider>();
        if (options.Apns is { } apns) yield return new ApnsSender(Outgoing(provider), apns, time);
        if (options.Fcm is { } fcm) yield return new FcmSender(Outgoing(provider), fcm, time);
    }
}
