using System.Globalization;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Text;
using MessagePack;
using SyncEngine.Tests.Sync;
using Xunit;
using static SyncEngine.Tests.Golden.MessageReading;

namespace SyncEngine.Tests.Golden;

/// <summary>The golden frames of cells, of parts, of a heal and of a folder say what docs/FORMAT.md says, read without the
/// engine's own readers.</summary>
public sealed class FrameShapeTests
{
    private sealed record Frame(
        string Dataset, ulong[] Replicas, ulong[] To, ulong[]? Base, ulong[]? Collected, ulong[][] Lines, Columns Columns,
        Part? Part);

    private sealed record Columns(
        int Cells, int Entries, ulong[] Kinds, ulong[] KeyLengths, string Keys, ulong[] EntriesACell, ulong[] Replicas,
        ulong[] Counters, long[] Clocks, ulong[] States, byte[][] Values);

    private sealed record Part(ulong[] After, ulong[] End, bool IsLast, ulong[] Seen);

    /// <summary>One register written once: its whole frame, and the digest that the sender told.</summary>
    [Fact]
    public void The_digest_is_the_one_that_the_document_gives()
    {
        byte[] bytes = Messages("trace-first-sync", 1).First(static frame => Read(frame, 1, ReadFrame).Dataset == "prefs");
        Frame frame = Read(bytes, 1, ReadFrame);
        ulong replica = Assert.Single(frame.Replicas);
        Assert.Equal<ulong>([1], frame.To);
        Assert.Equal<ulong>([0], frame.Base!);
        Assert.Null(frame.Collected);
        Columns columns = frame.Columns;
        Assert.Equal((1, 1, "theme"), (columns.Cells, columns.Entries, columns.Keys));
        Assert.Equal<ulong>([1, 1], columns.Kinds);
        Assert.Equal<ulong>([5, 1], columns.KeyLengths);
        Assert.Equal<ulong>([1, 1], columns.EntriesACell);
        Assert.Equal<ulong>([0, 1], columns.Replicas);
        Assert.Equal<ulong>([1, 1], columns.Counters);
        Assert.Equal<ulong>([0, 1], columns.States);
        Assert.Equal(1_700_000_003_000, columns.Clocks[0] >> 16);
        Assert.Equal("dark", Encoding.UTF8.GetString(columns.Values[0].AsSpan(1)));

        ulong text = XxHash3.HashToUInt64("theme"u8, seed: 1);
        ulong hash = Mix(text ^ replica);
        hash = Mix(hash + 1);
        hash = Mix(hash ^ (ulong)columns.Clocks[0]);
        hash = Mix(hash + XxHash3.HashToUInt64(columns.Values[0]));
        byte[] have = Messages("trace-first-sync", 9)
            .First(static have => Encoding.UTF8.GetString(have).Contains("prefs", StringComparison.Ordinal));
        Assert.EndsWith($"CF{hash:X16}C0C0", Convert.ToHexString(have[..^10]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("trace-transfer", false)]
    [InlineData("trace-transfer-snapshot", true)]
    public void Parts_follow_each_other_until_the_last(string trace, bool isSnapshot)
    {
        Frame[] parts = [.. Messages(trace, 5).Select(static bytes => Read(bytes, 5, ReadFrame))];
        Assert.Equal(5, parts.Length);
        ulong[] ended = [0, 0];
        foreach (Frame part in parts)
        {
            Assert.Equal<ulong>([11], part.To);
            Assert.Equal(isSnapshot, part.Base is null);
            Assert.Null(part.Collected);
            Assert.Equal(ended, part.Part!.After);
            Assert.Equal(part == parts[^1], part.Part.IsLast);
            Assert.Equal<ulong>([part.Replicas[0], part == parts[0] || part == parts[1] ? 11ul : 14], part.Part.Seen);
            ended = part.Part.End;
        }

        Assert.Equal<ulong>([ulong.MaxValue, (1ul << 47) - 1], ended);

        // k8 was changed while the transfer was under way; k9 is a delete, which a snapshot does not hold once forgotten.
        string keys = string.Concat(parts.Select(static part => part.Columns.Keys));
        Assert.Equal("k0k1k2k3k4k5k6k7" + (isSnapshot ? "" : "k9"), keys);
        Frame completing = Read(Messages(trace, 1).Single(), 1, ReadFrame);
        Assert.Equal<ulong>([11], completing.Base!);
        Assert.Equal<ulong>([14], completing.To);
        Assert.Equal("k0k8k1", completing.Columns.Keys);
    }

    [Fact]
    public void A_heal_is_a_snapshot_and_its_names_are_parts_of_the_digest()
    {
        Frame[] heals = [.. Messages("trace-heal", 6).Select(static bytes => Read(bytes, 6, ReadFrame))];
        Assert.Equal(2, heals.Length);
        Assert.Equal(heals[0].Replicas, heals[1].Replicas);
        Assert.Equal(heals[0].Lines[0], heals[1].Lines[0]);
        var names = new List<ulong>();
        foreach (Frame heal in heals)
        {
            Assert.Null(heal.Base);
            Assert.Null(heal.Part);
            Assert.Equal("sameplayer", heal.Columns.Keys);
            ulong hash = Mix(XxHash3.HashToUInt64("player"u8, seed: 1) ^ heal.Replicas[0]);
            hash = Mix(hash + 2);
            hash = Mix(hash ^ (ulong)heal.Columns.Clocks[0]);
            names.Add(Mix(hash + XxHash3.HashToUInt64(heal.Columns.Values[1])));
        }

        Frame after = Read(Messages("trace-heal", 1).Single(), 1, ReadFrame);
        Assert.Equal(names.Order(), after.Replicas[1..].Order());
        Assert.Equal<ulong>([2, 1, 1], after.To);
        for (int i = 1; i < 3; i++) Assert.Equal<ulong>([1, after.Replicas[i]], after.Lines[i]);
    }

    [Theory]
    [InlineData("folder-file", 1)]
    [InlineData("folder-next", 2)]
    public void A_file_of_a_folder_is_a_bundle_with_its_place_in_a_chain(string name, int sequence)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Folder(), name + ".bin"));
        (byte[] frame, ulong tag, ulong chain) = Read(bytes, 4, (ref MessagePackReader reader) =>
        {
            ExpectArray(ref reader, 3);
            Assert.Equal("0123456789abcdeffedcba9876543210", reader.ReadString());
            ExpectArray(ref reader, 1);
            byte[] only = Binary(ref reader);
            ExpectArray(ref reader, 4);
            (ulong, ulong) place = (reader.ReadUInt64(), reader.ReadUInt64());
            Assert.Equal(sequence, reader.ReadInt32());
            Assert.Equal(1_700_000_000_000 + ((sequence - 1) * 1000), reader.ReadInt64());
            return (only, place.Item1, place.Item2);
        });
        Frame delta = Read(frame, 1, ReadFrame);
        Assert.Equal<ulong>([(ulong)sequence - 1], delta.Base!);
        Assert.Equal<ulong>([(ulong)sequence], delta.To);
        FolderDevice device = GoldenTests.Written(sequence);
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{tag:x16}-{chain:x16}-{sequence:d8}-"),
            Path.GetFileName(device.Files.Shared.Last()), StringComparison.Ordinal);
    }

    private static Frame ReadFrame(ref MessagePackReader reader)
    {
        ExpectArray(ref reader, 9);
        string dataset = reader.ReadString()!;
        ulong[] replicas = Unsigned(ref reader), to = Unsigned(ref reader);
        ulong[]? low = reader.TryReadNil() ? null : Unsigned(ref reader);
        ulong[]? collected = reader.TryReadNil() ? null : Unsigned(ref reader);
        ulong[][] lines = Lines(ref reader, replicas.Length);
        Columns columns = ReadColumns(ref reader);
        Assert.True(reader.TryReadNil());
        Part? part = reader.TryReadNil() ? null : ReadPart(ref reader);
        return new Frame(dataset, replicas, to, low, collected, lines, columns, part);
    }

    private static Columns ReadColumns(ref MessagePackReader reader)
    {
        ExpectArray(ref reader, 15);
        int cells = reader.ReadInt32(), entries = reader.ReadInt32();
        ulong[] kinds = Unsigned(ref reader);
        Unsigned(ref reader);
        ulong[] keyLengths = Unsigned(ref reader);
        string keys = Encoding.UTF8.GetString(Binary(ref reader));
        Assert.Empty(Unsigned(ref reader));
        Assert.Empty(Binary(ref reader));
        var columns = new Columns(cells, entries, kinds, keyLengths, keys, Unsigned(ref reader), Unsigned(ref reader),
            Unsigned(ref reader), Signed(ref reader), Unsigned(ref reader), ReadValues(ref reader));
        Assert.True(reader.TryReadNil());
        return columns;
    }

    private static byte[][] ReadValues(ref MessagePackReader reader)
    {
        var values = new byte[reader.ReadArrayHeader()][];
        for (int i = 0; i < values.Length; i++)
            values[i] = System.Buffers.BuffersExtensions.ToArray(reader.ReadRaw());
        return values;
    }

    private static Part ReadPart(ref MessagePackReader reader)
    {
        ExpectArray(ref reader, 6);
        return new Part([reader.ReadUInt64(), reader.ReadUInt64()], [reader.ReadUInt64(), reader.ReadUInt64()],
            reader.ReadBoolean(), Unsigned(ref reader));
    }

    private static ulong Mix(ulong x)
    {
        for (int i = 0; i < 2; i++) x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93;
        return x ^ (x >> 32);
    }

    private static IEnumerable<byte[]> Messages(string trace, byte type) => Trace.MessagesOf(TraceTests.Read(trace))
        .Where(message => message.Bytes[2] == type).Select(static message => message.Bytes);

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
