using System.Buffers.Binary;
using System.IO.Hashing;
using MessagePack;

namespace SyncEngine.Tests.Wire;

/// <summary>Takes frames apart and puts them together again with other parts and a right checksum.</summary>
internal static class FrameSurgeon
{
    public const int Replicas = 1, To = 2, Base = 3, Collected = 4, Lines = 5, Columns = 6, Header = 7, Part = 8;

    private const int ChecksumLength = 10;

    /// <summary>The frame's own type with other parts of its body.</summary>
    public static byte[] WithBody(byte[] frame, Action<byte[][]> change, byte? type = null)
    {
        byte[][] envelope = SplitEnvelope(frame);
        var reader = new MessagePackReader(envelope[6]);
        byte[][] body = Split(global::System.Buffers.BuffersExtensions.ToArray(reader.ReadBytes()!.Value));
        change(body);
        if (type is { } other) envelope[1] = [other];
        return Assemble(envelope, Join(body));
    }

    /// <summary>The frame with other columns.</summary>
    public static byte[] WithColumns(byte[] frame, Action<byte[][]> change) => WithBody(frame, body =>
    {
        byte[][] columns = Split(body[Columns]);
        change(columns);
        body[Columns] = Join(columns);
    });

    /// <summary>The frame with other fields of the envelope: version, type, epoch, cipher, unpacked length, signature.</summary>
    public static byte[] WithEnvelope(byte[] frame, Action<byte[][]> change)
    {
        byte[][] envelope = SplitEnvelope(frame);
        change(envelope);
        return Seal(JoinEnvelope(envelope));
    }

    /// <summary>The frame with its checksum made right again.</summary>
    public static byte[] Resealed(byte[] frame) => Seal(frame[..^ChecksumLength]);

    public static byte[] Encode(params long?[] items)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(items.Length);
        foreach (long? item in items)
            if (item is { } number) writer.Write(number);
            else writer.WriteNil();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[][] Split(ReadOnlyMemory<byte> array)
    {
        var reader = new MessagePackReader(array);
        var parts = new byte[reader.ReadArrayHeader()][];
        for (int i = 0; i < parts.Length; i++)
        {
            int from = (int)reader.Consumed;
            reader.Skip();
            parts[i] = array[from..(int)reader.Consumed].ToArray();
        }

        return parts;
    }

    private static byte[] Join(byte[][] parts) => [(byte)(0x90 | parts.Length), .. parts.SelectMany(static part => part)];

    private static byte[] Assemble(byte[][] envelope, byte[] body)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        writer.Write(body);
        writer.Flush();
        envelope[6] = buffer.WrittenSpan.ToArray();
        return Seal(JoinEnvelope(envelope));
    }

    /// <summary>The last of the eight fields is the checksum, which sealing makes anew.</summary>
    private static byte[][] SplitEnvelope(byte[] frame) => Split(frame)[..7];

    private static byte[] JoinEnvelope(byte[][] fields) => [0x98, .. fields.SelectMany(static field => field)];

    private static byte[] Seal(byte[] content)
    {
        var sealedFrame = new byte[content.Length + ChecksumLength];
        content.CopyTo(sealedFrame, 0);
        sealedFrame[content.Length] = MessagePackCode.Bin8;
        sealedFrame[content.Length + 1] = 8;
        BinaryPrimitives.WriteUInt64BigEndian(sealedFrame.AsSpan(content.Length + 2), XxHash3.HashToUInt64(content));
        return sealedFrame;
    }
}
