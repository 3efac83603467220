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
        writer.WriteArrayHeader(4);
        writer.Write(have.Dataset);
        WriteVector(ref writer, have.Version.ToVector());
        writer.WriteArrayHeader(have.Version.Count);
        foreach (Dot dot in have.Version.ToVector().Span)
            FrameWriter.WriteLine(ref writer, have.Version.LineOf(have.Version.Find(dot.Replica)));
        if (have.Digest is { } digest) writer.Write(digest);
        else writer.WriteNil();
    });

    public static HaveMessage ReadHave(OpenedFrame frame, FrameLimits limits) => Read(frame,
        (ref MessagePackReader reader) =>
    {
        FrameReader.ExpectArray(ref reader, 4);
        string dataset = ReadDataset(ref reader);
        List<Dot> dots = ReadDots(ref reader, limits);
        var version = new Lineage();
        FrameReader.ExpectArray(ref reader, dots.Count);
        foreach (Dot dot in dots)
        {
            if (dot.Replica.IsNone || dot.Counter == 0
                || !version.Add(dot.Replica, dot.Counter, BodyParser.ReadLine(ref reader, dot.Counter)))
                throw FrameReader.Fault("A replica is named twice, has no id or no changes.", reader.Consumed);
        }

        BodyParser.CheckLines(version, reader.Consumed);
        ulong? digest = reader.TryReadNil() ? null : reader.ReadUInt64();
        return new HaveMessage(dataset, version, digest);
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
        catch (Exception e) when (FrameReader.IsReaderFault(e) || e is ArgumentException)
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

    private static long ReadCounter(ref MessagePackReader reader)
    {
        long counter = reader.ReadInt64();
        return counter is >= 0 and <= FrameLimits.CounterMax ? counter
            : throw FrameReader.Fault("A counter is negative or too high.", reader.Consumed);
    }

    private static void WriteVector(ref MessagePackWriter writer, VersionVector vector)
    {
        writer.WriteArrayHeader(vector.Count * 2);
        foreach (Dot dot in vector.Span)
        {
            writer.Write(dot.Replica.Bits);
            writer.Write(dot.Counter);
        }
    }

    private static VersionVector ReadVector(ref MessagePackReader reader, FrameLimits limits) =>
        new(ReadDots(ref reader, limits));

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
