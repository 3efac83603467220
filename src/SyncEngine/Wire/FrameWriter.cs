using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using MessagePack;
using SyncEngine.Causality;
using SyncEngine.Cells;

namespace SyncEngine.Wire;

/// <summary>Writes deltas, snapshots and stored frames. docs/FORMAT.md fixes every byte.</summary>
internal static class FrameWriter
{
    public const int Version = 1;

    /// <summary>A delta for a peer that has <paramref name="baseCounters"/>, or a snapshot where that is
    /// empty.</summary>
    /// <remarks>What heals a divergence is a snapshot of another type. For a peer that is known to have what the base says,
    /// lines are cut to what it may not know.</remarks>
    public static byte[] WriteShared(
        string dataset, CellState state, ReadOnlySpan<long> baseCounters, List<int> cells, FrameType type, bool packs,
        bool cutsLines = false)
    {
        using var scratch = new ColumnWriter(state, state.Replicas.Count);
        for (int i = 0; i < state.Replicas.Count; i++)
            if (state.Replicas.Counter(i) > 0) scratch.IndexOf(i);
        foreach (int cell in cells) scratch.Add(cell);
        using var body = new PooledBuffer();
        var writer = new MessagePackWriter(body);
        writer.WriteArrayHeader(9);
        writer.Write(dataset);
        WriteReplicas(ref writer, scratch);
        WriteCounters(ref writer, scratch, state.Replicas.Counters);
        if (type != FrameType.Delta) writer.WriteNil();
        else WriteCounters(ref writer, scratch, baseCounters);
        WriteCollected(ref writer, scratch);
        WriteLines(ref writer, scratch, cutsLines ? baseCounters : default);
        scratch.Complete(ref writer, revisions: false);
        writer.WriteNil();
        writer.WriteNil();
        writer.Flush();
        return Seal(type, body, packs);
    }

    /// <summary>A part of a transfer: some cells that hold a dot above <paramref name="low"/> and none above
    /// <paramref name="high"/>.</summary>
    public static byte[] WritePart(
        string dataset, CellState state, ReadOnlySpan<long> low, ReadOnlySpan<long> high, List<int> cells, bool isSnapshot,
        PartHeader header)
    {
        using var scratch = new ColumnWriter(state, state.Replicas.Count);
        for (int i = 0; i < state.Replicas.Count; i++)
            if (high[i] > 0) scratch.IndexOf(i);
        foreach (int cell in cells) scratch.Add(cell);
        using var body = new PooledBuffer();
        var writer = new MessagePackWriter(body);
        writer.WriteArrayHeader(9);
        writer.Write(dataset);
        WriteReplicas(ref writer, scratch);
        WriteCounters(ref writer, scratch, high);
        if (isSnapshot) writer.WriteNil();
        else WriteCounters(ref writer, scratch, low);
        writer.WriteNil();
        writer.WriteArrayHeader(scratch.Replicas.Count);
        foreach (int replica in scratch.Replicas)
        {
            ReadOnlySpan<Opening> line = state.Replicas.LineOf(replica);
            WriteLine(ref writer, line[..Line.LengthAt(line, high[replica])]);
        }

        scratch.Complete(ref writer, revisions: false);
        writer.WriteNil();
        writer.WriteArrayHeader(6);
        MessageCodec.WriteCursor(ref writer, header.After);
        MessageCodec.WriteCursor(ref writer, header.Next);
        writer.Write(header.IsLast);
        MessageCodec.WriteVector(ref writer, header.Seen);
        writer.Flush();
        return Seal(FrameType.Part, body, packs: false);
    }

    /// <summary>
    /// A frame of the log: the given cells and the replicas that changed since the last one, whose counters it advances
    /// from <paramref name="from"/>.
    /// </summary>
    public static byte[] WriteStored(
        string dataset, CellState state, ReadOnlySpan<long> from, ReadOnlySpan<int> cells, StoredHeader header)
    {
        using var scratch = new ColumnWriter(state, state.Replicas.Count);
        foreach (int replica in state.Replicas.Changed) scratch.IndexOf(replica);
        int changed = scratch.Replicas.Count;
        foreach (int cell in cells) scratch.Add(cell);
        return WriteStored(dataset, scratch, header, state.Replicas.Counters, changed, from, changed);
    }

