using SyncEngine.Hub.Push;

namespace SyncEngine.Hub;

/// <summary>
/// How a hub runs. Bound to the configuration section <see cref="Section"/>, so that appsettings and environment variables
/// such as
/// <c>SyncHub__AdminPort</c> set it; checked when the app starts. Not changed while it runs.
/// </summary>
public sealed class SyncHubOptions
{
    /// <summary>The configuration section that is bound.</summary>
    public const string Section = "SyncHub";

    /// <summary>The folder of the hub's file; it is made if it is missing. Default <c>syncengine-hub</c> in the current
    /// folder.</summary>
    public string DataFolder { get; set; } = "syncengine-hub";

    /// <summary>
    /// The address by which credentials name this hub (<c>iss</c>), and under which other services find its keys: https, or
    /// http on
    /// this machine, without a slash at the end. Set it where devices reach the hub by another address than
    /// the one it listens at. Default null: the address that it listens at.
    /// </summary>
    public string? Issuer { get; set; }

    /// <summary>Whom credentials are for (<c>aud</c>): 1 to 256 characters. Default <c>syncengine</c>.</summary>
    public string Audience { get; set; } = "syncengine";

    /// <summary>
    /// The port on which alone the admin interface answers; the app must listen on it, best on loopback only. Default null:
    /// it answers on every port that the app listens on, but to callers of this machine alone. It asks for its key either way.
    /// </summary>
    public int? AdminPort { get; set; }

    /// <summary>The key of the admin interface: 20 to 256 visible ASCII characters. Default null: no key is taken.</summary>
    public string? AdminKey { get; set; }

    /// <summary>
    /// What one client may ask: an IPv4 address, or an IPv6 network of 64 bits. Behind a reverse proxy the app must use forwarded
    /// headers, since all clients would otherwise be one. Default 200 at once and 50 a second.
    /// </summary>
    public RequestRate RatePerAddress { get; set; } = new() { Burst = 200, PerSecond = 50 };

    /// <summary>What all clients of one pool together may ask. Default 5,000 at once and 2,000 a second.</summary>
    public RequestRate RatePerPool { get; set; } = new() { Burst = 5000, PerSecond = 2000 };

    /// <summary>What one client may ask of the admin interface, right key or wrong. Default 100 at once and 20 a
    /// second.</summary>
    public RequestRate AdminRatePerAddress { get; set; } = new() { Burst = 100, PerSecond = 20 };

    /// <summary>
    /// The slowest that a request's body may come, in bytes a second, whatever else its connection carries; a slower sender gets
    /// a 408. Default 240.
    /// </summary>
    public double BodyBytesPerSecondMin { get; set; } = 240;

    /// <summary>
    /// How long deletes are kept, from when the hub got them; up to an eighth longer, as it looks now and then. A device that was
    /// away longer gets whole datasets at its next sync, and loses nothing that it wrote. 1 to 3,660 days. Default 90 days.
    /// </summary>
    public TimeSpan DeletesKept { get; set; } = TimeSpan.FromDays(90);

    /// <summary>The time limit of hooks that see changes before they are accepted, and what follows when they fail.</summary>
    public HookOptions Hooks { get; set; } = new();

    /// <summary>What stays in memory of identities that nobody uses, and how much a device may send at once.</summary>
    public HubMemoryOptions Memory { get; set; } = new();

    /// <summary>How much of the feeds of pools is kept, and how long.</summary>
    public ChangeFeedOptions Feed { get; set; } = new();

    /// <summary>Bounds of webhooks, and how long they may fail.</summary>
    public WebhookOptions Webhooks { get; set; } = new();

    /// <summary>How devices are woken.</summary>
    public DevicePushOptions DevicePush { get; set; } = new();

    /// <summary>Bounds of server-sent events.</summary>
    public ServerSentEventsOptions Events { get; set; } = new();

    /// <summary>The account at the Apple Push Notification service; null for none.</summary>
    public ApnsOptions? Apns { get; set; }

    /// <summary>The account at Firebase Cloud Messaging; null for none.</summary>
    public FcmOptions? Fcm { get; set; }

    /// <summary>The Cognito-wire-compatible API: its region and its developer keys.</summary>
    public CognitoOptions Cognito { get; set; } = new();

    /// <summary>How long a body may be slow, from its begin on: more than 1 s, up to 5 min. Default 5 s.</summary>
    public TimeSpan BodyGrace { get; set; } = TimeSpan.FromSeconds(5);
}
