namespace SyncEngine.Hub.Push;

/// <summary>A secret that signs a webhook's payloads. Stored as it is, because signing needs it.</summary>
/// <param name="Text">"whsec_" and 24 to 64 bytes in base64.</param>
/// <param name="Until">When it stops signing; null for the current one.</param>
internal sealed record WebhookSecret(string Text, DateTimeOffset? Until);
