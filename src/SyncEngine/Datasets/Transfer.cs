using SyncEngine.Causality;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

/// <summary>What became of a part.</summary>
internal enum PartOutcome
{
    Taken,

    /// <summary>It is here already, or all that it brings.</summary>
    Known,

    /// <summary>It does not follow what is here.</summary>
    Gap,

    /// <summary>Another peer is bringing a transfer; ask again after it.</summary>
    Busy,
}

/// <summary>The parts of a large delta or snapshot that came so far; they change nothing until it is complete.</summary>
internal sealed class Transfer(bool isSnapshot)
{
    private readonly List<(ReadOnlyMemory<byte> Frame, VersionVector Low, Lineage High, PartHeader Header)> _parts = [];

    public bool IsSnapshot => isSnapshot;

    public int Count => _parts.Count;

    public long Bytes { get; private set; }

    public PartHeader Last => _parts[^1].Header;

    /// <summary>What the transfer builds on; empty for a snapshot.</summary>
    public VersionVector Low => isSnapshot ? VersionVector.Empty : _parts[^1].Low;

    public Lineage High => _parts[^1].High;

    /// <summary>Whether a part goes on where the last one ended.</summary>
    public bool IsFollowedBy(VersionVector low, Lineage high, PartHeader header) => IsOf(low, high) && !Last.IsLast
        && header.After == Last.Next && Last.Seen.IsAtMost(header.Seen);

    /// <summary>Whether a part is here already.</summary>
    public bool Holds(VersionVector low, Lineage high, PartHeader header) =>
        IsOf(low, high) && !PartHeader.IsBefore(Last.Next, header.Next);

    public void Add(ReadOnlyMemory<byte> frame, VersionVector low, Lineage high, PartHeader header)
    {
        _parts.Add((frame, low, high, header));
        Bytes += frame.Length;
    }

    public TransferMark? Mark()
    {
        if (Count == 0) return null;
        (_, VersionVector low, Lineage high, PartHeader header) = _parts[^1];
        return new TransferMark(isSnapshot, low, high, header.Seen, header.Next, header.IsLast, false);
    }

    /// <summary>The parts, in order.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Frames => _parts.Select(static part => part.Frame);

    private bool IsOf(VersionVector low, Lineage high) =>
        _parts.Count > 0 && low.Equals(_parts[^1].Low) && high.IsSameAs(_parts[^1].High);
}
