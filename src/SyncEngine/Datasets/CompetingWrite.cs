using SyncEngine.Causality;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>One surviving write: what was written, by whom and when.</summary>
/// <param name="Value">The value; missing for a delete.</param>
/// <param name="Dot">Who wrote it, and as which of its changes.</param>
/// <param name="Time">The writer's clock.</param>
public readonly record struct CompetingWrite(Value Value, Dot Dot, HybridTimestamp Time)
{
    /// <summary>Whether it is a delete.</summary>
    public bool IsDeleted => Value.IsMissing;
}
