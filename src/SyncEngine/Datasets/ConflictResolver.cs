using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>
/// Chooses or makes the value to show where concurrent writes left several. It must be a pure function of its
/// arguments,
/// the same on every device: it is applied on each read, and never written by itself.
/// </summary>
/// <param name="key">The record's key.</param>
/// <param name="field">The field of a map; null for a register.</param>
/// <param name="writes">The surviving writes, earliest first, in order of time and then replica; at least two.</param>
public delegate Value ConflictResolver(string key, string? field, IReadOnlyList<CompetingWrite> writes);

/// <summary>The surviving writes of one cell, with the resolver to apply when somebody reads.</summary>
internal sealed class Competition(ConflictResolver resolver, string key, string? field, CompetingWrite[] writes)
{
    public Value Resolve(Value winner)
    {
        Value resolved = resolver(key, field, writes);
        return resolved.IsMissing ? winner : resolved;
    }
}
