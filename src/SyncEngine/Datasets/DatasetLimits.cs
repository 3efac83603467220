namespace SyncEngine.Datasets;

/// <summary>
/// Limits that a local write must keep. They are checked before anything changes; a merge of what other devices wrote
/// never drops data for a limit. The default is none but the format's own.
/// </summary>
public sealed record DatasetLimits
{
    /// <summary>No limits but the format's: keys of 4,096 bytes, values of 8 MiB.</summary>
    public static DatasetLimits Unlimited { get; } = new();

    /// <summary>
    /// What Amazon Cognito Sync allowed: 20 datasets an identity, 1,024 records and 1 MB a dataset, keys of 128 bytes
    /// and
    /// values of 1 MB.
    /// </summary>
    public static DatasetLimits CognitoLimits { get; } = new()
    {
        DatasetsMax = 20,
        RecordsMax = 1024,
        DatasetBytesMax = 1024 * 1024,
        KeyBytesMax = 128,
        ValueBytesMax = 1024 * 1024,
    };

    /// <summary>Most datasets of one identity.</summary>
    public int DatasetsMax { get; init; } = int.MaxValue;

    /// <summary>Most records with something to read in one dataset.</summary>
    public int RecordsMax { get; init; } = int.MaxValue;

    /// <summary>Most bytes of keys, fields and values with something to read in one dataset.</summary>
    public long DatasetBytesMax { get; init; } = long.MaxValue;

    /// <summary>Longest key, in bytes of UTF-8.</summary>
    public int KeyBytesMax { get; init; } = Wire.FrameLimits.TextBytesMax;

    /// <summary>Largest value, in bytes of MessagePack.</summary>
    public int ValueBytesMax { get; init; } = Wire.FrameLimits.ValueBytesMax;
}
