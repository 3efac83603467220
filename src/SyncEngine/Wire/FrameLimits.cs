namespace SyncEngine.Wire;

/// <summary>
/// Bounds on what a received frame may ask for, checked before anything is allocated for it. Immutable once in use.
/// </summary>
public sealed class FrameLimits
{
    /// <summary>Longest key or field of the format, in UTF-8 bytes. Local writes obey it too.</summary>
    public const int TextBytesMax = 4096;

    /// <summary>Largest value of the format, in MessagePack bytes. Local writes obey it too.</summary>
    public const int ValueBytesMax = 8 * 1024 * 1024;

    /// <summary>Longest name of a dataset, in UTF-8 bytes.</summary>
    public const int DatasetNameBytesMax = 512;

    /// <summary>Highest counter of the format: what every language's numbers can hold exactly.</summary>
    public const long CounterMax = 1L << 53;

    /// <summary>Most cells and most entries of one frame. Default 16,777,216, which take about 1 GB while merged.</summary>
    public int EntriesMax { get; set; } = 1 << 24;

    /// <summary>Largest frame taken, in bytes, packed or unpacked. Default 1 GiB.</summary>
    public int FrameBytesMax { get; set; } = 1024 * 1024 * 1024;

    /// <summary>Most replicas that a frame may name. Default 1,000,000.</summary>
    public int ReplicasMax { get; set; } = 1_000_000;

    /// <summary>Most bytes that parts of one large transfer may take until it is complete. Default 1 GiB.</summary>
    public long TransferBytesMax { get; set; } = 1024 * 1024 * 1024;
}
