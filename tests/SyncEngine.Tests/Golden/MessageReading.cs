using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using MessagePack;
using Xunit;

namespace SyncEngine.Tests.Golden;

/// <summary>Reads golden bytes as docs/FORMAT.md describes them, with nothing of the engine.</summary>
internal static class MessageReading
{
    public delegate T Reading<out T>(ref MessagePackReader reader);

    /// <summary>Checks the envelope byte by byte and reads the body to its end.</summary>
    public static T Read<T>(byte[] frame, byte type, Reading<T> read)
    {
        Assert.Equal<byte>([0x98, 1, type, 0, 0, 0, 0xC0, 0xC4], frame[..8]);
        int length = frame[8];
        Assert.Equal(9 + length + 10, frame.Length);
        Assert.Equal<byte>([0xC4, 8], frame[(9 + length)..(11 + length)]);
        ulong checksum = BinaryPrimitives.ReadUInt64BigEndian(frame.AsSpan(11 + length));
        Assert.Equal(XxHash3.HashToUInt64(frame.AsSpan(0, 9 + length)), checksum);
        var reader = new MessagePackReader(frame.AsMemory(9, length));
        T message = read(ref reader);
        Assert.True(reader.End);
        return message;
    }

    public static void ExpectArray(ref MessagePackReader reader, int length) =>
        Assert.Equal(length, reader.ReadArrayHeader());

    public static byte[] Binary(ref MessagePackReader reader) => reader.ReadBytes()!.Value.ToArray();

    public static ulong[] Unsigned(ref MessagePackReader reader)
    {
        var items = new ulong[reader.ReadArrayHeader()];
        for (int i = 0; i < items.Length; i++) items[i] = reader.ReadUInt64();
        return items;
    }

    public static long[] Signed(ref MessagePackReader reader)
    {
        var items = new long[reader.ReadArrayHeader()];
        for (int i = 0; i < items.Length; i++)
        {
            bool isUnsigned = reader.NextCode == MessagePackCode.UInt64;
            items[i] = isUnsigned ? unchecked((long)reader.ReadUInt64()) : reader.ReadInt64();
        }

        return items;
    }

    /// <summary>The lines of so many replicas, each as first counter, stamp, …</summary>
    public static ulong[][] Lines(ref MessagePackReader reader, int replicas)
    {
        ExpectArray(ref reader, replicas);
        var lines = new ulong[replicas][];
        for (int i = 0; i < replicas; i++) lines[i] = Unsigned(ref reader);
        return lines;
    }

    /// <summary>Copies one value in the shortest form that there is.</summary>
    public static void CopyShortest(ref MessagePackReader reader, ref MessagePackWriter writer)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Array:
                int count = reader.ReadArrayHeader();
                writer.WriteArrayHeader(count);
                for (int i = 0; i < count; i++) CopyShortest(ref reader, ref writer);
                break;
            case MessagePackType.Integer when reader.NextCode >= MessagePackCode.Int8:
                writer.Write(reader.ReadInt64());
                break;
            case MessagePackType.Integer:
                writer.Write(reader.ReadUInt64());
                break;
            case MessagePackType.String:
                writer.Write(reader.ReadString());
                break;
            case MessagePackType.Binary:
                writer.Write(Binary(ref reader));
                break;
            case MessagePackType.Boolean:
                writer.Write(reader.ReadBoolean());
                break;
            default:
                Assert.True(reader.TryReadNil(), "The format has no value of another type here.");
                writer.WriteNil();
                break;
        }
    }
}
