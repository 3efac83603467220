namespace SyncEngine.Causality;

/// <summary>Why an operation failed: the machine-readable half of a <see cref="SyncException"/>.</summary>
public enum SyncErrorCode
{
    /// <summary>Bytes that are not a valid frame, value or metadata page. Nothing of them was applied.</summary>
    Malformed = 1,

    /// <summary>A format version that this build does not read. Update the library.</summary>
    UnsupportedVersion = 2,

    /// <summary>A configured limit would be exceeded. Nothing was changed.</summary>
    LimitExceeded = 3,

    /// <summary>The storage could not make data durable. What is pending stays queued and visible.</summary>
    StorageFailed = 4,

    /// <summary>The disk is full. What is pending stays queued and visible; free space and flush again.</summary>
    StorageFull = 5,

    /// <summary>Another process, or another store of this process, has the file open.</summary>
    FileInUse = 6,

    /// <summary>The file is not a store, or a part of it is damaged.</summary>
    Damaged = 7,

    /// <summary>The frame or file belongs to an identity that this store may not take.</summary>
    Unauthorized = 9,

    /// <summary>The frame belongs to another dataset than the one it was given to.</summary>
    WrongDataset = 10,

    /// <summary>A peer could not be reached, or the connection broke. Nothing is lost; try again.</summary>
    ConnectionFailed = 11,

    /// <summary>A peer sent writes of an absurdly distant future. Nothing was applied; see
    /// <c>FrameLimits.ClockAheadMax</c>.</summary>
    ClockAhead = 12,
}