    /// <summary>
    /// A page of a snapshot: cells and, in the first page, the vector that was durable when it was begun, with its lines, from
    /// which the kept frames of the log count on.
    /// </summary>
    public static byte[] WritePage(
        string dataset, CellState state, bool isFirst, ReadOnlySpan<int> cells, StoredHeader header)
    {
        using var scratch = new ColumnWriter(state, state.Replicas.Count);
        for (int i = 0; i < state.Replicas.Durable.Length && isFirst; i++)
            if (state.Replicas.Durable[i] > 0) scratch.IndexOf(i);
        int known = scratch.Replicas.Count;
        foreach (int cell in cells) scratch.Add(cell);
        return WriteStored(dataset, scratch, header, state.Replicas.Durable, known, default, changed: 0);
    }

    /// <summary>Several frames of one identity as one; with a header as a file of a shared folder.</summary>
    public static byte[] WriteBundle(string identity, IReadOnlyList<byte[]> frames, BundleHeader? header = null)
    {
        using var body = new PooledBuffer();
        var writer = new MessagePackWriter(body);
        writer.WriteArrayHeader(header is null ? 2 : 3);
        writer.Write(identity);
        writer.WriteArrayHeader(frames.Count);
        foreach (byte[] frame in frames) writer.Write(frame);
        if (header is { } place)
        {
            writer.WriteArrayHeader(4);
            writer.Write(place.Tag);
            writer.Write(place.Chain);
            writer.Write(place.Sequence);
            writer.Write(place.Time);
        }

        writer.Flush();
        return Seal(FrameType.Bundle, body, packs: false);
    }

    /// <param name="dataset">The dataset's name.</param>
    /// <param name="scratch">The cells, and the replicas they name after those whose counters are told.</param>
    /// <param name="header">What no peer needs.</param>
    /// <param name="to">All counters, of which the first <paramref name="known"/> are told.</param>
    /// <param name="known">How many of the replicas have their counter told.</param>
    /// <param name="from">All counters before.</param>
    /// <param name="changed">How many of the replicas changed: frontiers are told only of such.</param>
    private static byte[] WriteStored(
        string dataset, ColumnWriter scratch, StoredHeader header, ReadOnlySpan<long> to, int known,
        ReadOnlySpan<long> from, int changed)
    {
        using var body = new PooledBuffer();
        var writer = new MessagePackWriter(body);
        writer.WriteArrayHeader(9);
        writer.Write(dataset);
        WriteReplicas(ref writer, scratch);
        WriteChanged(ref writer, scratch, known, to);
        WriteChanged(ref writer, scratch, changed, from);
        if (changed > 0) WriteCollected(ref writer, scratch);
        else writer.WriteNil();
        WriteStoredLines(ref writer, scratch, known, wholeLines: changed == 0);
        scratch.Complete(ref writer, revisions: true, header.Revision);
        WriteHeader(ref writer, header);
        writer.WriteNil();
        writer.Flush();
        return Seal(FrameType.Stored, body, packs: false);
    }

    internal static byte[] Seal(FrameType type, PooledBuffer body, bool packs)
    {
        using var frame = new PooledBuffer();
        byte[]? packed = packs ? Pack(body.Written) : null;
        var writer = new MessagePackWriter(frame);
        writer.WriteArrayHeader(8);
        writer.Write(Version);
        writer.Write((byte)type);
        writer.Write(0);
        writer.Write(0);
        writer.Write(packed is null ? 0 : body.Length);
        writer.WriteNil();
        ReadOnlySpan<byte> content = packed ?? body.Written;
        writer.WriteBinHeader(content.Length);
        writer.WriteRaw(content);
        writer.Flush();
        Span<byte> trailer = frame.GetSpan(FrameReader.ChecksumLength);
        trailer[0] = MessagePackCode.Bin8;
        trailer[1] = 8;
        BinaryPrimitives.WriteUInt64BigEndian(trailer[2..], XxHash3.HashToUInt64(frame.Written));
        frame.Advance(FrameReader.ChecksumLength);
        return frame.Written.ToArray();
    }

