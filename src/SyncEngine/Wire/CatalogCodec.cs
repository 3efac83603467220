using MessagePack;
using SyncEngine.Causality;

namespace SyncEngine.Wire;

/// <summary>Metadata page 0: what the file is.</summary>
internal sealed record StorePage(Guid FileId, ulong Claim, int CurrentIdentity, int NextDataset, int NextIdentity);

/// <summary>A metadata page from 1: one identity and the datasets it has.</summary>
internal sealed record IdentityPage(
    ulong High, ulong Low, bool IsPaired, byte[] DeviceKey, IReadOnlyList<KeyValuePair<string, int>> Datasets,
    long LastSync = 0);

/// <summary>Reads and writes metadata pages.</summary>
internal static class CatalogCodec
{
    private const int Version = 1;

    public static byte[] Write(StorePage page)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(6);
        writer.Write(Version);
        writer.Write(page.FileId.ToByteArray());
        writer.Write(page.Claim);
        writer.Write(page.CurrentIdentity);
        writer.Write(page.NextDataset);
        writer.Write(page.NextIdentity);
        writer.Flush();
        return buffer.Written.ToArray();
    }

    public static byte[] Write(IdentityPage page)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(page.LastSync == 0 ? 6 : 7);
        writer.Write(Version);
        writer.Write(page.High);
        writer.Write(page.Low);
        writer.Write(page.IsPaired);
        writer.Write(page.DeviceKey);
        writer.WriteArrayHeader(page.Datasets.Count * 2);
        foreach (KeyValuePair<string, int> dataset in page.Datasets)
        {
            writer.Write(dataset.Key);
            writer.Write(dataset.Value);
        }

        if (page.LastSync != 0) writer.Write(page.LastSync);

        writer.Flush();
        return buffer.Written.ToArray();
    }

    public static StorePage ReadStore(ReadOnlyMemory<byte> bytes, string name)
    {
        var reader = new MessagePackReader(bytes);
        try
        {
            Open(ref reader, name, 6);
            var fileId = new Guid(ReadBytes(ref reader));
            return new StorePage(
                fileId, reader.ReadUInt64(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Damaged(name, e);
        }
    }

    public static IdentityPage ReadIdentity(ReadOnlyMemory<byte> bytes, string name)
    {
        var reader = new MessagePackReader(bytes);
        try
        {
            int fields = Open(ref reader, name, 7);
            (ulong high, ulong low, bool isPaired) = (reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadBoolean());
            byte[] key = ReadBytes(ref reader);
            int count = reader.ReadArrayHeader();
            var datasets = new List<KeyValuePair<string, int>>();
            for (int i = 0; i < count; i += 2)
                datasets.Add(KeyValuePair.Create(reader.ReadString() ?? "", reader.ReadInt32()));
            return new IdentityPage(high, low, isPaired, key, datasets, fields == 7 ? reader.ReadInt64() : 0);
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Damaged(name, e);
        }
    }

    private static int Open(ref MessagePackReader reader, string name, int fieldsMax)
    {
        int fields = reader.ReadArrayHeader(), version = reader.ReadInt32();
        if (version != Version)
            throw new SyncException(SyncErrorCode.UnsupportedVersion, $"{name} was written in format {version}; this build "
                + $"reads {Version}. Update the app. The file was not changed.");
        if (fields < 6 || fields > fieldsMax) throw new MessagePackSerializationException("wrong number of fields");
        return fields;
    }

    private static byte[] ReadBytes(ref MessagePackReader reader) =>
        reader.ReadBytes() is { } bytes ? global::System.Buffers.BuffersExtensions.ToArray(bytes) : [];

    private static bool IsFault(Exception e) => e is EndOfStreamException or MessagePackSerializationException
        or OverflowException or ArgumentException;

    private static SyncException Damaged(string name, Exception e) => new(SyncErrorCode.Damaged,
        $"The catalogue of {name} is damaged. The file was not changed; restore a backup, or start a new file and sync.",
        innerException: e);
}
