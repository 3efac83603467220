using SyncEngine.Causality;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    /// <summary>What is here, durable already or not.</summary>
    internal VersionVector CurrentVersion
    {
        get
        {
            lock (_gate) return _state.Replicas.ToVector(_state.Replicas.Counters);
        }
    }

    /// <summary>All of the dataset as one frame, durable or not: for whoever makes it durable together with what it is merged
    /// into.</summary>
    internal byte[] EncodeAll() => EncodeDelta(VersionVector.Empty, packs: false, out _);

    /// <summary>The parts of a transfer to here that is under way.</summary>
    internal IReadOnlyList<ReadOnlyMemory<byte>> StagedParts
    {
        get
        {
            lock (_gate) return _transfer is null ? [] : _transfer.Frames.ToList();
        }
    }

    /// <summary>Merges what another dataset of this store holds, whatever it is called.</summary>
    internal JoinResult JoinContent(ReadOnlyMemory<byte> frame)
    {
        using DecodedFrame decoded = FrameReader.Read(frame, Context.FrameLimits);
        return Join(decoded, null);
    }

    /// <summary>Merges a delta or snapshot that was read and checked already.</summary>
    internal JoinResult JoinDecoded(DecodedFrame decoded) => Join(decoded, null);
}
