namespace SyncEngine.Sync;

/// <summary>How far one exchange has come.</summary>
/// <param name="Percent">How much of what the peer has is here, from 0 to 100, never falling; null until that is known.</param>
/// <param name="ChangesReceived">Changes that came.</param>
/// <param name="ChangesSent">Changes that went.</param>
/// <param name="BytesReceived">Bytes of messages that came.</param>
/// <param name="BytesSent">Bytes of messages that went.</param>
public readonly record struct SyncProgress(
    double? Percent, long ChangesReceived, long ChangesSent, long BytesReceived, long BytesSent);
