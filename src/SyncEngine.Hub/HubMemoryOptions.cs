namespace SyncEngine.Hub;

/// <summary>What bounds a hub's memory, beside what connected devices use.</summary>
public sealed class HubMemoryOptions
{
    /// <summary>Identities that nobody uses stay open up to this many, 0 to 1,000,000; what is beyond is put away within 5 s.
    /// Default 1,000.</summary>
    public int IdleIdentitiesMax { get; set; } = 1_000;

    /// <summary>An identity that nobody has used for so long is put away: 0 to 1 day. Default one minute.</summary>
    public TimeSpan IdleTime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Largest frame taken of a device, in bytes, packed or unpacked: 16 MiB to 1 GiB. Default 64 MiB.</summary>
    public int FrameBytesMax { get; set; } = 64 * 1024 * 1024;

    /// <summary>Most bytes that the parts of one large transfer may take until it is complete: from
    /// <see cref="FrameBytesMax"/> to 64 GiB. Default 256 MiB.</summary>
    public long TransferBytesMax { get; set; } = 256 * 1024 * 1024;
}
