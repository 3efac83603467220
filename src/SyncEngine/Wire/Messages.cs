using SyncEngine.Causality;

namespace SyncEngine.Wire;

/// <summary>The first message of each side.</summary>
internal sealed record HelloMessage(
    int Protocol, string Identity, bool MayAdopt, bool IsInitiator, bool NeedsProof, byte[] Nonce, long UnixMilliseconds,
    IReadOnlyList<string>? Datasets);

/// <summary>What a side has of a dataset and is durable there; the digest where nothing else is there, and how far
/// a transfer to there has come.</summary>
internal sealed record HaveMessage(string Dataset, Lineage Version, ulong? Digest, TransferMark? Mark);

/// <summary>The whole vector that is durable now.</summary>
internal sealed record AcknowledgeMessage(string Dataset, VersionVector Advanced);

/// <summary>A hub does not take some writes; the cells are a frame with what it has in their place.</summary>
internal sealed record RejectMessage(
    string Dataset, SyncErrorCode Code, string Reason, IReadOnlyList<Dot> Dots, byte[] Cells);

/// <summary>A side does not take a dataset's changes.</summary>
internal sealed record RefuseMessage(string Dataset, SyncErrorCode Code, string Reason);
