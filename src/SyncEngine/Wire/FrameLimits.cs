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

    /// <summary>Highest counter of the format for one replica: 2^48, a million writes a second for nine years, and what every
    /// language's numbers hold exactly.</summary>
    public const long CounterMax = 1L << 48;

    /// <summary>Most cells and most entries of one frame. Default 16,777,216, which take about 1 GB while merged.</summary>
    public int EntriesMax { get; set; } = 1 << 24;

    /// <summary>Largest frame taken, in bytes, packed or unpacked. Default 1 GiB.</summary>
    public int FrameBytesMax { get; set; } = 1024 * 1024 * 1024;

    /// <summary>Most replicas that a frame may name. Default 1,000,000.</summary>
    public int ReplicasMax { get; set; } = 1_000_000;

    /// <summary>
    /// How far ahead of this device's clock a received value of a register, map or list may have been written. A clock that
    /// shows a time before 2026 counts as 2026, so that a device without a clock takes real data. Default 36,525 days, which is
    /// 100 years.
    /// </summary>
    public TimeSpan ClockAheadMax { get; set; } = TimeSpan.FromDays(36_525);

    /// <summary>Most datasets of one identity that peers may bring, the own ones counted. Default 10,000.</summary>
    public int DatasetsMax { get; set; } = 10_000;

    /// <summary>Most bytes that parts of one large transfer may take until it is complete. Default 1 GiB.</summary>
    public long TransferBytesMax { get; set; } = 1024 * 1024 * 1024;
}
