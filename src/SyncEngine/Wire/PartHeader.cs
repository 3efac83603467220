using SyncEngine.Causality;

namespace SyncEngine.Wire;

/// <summary>
/// Which part of a transfer a frame is: the cells whose least dot in the transfer, in order of replica id and counter, lies
/// after <paramref name="After"/> and not after <paramref name="Next"/>.
/// </summary>
/// <param name="After">Where the part before ended; the default value in the first.</param>
/// <param name="Next">Where this one ends.</param>
/// <param name="IsLast">Whether none follows: a delta on the part's vector completes the transfer.</param>
/// <param name="Seen">All that the sender had seen. Who goes on with the transfer must have seen it too, for cells that
/// changed since the transfer began are left to the completing delta.</param>
internal sealed record PartHeader(Dot After, Dot Next, bool IsLast, VersionVector Seen)
{
    /// <summary>The order of cursors: by replica id and counter.</summary>
    public static bool IsBefore(Dot left, Dot right) =>
        left.Replica < right.Replica || (left.Replica == right.Replica && left.Counter < right.Counter);
}

/// <summary>How far a transfer has come at its receiver: what a sender needs to go on with it.</summary>
/// <param name="IsSnapshot">Whether it replaces all that the receiver has and the sender had seen.</param>
/// <param name="Low">What it builds on; empty for a snapshot.</param>
/// <param name="High">The vector that its parts bring, with lines.</param>
/// <param name="Seen">As in the parts.</param>
/// <param name="Cursor">Where the last part ended.</param>
/// <param name="IsFinished">Whether only the completing delta is missing.</param>
/// <param name="IsStuck">Whether something came that does not follow.</param>
internal sealed record TransferMark(
    bool IsSnapshot, VersionVector Low, Lineage High, VersionVector Seen, Dot Cursor, bool IsFinished, bool IsStuck);
