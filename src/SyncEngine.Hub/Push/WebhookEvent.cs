namespace SyncEngine.Hub.Push;

/// <summary>What a webhook is called for.</summary>
internal enum WebhookEvent
{
    /// <summary>After changes became durable; delivered at least once, in order.</summary>
    Change = 1,

    /// <summary>Before changes are accepted; the answer decides.</summary>
    Proposal = 2,
}
