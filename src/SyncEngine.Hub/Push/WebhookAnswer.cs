namespace SyncEngine.Hub.Push;

/// <summary>What came of one request to a webhook.</summary>
/// <param name="Status">The HTTP status; 0 if none came.</param>
/// <param name="Body">The answer; null if it was longer than it may be or none came.</param>
/// <param name="RetryAfter">How long it asks to wait.</param>
/// <param name="Error">What went wrong; null on success, which is any status from 200 to 299.</param>
internal sealed record WebhookAnswer(int Status, byte[]? Body, TimeSpan? RetryAfter, string? Error)
{
    public bool IsSuccess => Error is null;
}
