namespace SyncEngine.Causality;

/// <summary>
/// An operating failure: bad bytes, a full disk, a file in use. A caller's own mistake is an
/// <see cref="ArgumentException"/> or an <see cref="InvalidOperationException"/> instead. The message says what to do
/// next.
/// </summary>
public sealed class SyncException : Exception
{
    /// <summary>Makes an exception with a code and a message that says what to do next.</summary>
    /// <param name="code">Why it failed.</param>
    /// <param name="message">What happened and what to do next.</param>
    /// <param name="offset">Where in the input it failed, in bytes; −1 where that has no meaning.</param>
    /// <param name="innerException">The cause, if another exception is.</param>
    public SyncException(SyncErrorCode code, string message, long offset = -1, Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        Offset = offset;
    }

    /// <summary>Why it failed.</summary>
    public SyncErrorCode Code { get; }

    /// <summary>Where in the input it failed, in bytes from its start; −1 where that has no meaning.</summary>
    public long Offset { get; }
}
