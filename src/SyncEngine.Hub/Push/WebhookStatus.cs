namespace SyncEngine.Hub.Push;

/// <summary>A webhook and how it fares.</summary>
internal sealed record WebhookStatus(WebhookDefinition Definition, WebhookProgress Progress);
