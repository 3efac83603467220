namespace SyncEngine.Hub.Push;

/// <summary>How a webhook fares; kept durably, so that neither a crash nor a restart loses a change or forgets a pause.</summary>
/// <param name="Cursor">What of the pool's feed it has.</param>
/// <param name="Failures">Failed attempts since the last success.</param>
/// <param name="FailingSince">When the first of these was.</param>
/// <param name="NextAttempt">Not before then is it tried again.</param>
/// <param name="LastError">Why the last attempt failed.</param>
/// <param name="LastSuccess">When it last took a payload.</param>
/// <param name="DisabledReason">Why nothing is delivered any more; null while it is active.</param>
internal sealed record WebhookProgress(string Cursor, int Failures = 0, DateTimeOffset? FailingSince = null,
    DateTimeOffset? NextAttempt = null, string? LastError = null, DateTimeOffset? LastSuccess = null,
    string? DisabledReason = null);
