namespace SyncEngine.Hub.Push;

/// <summary>A webhook of a pool as an operator defined it. Its secrets are among it: show them never, or once.</summary>
/// <param name="Id">16 hexadecimal digits.</param>
/// <param name="Url">Where payloads go.</param>
/// <param name="Event">What it is called for.</param>
/// <param name="Datasets">Pattern of the datasets it hears of.</param>
/// <param name="Secrets">The current secret, then older ones that still sign.</param>
/// <param name="Created">When it was defined.</param>
internal sealed record WebhookDefinition(string Id, Uri Url, WebhookEvent Event, string Datasets,
    IReadOnlyList<WebhookSecret> Secrets, DateTimeOffset Created);
