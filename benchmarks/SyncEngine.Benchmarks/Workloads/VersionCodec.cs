using System.Buffers.Binary;
using SyncEngine.Causality;

namespace SyncEngine.Benchmarks.Workloads;

/// <summary>Version vectors as bytes, so that what a replica sends to ask for news is counted and timed.</summary>
internal static class VersionCodec
{
    private const int DotLength = 16;

    public static byte[] Encode(VersionVector version)
    {
        var bytes = new byte[version.Count * DotLength];
        Span<byte> rest = bytes;
        foreach (Dot dot in version.Span)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, dot.Replica.Bits);
            BinaryPrimitives.WriteInt64LittleEndian(rest[8..], dot.Counter);
            rest = rest[DotLength..];
        }

        return bytes;
    }

    public static VersionVector Decode(byte[] bytes)
    {
        var dots = new Dot[bytes.Length / DotLength];
        for (int i = 0; i < dots.Length; i++)
        {
            ReadOnlySpan<byte> dot = bytes.AsSpan(i * DotLength, DotLength);
            dots[i] = new Dot(new ReplicaId(BinaryPrimitives.ReadUInt64LittleEndian(dot)),
                BinaryPrimitives.ReadInt64LittleEndian(dot[8..]));
        }

        return new VersionVector(dots);
    }
}
