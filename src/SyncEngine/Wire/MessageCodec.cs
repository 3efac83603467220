using MessagePack;
using SyncEngine.Causality;

namespace SyncEngine.Wire;

/// <summary>Writes and reads the messages of a session that are no frames of cells. docs/FORMAT.md fixes every
/// byte.</summary>
internal static class MessageCodec
{
    private const int ReasonBytesMax = 4096;
    private const int InterestsMax = 4096;

    private delegate void WriteBody(ref MessagePackWriter writer);

    private delegate T ReadBody<T>(ref MessagePackReader reader);

    public static byte[] Write(HelloMessage hello) => Seal(FrameType.Hello, (ref MessagePackWriter writer) =>
    {
        writer.WriteArrayHeader(8);
        writer.Write(hello.Protocol);
        writer.Write(hello.Identity);
        writer.Write(hello.MayAdopt);
        writer.Write(hello.IsInitiator);
        writer.Write(hello.NeedsProof);
        writer.Write(hello.Nonce);
        writer.Write(hello.UnixMilliseconds);
        if (hello.Datasets is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(hello.Datasets.Count);
        foreach (string dataset in hello.Datasets) writer.Write(dataset);
    });

    public static HelloMessage ReadHello(OpenedFrame frame) => Read(frame, static (ref MessagePackReader reader) =>
    {
        FrameReader.ExpectArray(ref reader, 8);
        int protocol = reader.ReadInt32();
        string identity = FrameReader.ReadText(ref reader, 128);
        bool mayAdopt = reader.ReadBoolean(), isInitiator = reader.ReadBoolean(), needsProof = reader.ReadBoolean();
        byte[] nonce = ReadBinary(ref reader, 16);
        long time = reader.ReadInt64();
        if (time is < -FrameLimits.CounterMax or > FrameLimits.CounterMax)
            throw FrameReader.Fault("The peer's clock is out of range.", reader.Consumed);
        List<string>? datasets = null;
        if (!reader.TryReadNil())
        {
            int count = FrameReader.ReadCount(ref reader, InterestsMax);
            datasets = new List<string>(count);
            for (int i = 0; i < count; i++) datasets.Add(FrameReader.ReadText(ref reader, FrameLimits.DatasetNameBytesMax));
        }

        return new HelloMessage(protocol, identity, mayAdopt, isInitiator, needsProof, nonce, time, datasets);
    });

    public static byte[] WriteProof(byte[] proof) =>
        Seal(FrameType.Proof, (ref MessagePackWriter writer) => writer.Write(proof));

    public static byte[] ReadProof(OpenedFrame frame) =>
        Read(frame, static (ref MessagePackReader reader) => ReadBinary(ref reader, 32));

    public static byte[] WriteTold() => Seal(FrameType.Told, static (ref MessagePackWriter writer) => writer.WriteNil());

    public static byte[] Write(HaveMessage have) => Seal(FrameType.Have, (ref MessagePackWriter writer) =>
    {
        writer.WriteArrayHeader(6);
        writer.Write(have.Dataset);
        WriteLineage(ref writer, have.Version);
        if (have.Digest is { } digest) writer.Write(digest);
        else writer.WriteNil();
        if (have.Mark is { } mark) WriteMark(ref writer, mark);
        else writer.WriteNil();
        WriteBeyond(ref writer, have.Version);
    });

    public static HaveMessage ReadHave(OpenedFrame frame, FrameLimits limits) => Read(frame,
        (ref MessagePackReader reader) =>
    {
        FrameReader.ExpectArray(ref reader, 6);
        string dataset = ReadDataset(ref reader);
        Lineage version = ReadLineage(ref reader, limits);
        ulong? digest = reader.TryReadNil() ? null : reader.ReadUInt64();
        TransferMark? mark = reader.TryReadNil() ? null : ReadMark(ref reader, limits);
        ReadBeyond(ref reader, version, limits);
        return new HaveMessage(dataset, version, digest, mark);
    });

    public static byte[] Write(AcknowledgeMessage message) =>
        WriteVersion(FrameType.Acknowledge, message.Dataset, message.Advanced);

    public static AcknowledgeMessage ReadAcknowledge(OpenedFrame frame, FrameLimits limits) => Read(frame,
        (ref MessagePackReader reader) =>
    {
        FrameReader.ExpectArray(ref reader, 2);
        return new AcknowledgeMessage(ReadDataset(ref reader), ReadVector(ref reader, limits));
    });

    public static byte[] Write(RefuseMessage message) => Seal(FrameType.Refuse, (ref MessagePackWriter writer) =>
    {
        writer.WriteArrayHeader(3);
        writer.Write(message.Dataset);
        writer.Write((int)message.Code);
        writer.Write(Shorten(message.Reason));
    });

    public static RefuseMessage ReadRefuse(OpenedFrame frame) => Read(frame, static (ref MessagePackReader reader) =>
    {
        FrameReader.ExpectArray(ref reader, 3);
        return new RefuseMessage(ReadDataset(ref reader), (SyncErrorCode)reader.ReadInt32(),
            FrameReader.ReadText(ref reader, ReasonBytesMax));
    });

    public static byte[] Write(RejectMessage message) => Seal(FrameType.Reject, (ref MessagePackWriter writer) =>
    {
        writer.WriteArrayHeader(5);
        writer.Write(message.Dataset);
        writer.Write((int)message.Code);
        writer.Write(Shorten(message.Reason));
        writer.WriteArrayHeader(2 * message.Dots.Count);
        foreach (Dot dot in message.Dots) WriteCursor(ref writer, dot);
        writer.Write(message.Cells);
    });

    public static RejectMessage ReadReject(OpenedFrame frame, FrameLimits limits) => Read(frame,
        (ref MessagePackReader reader) =>
    {
        FrameReader.ExpectArray(ref reader, 5);
        string dataset = ReadDataset(ref reader);
        var code = (SyncErrorCode)reader.ReadInt32();
        string reason = FrameReader.ReadText(ref reader, ReasonBytesMax);
        int items = FrameReader.ReadCount(ref reader, 2L * limits.EntriesMax);
        if (items % 2 != 0) throw FrameReader.Fault("A refused write has no counter.", reader.Consumed);
        var dots = new List<Dot>(items / 2);
        for (int i = 0; i < items; i += 2) dots.Add(ReadCursor(ref reader));
        System.Buffers.ReadOnlySequence<byte>? cells = reader.ReadBytes();
        if (cells is null) throw FrameReader.Fault("What the hub has is missing.", reader.Consumed);
        return new RejectMessage(dataset, code, reason, dots, System.Buffers.BuffersExtensions.ToArray(cells.Value));
    });

    /// <summary>A farewell; without a code nothing was wrong.</summary>
    public static byte[] WriteFarewell(SyncErrorCode code, string reason) =>
        Seal(FrameType.Farewell, (ref MessagePackWriter writer) =>
    {
        writer.WriteArrayHeader(2);
        writer.Write((int)code);
        writer.Write(Shorten(reason));
    });

    public static (SyncErrorCode Code, string Reason) ReadFarewell(OpenedFrame frame) =>
        Read(frame, static (ref MessagePackReader reader) =>
    {
        FrameReader.ExpectArray(ref reader, 2);
        return ((SyncErrorCode)reader.ReadInt32(), FrameReader.ReadText(ref reader, ReasonBytesMax));
    });

    private static string Shorten(string reason) => reason.Length <= 1000 ? reason : reason[..1000];

    private static byte[] Seal(FrameType type, WriteBody write)
    {
        using var body = new PooledBuffer();
        var writer = new MessagePackWriter(body);
        write(ref writer);
        writer.Flush();
        return FrameWriter.Seal(type, body, packs: false);
    }

    private static T Read<T>(OpenedFrame frame, ReadBody<T> read)
    {
        var reader = new MessagePackReader(frame.Body);
        try
        {
            T message = read(ref reader);
            if (!reader.End) throw FrameReader.Fault("Bytes follow the end of the message.", reader.Consumed);
            return message;
        }
        catch (Exception e) when (FrameReader.IsReaderFault(e))
        {
            throw FrameReader.Translate(e, frame.BodyAt + reader.Consumed);
        }
    }

    private static string ReadDataset(ref MessagePackReader reader)
    {
        string dataset = FrameReader.ReadText(ref reader, FrameLimits.DatasetNameBytesMax);
        return dataset.Length > 0 ? dataset : throw FrameReader.Fault("The dataset has no name.", reader.Consumed);
    }

    private static byte[] ReadBinary(ref MessagePackReader reader, int length)
    {
        System.Buffers.ReadOnlySequence<byte>? bytes = reader.ReadBytes();
        if (bytes is null || bytes.Value.Length != length)
            throw FrameReader.Fault($"{length} bytes were expected.", reader.Consumed);
        return System.Buffers.BuffersExtensions.ToArray(bytes.Value);
    }

    private static byte[] WriteVersion(FrameType type, string dataset, VersionVector vector) =>
        Seal(type, (ref MessagePackWriter writer) =>
    {
        writer.WriteArrayHeader(2);
        writer.Write(dataset);
        WriteVector(ref writer, vector);
    });

    private static void WriteMark(ref MessagePackWriter writer, TransferMark mark)
    {
        writer.WriteArrayHeader(9);
        writer.Write(mark.IsSnapshot);
        WriteVector(ref writer, mark.Low);
        WriteLineage(ref writer, mark.High);
        WriteVector(ref writer, mark.Seen);
        WriteCursor(ref writer, mark.Cursor);
        writer.Write(mark.IsFinished);
        writer.Write(mark.IsStuck);
    }

    private static TransferMark ReadMark(ref MessagePackReader reader, FrameLimits limits)
    {
        FrameReader.ExpectArray(ref reader, 9);
        return new TransferMark(reader.ReadBoolean(), ReadVector(ref reader, limits), ReadLineage(ref reader, limits),
            ReadVector(ref reader, limits), ReadCursor(ref reader), reader.ReadBoolean(), reader.ReadBoolean());
    }

    /// <summary>Writes a replica id and a counter.</summary>
    internal static void WriteCursor(ref MessagePackWriter writer, Dot cursor)
    {
        writer.Write(cursor.Replica.Bits);
        writer.Write(cursor.Counter);
    }

    internal static Dot ReadCursor(ref MessagePackReader reader) =>
        new(new ReplicaId(reader.ReadUInt64()), ReadCounter(ref reader));

    /// <summary>Writes a vector, and then the line of each of its replicas.</summary>
    private static void WriteLineage(ref MessagePackWriter writer, Lineage lineage)
    {
        VersionVector vector = lineage.ToVector();
        WriteVector(ref writer, vector);
        writer.WriteArrayHeader(vector.Count);
        foreach (Dot dot in vector.Span)
        {
            ReadOnlySpan<Opening> line = lineage.LineOf(lineage.Find(dot.Replica));
            FrameWriter.WriteLine(ref writer, line[..Line.LengthAt(line, dot.Counter)]);
        }
    }

    /// <summary>Writes, for each replica of which more is here than is whole, how far that goes and under which line.</summary>
    private static void WriteBeyond(ref MessagePackWriter writer, Lineage lineage)
    {
        List<int> beyond = Enumerable.Range(0, lineage.Count).Where(i => lineage.Ceiling(i) > lineage.Counter(i)).ToList();
        if (beyond.Count == 0)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(beyond.Count * 3);
        foreach (int replica in beyond)
        {
            writer.Write(lineage.Id(replica).Bits);
            writer.Write(lineage.Ceiling(replica));
            FrameWriter.WriteLine(ref writer, lineage.LineOf(replica));
        }
    }

    private static void ReadBeyond(ref MessagePackReader reader, Lineage lineage, FrameLimits limits)
    {
        if (reader.TryReadNil()) return;
        int count = FrameReader.ReadCount(ref reader, (int)Math.Min(int.MaxValue, 3L * limits.ReplicasMax));
        if (count == 0 || count % 3 != 0) throw FrameReader.Fault("What lies beyond a gap is not told whole.", reader.Consumed);
        for (int i = 0; i < count; i += 3)
        {
            var replica = new ReplicaId(reader.ReadUInt64());
            long ceiling = ReadCounter(ref reader);
            if (replica.IsNone || !lineage.TrySetBeyond(replica, ceiling, BodyParser.ReadWholeLine(ref reader, ceiling)))
                throw FrameReader.Fault("What lies beyond a gap lies below it.", reader.Consumed);
        }

        BodyParser.CheckLines(lineage, reader.Consumed);
    }

    private static Lineage ReadLineage(ref MessagePackReader reader, FrameLimits limits)
    {
        List<Dot> dots = ReadDots(ref reader, limits);
        var lineage = new Lineage();
        FrameReader.ExpectArray(ref reader, dots.Count);
        foreach (Dot dot in dots)
        {
            if (dot.Replica.IsNone || dot.Counter == 0
                || !lineage.Add(dot.Replica, dot.Counter, BodyParser.ReadWholeLine(ref reader, dot.Counter)))
                throw FrameReader.Fault("A replica is named twice, has no id or no changes.", reader.Consumed);
        }

        BodyParser.CheckLines(lineage, reader.Consumed);
        return lineage;
    }

    private static long ReadCounter(ref MessagePackReader reader)
    {
        long counter = reader.ReadInt64();
        return counter is >= 0 and <= FrameLimits.CounterMax ? counter
            : throw FrameReader.Fault("A counter is negative or above 2^48.", reader.Consumed);
    }

    internal static void WriteVector(ref MessagePackWriter writer, VersionVector vector)
    {
        writer.WriteArrayHeader(vector.Count * 2);
        foreach (Dot dot in vector.Span)
        {
            writer.Write(dot.Replica.Bits);
            writer.Write(dot.Counter);
        }
    }

    internal static VersionVector ReadVector(ref MessagePackReader reader, FrameLimits limits)
    {
        try
        {
            return new VersionVector(ReadDots(ref reader, limits));
        }
        catch (ArgumentException)
        {
            throw FrameReader.Fault("A vector names a replica twice, or with no changes.", reader.Consumed);
        }
    }

    private static List<Dot> ReadDots(ref MessagePackReader reader, FrameLimits limits)
    {
        int items = FrameReader.ReadCount(ref reader, 2L * limits.ReplicasMax);
        if (items % 2 != 0) throw FrameReader.Fault("A vector has a replica without a counter.", reader.Consumed);
        int count = items / 2;
        var dots = new List<Dot>(count);
        for (int i = 0; i < count; i++) dots.Add(new Dot(new ReplicaId(reader.ReadUInt64()), ReadCounter(ref reader)));
        return dots;
    }
}
