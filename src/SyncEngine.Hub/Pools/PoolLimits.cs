namespace SyncEngine.Hub.Pools;

/// <summary>What one identity of a pool may take up. Each limit is at least 1, or null for none.</summary>
public sealed record PoolLimits
{
    /// <summary>Most datasets of an identity that have records; of those that have, or had, some, four times as many. Default
    /// 20.</summary>
    public int? DatasetsMax { get; init; } = 20;

    /// <summary>Most records of a dataset. Of deletes four times as many are remembered, the latest ones. Default
    /// 1,024.</summary>
    public int? RecordsMax { get; init; } = 1024;

    /// <summary>Most bytes of a dataset's records, and of the keys and elements of remembered deletes. Default
    /// 1,048,576.</summary>
    public long? DatasetBytesMax { get; init; } = 1_048_576;

    /// <summary>Longest key, in UTF-8 bytes. Default 128; the format itself ends at 4,096.</summary>
    public int? KeyBytesMax { get; init; } = 128;

    /// <summary>Largest value, in bytes. Default 1,048,576; the format itself ends at 8,388,608.</summary>
    public int? ValueBytesMax { get; init; } = 1_048_576;

    /// <summary>Most replicas that ever wrote to a dataset of an identity. Default 1,000.</summary>
    public int? ReplicasMax { get; init; } = 1000;

    /// <summary>Most devices of an identity. Default 100.</summary>
    public int? DevicesMax { get; init; } = 100;
}
