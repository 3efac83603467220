using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>What came of one exchange with a peer.</summary>
/// <param name="IsComplete">Whether each side now has durably what the other had at the beginning, but for
/// <paramref name="Refusals"/>.</param>
/// <param name="ChangesReceived">Changes that came.</param>
/// <param name="ChangesSent">Changes that went.</param>
/// <param name="BytesReceived">Bytes of messages that came.</param>
/// <param name="BytesSent">Bytes of messages that went.</param>
/// <param name="Refusals">For each dataset that one side did not take or could not hand out, the reason.</param>
public sealed record SyncResult(
    bool IsComplete, long ChangesReceived, long ChangesSent, long BytesReceived, long BytesSent,
    IReadOnlyDictionary<string, SyncException> Refusals);