    private static byte[]? Pack(ReadOnlySpan<byte> body)
    {
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(body.Length)];
        bool done = BrotliEncoder.TryCompress(body, packed, out int written, quality: 1, window: 22);
        bool pays = done && written < body.Length && body.Length <= FrameReader.UnpackedMax(written);
        return pays ? packed[..written] : null;
    }

    private static void WriteReplicas(ref MessagePackWriter writer, ColumnWriter scratch)
    {
        writer.WriteArrayHeader(scratch.Replicas.Count);
        foreach (int replica in scratch.Replicas) writer.Write(scratch.State.Replicas.Id(replica).Bits);
    }

    private static void WriteCounters(ref MessagePackWriter writer, ColumnWriter scratch, ReadOnlySpan<long> counters)
    {
        writer.WriteArrayHeader(scratch.Replicas.Count);
        foreach (int replica in scratch.Replicas) writer.Write(counters[replica]);
    }

    private static void WriteChanged(
        ref MessagePackWriter writer, ColumnWriter scratch, int changed, ReadOnlySpan<long> counters)
    {
        writer.WriteArrayHeader(scratch.Replicas.Count);
        for (int i = 0; i < scratch.Replicas.Count; i++) writer.Write(i < changed ? counters[scratch.Replicas[i]] : 0);
    }

    private static void WriteCollected(ref MessagePackWriter writer, ColumnWriter scratch)
    {
        bool any = false;
        foreach (int replica in scratch.Replicas) any |= scratch.State.Replicas.Collected(replica) > 0;
        if (!any)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(scratch.Replicas.Count);
        foreach (int replica in scratch.Replicas) writer.Write(scratch.State.Replicas.Collected(replica));
    }

    private static void WriteLines(ref MessagePackWriter writer, ColumnWriter scratch, ReadOnlySpan<long> known)
    {
        writer.WriteArrayHeader(scratch.Replicas.Count);
        foreach (int replica in scratch.Replicas)
        {
            ReadOnlySpan<Opening> line = scratch.State.Replicas.LineOf(replica);
            WriteLine(ref writer, line, known.IsEmpty ? 0 : Math.Max(0, Line.LengthAt(line, known[replica]) - 1));
        }
    }

    /// <summary>Of a line that did not change the last opening, so that the loss of an earlier frame does not lose the
    /// line.</summary>
    private static void WriteStoredLines(
        ref MessagePackWriter writer, ColumnWriter scratch, int known, bool wholeLines)
    {
        writer.WriteArrayHeader(scratch.Replicas.Count);
        for (int i = 0; i < scratch.Replicas.Count; i++)
        {
            int replica = scratch.Replicas[i];
            ReadOnlySpan<Opening> line = scratch.State.Replicas.LineOf(replica);
            bool isWhole = line.IsEmpty || (i < known && (wholeLines || scratch.State.Replicas.LineChanged(replica)));
            WriteLine(ref writer, line, isWhole ? 0 : line.Length - 1);
        }
    }

    /// <summary>A line, or how many openings come before its last ones, and those.</summary>
    internal static void WriteLine(ref MessagePackWriter writer, ReadOnlySpan<Opening> line, int before = 0)
    {
        writer.WriteArrayHeader(((line.Length - before) * 2) + (before > 0 ? 1 : 0));
        if (before > 0) writer.Write(before);
        foreach (Opening opening in line[before..])
        {
            writer.Write(opening.FirstCounter);
            writer.Write(opening.Stamp);
        }
    }

    private static void WriteHeader(ref MessagePackWriter writer, StoredHeader header)
    {
        writer.WriteArrayHeader(header.Lowered.Count == 0 ? 6 : 7);
        writer.Write(header.Revision);
        writer.Write(header.Own.Bits);
        writer.Write(header.Claim);
        writer.Write(header.Clock);
        writer.Write(header.ForgottenRevision);
        writer.WriteArrayHeader(header.Epochs.Count * 2);
        foreach ((long first, ulong epoch) in header.Epochs)
        {
            writer.Write(first);
            writer.Write(epoch);
        }

        if (header.Lowered.Count == 0) return;
        writer.WriteArrayHeader(header.Lowered.Count);
        foreach (ReplicaId replica in header.Lowered) writer.Write(replica.Bits);
    }
}
