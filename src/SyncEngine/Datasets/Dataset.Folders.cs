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

    /// <summary>Merges a delta or snapshot that was read and checked already.</summary>
    internal JoinResult JoinDecoded(DecodedFrame decoded) => Join(decoded, null);
}
