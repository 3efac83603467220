namespace SyncEngine.Hub.Push;

/// <summary>Bounds and pauses of webhooks.</summary>
public sealed class WebhookOptions
{
    /// <summary>Whether http is taken for addresses other than loopback; payloads are then readable on the way. Default
    /// false.</summary>
    public bool AllowsHttp { get; set; }

    /// <summary>How long an answer may take: 1 s to 5 minutes. Default 15 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Most changes of one payload: 1 to 1,000. Default 100, about 20 kB.</summary>
    public int ChangesPerPayloadMax { get; set; } = 100;

    /// <summary>Pauses between attempts. Default 5 s, doubling up to 4 hours.</summary>
    internal Backoff Pauses { get; set; } = new(TimeSpan.FromSeconds(5), TimeSpan.FromHours(4));

    /// <summary>How long attempts may fail before the webhook is disabled: up to 30 days. Default 3 days.</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromDays(3);

    /// <summary>How long an old secret signs too after a new one came: up to 30 days. Default 1 day.</summary>
    public TimeSpan SecretOverlap { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Most webhooks of one pool: 1 to 1,000. Default 32.</summary>
    public int HooksPerPoolMax { get; set; } = 32;
}
