namespace SyncEngine.Hub.Push;

/// <summary>What came of one push.</summary>
/// <param name="Outcome">What the service did.</param>
/// <param name="Reason">Why, in the service's words; without tokens.</param>
/// <param name="RetryAfter">How long the service asks to wait before another attempt.</param>
public readonly record struct PushResult(PushOutcome Outcome, string? Reason = null, TimeSpan? RetryAfter = null)
{
    /// <summary>The push was taken.</summary>
    public static PushResult Sent => new(PushOutcome.Sent);
}
