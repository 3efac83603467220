using System.Text.Json;
using SyncEngine.Hub.Push;

namespace SyncEngine.Hub.Endpoints;

/// <summary>A webhook to define.</summary>
internal sealed record WebhookRequest
{
    public required string Url { get; init; }

    /// <summary><c>change</c>, after it is durable, or <c>proposal</c>, before it is accepted.</summary>
    public string Event { get; init; } = "change";

    /// <summary>Pattern of the datasets it hears of.</summary>
    public string Datasets { get; init; } = "*";
}

/// <summary>A webhook and how it fares.</summary>
internal sealed record WebhookInfo(
    string WebhookId, string Url, string Event, string Datasets, DateTimeOffset Created, int Failures,
        DateTimeOffset? NextAttempt,
    string? LastError, DateTimeOffset? LastSuccess, string? DisabledReason)
{
    /// <summary>What signs its payloads; shown when it is made, never again.</summary>
    public string? Secret { get; init; }

    public static WebhookInfo Of(WebhookStatus status) => new(
        status.Definition.Id, status.Definition.Url.ToString(),
        JsonNamingPolicy.CamelCase.ConvertName(status.Definition.Event.ToString()), status.Definition.Datasets,
        status.Definition.Created, status.Progress.Failures, status.Progress.NextAttempt, status.Progress.LastError,
        status.Progress.LastSuccess, status.Progress.DisabledReason);
}

/// <summary>The webhooks of a pool.</summary>
internal sealed record WebhookList(IReadOnlyList<WebhookInfo> Webhooks);

/// <summary>An entry of a pool's feed.</summary>
internal sealed record FeedItem(
    long Sequence, string Type, string? IdentityId, string? Dataset, long? Revision, DateTimeOffset Time)
{
    public static FeedItem Of(FeedEntry entry) => entry.Type == FeedEntryType.Change
        ? new(entry.Sequence, "change", entry.IdentityId.ToString(), entry.Dataset, entry.Revision, entry.Time)
        : new(entry.Sequence, JsonNamingPolicy.CamelCase.ConvertName(entry.Type.ToString()), null, null, null, entry.Time);
}

/// <summary>A piece of a pool's feed.</summary>
internal sealed record FeedAnswer(IReadOnlyList<FeedItem> Changes, string Cursor, bool HasMore);
