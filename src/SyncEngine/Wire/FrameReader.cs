using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using MessagePack;
using SyncEngine.Causality;
using SyncEngine.Cells;

namespace SyncEngine.Wire;

/// <summary>
/// Reads frames, each byte of which may be hostile: bounds before allocation, and one boundary that turns whatever goes
/// wrong into a <see cref="SyncException"/> with the offset.
/// </summary>
internal static class FrameReader
{
    public const int ChecksumLength = 10;
    private const int EnvelopeFields = 8;

    /// <summary>Reads a delta, a snapshot or a stored frame.</summary>
    public static DecodedFrame Read(ReadOnlyMemory<byte> frame, FrameLimits limits) => Read(Open(frame, limits), limits);

    /// <summary>Reads the cells of a frame that was opened.</summary>
    public static DecodedFrame Read(OpenedFrame opened, FrameLimits limits)
    {
        (FrameType type, ReadOnlyMemory<byte> body, int bodyAt) = opened;
        if (type is FrameType.Bundle)
            throw Fault("This frame holds several datasets: apply it to the store, not to one dataset.", 0);
        if (type > FrameType.Heal) throw Fault("This frame is a message of a session and holds no dataset.", 0);
        var reader = new MessagePackReader(body);
        var columns = new CellColumns { Source = body, IsSnapshot = type is FrameType.Snapshot or FrameType.Heal };
        try
        {
            var parser = new BodyParser(columns, type, limits);
            DecodedFrame decoded = parser.Parse(ref reader);
            if (!reader.End) throw Fault("Bytes follow the end of the frame's body.", reader.Consumed);
            return decoded;
        }
        catch (Exception e)
        {
            columns.Dispose();
            if (e is SyncException known) throw Translate(known, bodyAt + known.Offset);
            if (!IsReaderFault(e)) throw;
            throw Translate(e, bodyAt + reader.Consumed);
        }
    }

    /// <summary>Reads a bundle: the identity and the frames of its datasets.</summary>
    public static (string Identity, List<ReadOnlyMemory<byte>> Frames) ReadBundle(
        ReadOnlyMemory<byte> frame, FrameLimits limits) => ReadBundle(frame, limits, out _);

    /// <summary>Reads a bundle, and its place in a shared folder if it is from there.</summary>
    public static (string Identity, List<ReadOnlyMemory<byte>> Frames) ReadBundle(
        ReadOnlyMemory<byte> frame, FrameLimits limits, out BundleHeader? header)
    {
        (FrameType type, ReadOnlyMemory<byte> body, int bodyAt) = Open(frame, limits);
        if (type != FrameType.Bundle) throw Fault("This frame holds one dataset: join it to that dataset.", 0);
        var reader = new MessagePackReader(body);
        try
        {
            int fields = reader.ReadArrayHeader();
            if (fields is not (2 or 3)) throw Fault("An array of 2 or 3 was expected.", reader.Consumed);
            string identity = ReadText(ref reader, 128);
            int count = ReadCount(ref reader, body.Length);
            var frames = new List<ReadOnlyMemory<byte>>();
            for (int i = 0; i < count; i++)
            {
                int length = checked((int)(reader.ReadBytes()
                    ?? throw Fault("A frame of the bundle is missing.", reader.Consumed)).Length);
                frames.Add(body.Slice((int)reader.Consumed - length, length));
            }

            header = fields == 3 ? ReadPlace(ref reader) : null;
            if (!reader.End) throw Fault("Bytes follow the end of the bundle.", reader.Consumed);
            return (identity, frames);
        }
        catch (Exception e) when (IsReaderFault(e))
        {
            throw Translate(e, bodyAt + reader.Consumed);
        }
    }

    private static BundleHeader ReadPlace(ref MessagePackReader reader)
    {
        ExpectArray(ref reader, 4);
        var header = new BundleHeader(
            reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadInt64(), reader.ReadInt64());
        if (header.Sequence is < 1 or > FrameLimits.CounterMax || header.Time is < 0 or > FrameLimits.CounterMax)
            throw Fault("A place in a chain, or its time, is out of range.", reader.Consumed);
        return header;
    }

    internal static SyncException Fault(string message, long offset) =>
        new(SyncErrorCode.Malformed, message + " Nothing of the frame was applied; ask the sender for it again.", offset);

    internal static void ExpectArray(ref MessagePackReader reader, int length)
    {
        if (reader.ReadArrayHeader() != length) throw Fault($"An array of {length} was expected.", reader.Consumed);
    }

    /// <summary>An array header whose count cannot exceed what remains.</summary>
    internal static int ReadCount(ref MessagePackReader reader, long countMax)
    {
        int count = reader.ReadArrayHeader();
        if (count > countMax || count > reader.Sequence.Length - reader.Consumed)
            throw Fault($"{count} items are more than the frame can hold.", reader.Consumed);
        return count;
    }

