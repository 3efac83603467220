using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SyncEngine.Hub;

/// <summary>The names under which OpenTelemetry finds what the hub does.</summary>
/// <remarks>Activities: <c>syncengine.hub.session</c>, <c>.login</c>, <c>.merge</c> and <c>.webhook</c>. Instruments:
/// <c>syncengine.hub.sessions</c>, <c>.frames.taken</c>, <c>.entries</c>, <c>.logins</c>, <c>.merges</c> and
/// <c>.webhook.attempts</c>. Each has the tag <c>pool</c>; none names an identity.</remarks>
public static class HubTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "SyncEngine.Hub";

    private static readonly ActivitySource _activities = new(Name);
    private static readonly Meter _meter = new(Name);

    internal static UpDownCounter<int> Sessions { get; } = _meter.CreateUpDownCounter<int>(
        "syncengine.hub.sessions", "{session}", "Sync sessions that are open.");

    internal static Counter<long> FramesTaken { get; } = _meter.CreateCounter<long>(
        "syncengine.hub.frames.taken", "{frame}", "Frames of devices that were taken.");

    internal static Counter<long> Entries { get; } = _meter.CreateCounter<long>(
        "syncengine.hub.entries", "{entry}", "Devices that were let in, by kind: guest, login, refresh or commit.");

    internal static Counter<long> Logins { get; } = _meter.CreateCounter<long>(
        "syncengine.hub.logins", "{login}", "Tokens of providers that were checked, by outcome.");

    internal static Counter<long> Merges { get; } = _meter.CreateCounter<long>(
        "syncengine.hub.merges", "{merge}", "Identities that were merged into others.");

    internal static Counter<long> WebhookAttempts { get; } = _meter.CreateCounter<long>(
        "syncengine.hub.webhook.attempts", "{attempt}", "Payloads that were sent to webhooks, by outcome.");

    /// <summary>Begins an activity, if somebody listens.</summary>
    internal static Activity? Begin(string name, string pool, ActivityKind kind = ActivityKind.Internal)
    {
        Activity? activity = _activities.StartActivity("syncengine.hub." + name, kind);
        activity?.SetTag("pool", pool);
        return activity;
    }

    internal static KeyValuePair<string, object?> Pool(string pool) => new("pool", pool);

    internal static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