    internal static string ReadText(ref MessagePackReader reader, int bytesMax)
    {
        ReadOnlySequence<byte> text = reader.ReadStringSequence() ?? throw Fault("A text is missing.", reader.Consumed);
        if (text.Length > bytesMax) throw Fault($"A text is longer than {bytesMax} bytes.", reader.Consumed);
        byte[] bytes = text.ToArray();
        if (!global::System.Text.Unicode.Utf8.IsValid(bytes)) throw Fault("A text is not UTF-8.", reader.Consumed);
        return global::System.Text.Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Checks the envelope and unpacks the body.</summary>
    public static OpenedFrame Open(ReadOnlyMemory<byte> frame, FrameLimits limits, bool mayBePacked = true)
    {
        if (frame.Length > limits.FrameBytesMax)
            throw new SyncException(SyncErrorCode.LimitExceeded, $"A frame of {frame.Length:N0} bytes is larger than "
                + $"the {limits.FrameBytesMax:N0} allowed. Raise FrameLimits.FrameBytesMax to take it.", 0);
        var reader = new MessagePackReader(frame);
        try
        {
            int fields = reader.ReadArrayHeader();
            int version = reader.ReadInt32();
            if (version != FrameWriter.Version)
                throw new SyncException(SyncErrorCode.UnsupportedVersion, $"The frame has format version {version}; "
                    + $"this build reads {FrameWriter.Version}. Update the older side.", 1);
            if (fields != EnvelopeFields) throw Fault("The envelope has the wrong number of fields.", 0);
            var type = (FrameType)reader.ReadByte();
            if (type is < FrameType.Delta or > FrameType.Reject)
                throw Fault($"Frame type {(byte)type} is unknown.", reader.Consumed);
            if (reader.ReadInt32() != 0 || reader.ReadInt32() != 0)
                throw new SyncException(SyncErrorCode.UnsupportedVersion,
                    "The frame is encrypted, which this build does not read. Update it.", reader.Consumed);
            int unpackedLength = reader.ReadInt32();
            if (unpackedLength != 0 && !mayBePacked)
                throw Fault("A message of a session is never packed.", reader.Consumed);
            if (!reader.TryReadNil())
                throw new SyncException(SyncErrorCode.UnsupportedVersion,
                    "The frame is signed, which this build does not check. Update it.", reader.Consumed);
            int length = checked((int)(reader.ReadBytes()
                ?? throw Fault("The frame has no body.", reader.Consumed)).Length);
            int bodyAt = (int)reader.Consumed - length;
            CheckSum(frame.Span, (int)reader.Consumed);
            ReadOnlyMemory<byte> body = frame.Slice(bodyAt, length);
            return unpackedLength == 0 ? new OpenedFrame(type, body, bodyAt)
                : new OpenedFrame(type, Unpack(body, unpackedLength, limits), 0);
        }
        catch (Exception e) when (IsReaderFault(e))
        {
            throw Translate(e, reader.Consumed);
        }
    }

    private static void CheckSum(ReadOnlySpan<byte> frame, int at)
    {
        if (frame.Length != at + ChecksumLength || frame[at] != MessagePackCode.Bin8 || frame[at + 1] != 8)
            throw Fault("The frame does not end with its checksum.", at);
        if (BinaryPrimitives.ReadUInt64BigEndian(frame[(at + 2)..]) != XxHash3.HashToUInt64(frame[..at]))
            throw Fault("The checksum does not match.", at);
    }

    private static ReadOnlyMemory<byte> Unpack(ReadOnlyMemory<byte> packed, int length, FrameLimits limits)
    {
        if (length < 0 || length > limits.FrameBytesMax || length > UnpackedMax(packed.Length))
            throw Fault($"An unpacked length of {length} bytes is not allowed.", 0);

        // Grown as it fills, so that a frame cannot ask for more memory than it really unpacks to.
        var body = new byte[Math.Min(length, Math.Max(4096, packed.Length * 4))];
        var decoder = new BrotliDecoder();
        ReadOnlySpan<byte> source = packed.Span;
        int written = 0;
        try
        {
            while (true)
            {
                OperationStatus status =
                    decoder.Decompress(source, body.AsSpan(written), out int consumed, out int produced);
                source = source[consumed..];
                written += produced;
                if (status == OperationStatus.Done) break;
                if (status != OperationStatus.DestinationTooSmall || body.Length == length)
                    throw Fault("The packed body is damaged.", written);
                Array.Resize(ref body, (int)Math.Min(length, body.Length * 2L));
            }
        }
        finally
        {
            decoder.Dispose();
        }

        if (written != length || !source.IsEmpty) throw Fault("The packed body has the wrong length.", written);
        return body;
    }

    /// <summary>What a packed body may unpack to, so that a few bytes cannot ask for a gigabyte.</summary>
    public static long UnpackedMax(int packedLength) => Math.Max(1 << 20, 64L * packedLength);

    internal static bool IsReaderFault(Exception e) => e is EndOfStreamException or MessagePackSerializationException
        or OverflowException or ArgumentOutOfRangeException;

    internal static SyncException Translate(Exception e, long offset) => e is SyncException known
        ? new SyncException(known.Code, known.Message, offset, known)
        : new SyncException(SyncErrorCode.Malformed, "The frame is cut off or damaged. Nothing of it was applied; ask "
            + "the sender for it again.", offset, e);
}
