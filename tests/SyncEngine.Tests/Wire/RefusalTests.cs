using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Tests.Simulation;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Wire;

/// <summary>Frames with a right checksum and one thing wrong: each is refused by name and changes nothing.</summary>
public sealed class RefusalTests
{
    private static readonly byte[] _nil = [0xC0];

    public static TheoryData<string> Columns() => new(_columns.Keys);

    public static TheoryData<string> Bodies() => new(_bodies.Keys);

    public static TheoryData<string> Envelopes() => new(_envelopes.Keys);

    /// <summary>The frame has registers a and b, both by one replica: counters 1 and 2.</summary>
    private static readonly Dictionary<string, (int Column, byte[] Bytes)> _columns = new()
    {
        ["one cell twice"] = (5, [0xC4, 2, (byte)'a', (byte)'a']),
        ["one dot twice"] = (10, FrameSurgeon.Encode(1, 1, 0, 1)),
        ["a dot outside the vector"] = (10, FrameSurgeon.Encode(1, 1, 9, 1)),
        ["a dot below one"] = (10, FrameSurgeon.Encode(0, 2)),
        ["a counter that overflows"] = (10, FrameSurgeon.Encode(1, 1, long.MaxValue, 1)),
        ["a replica that is not in the table"] = (9, FrameSurgeon.Encode(1, 2)),
        ["a run that is too long"] = (9, FrameSurgeon.Encode(0, 3)),
        ["a run of nothing"] = (9, FrameSurgeon.Encode(0, 0, 0, 2)),
        ["a run that is too short"] = (9, FrameSurgeon.Encode(0, 1)),
        ["a kind that is unknown"] = (2, FrameSurgeon.Encode(9, 2)),
        ["a counter that is a text"] = (2, FrameSurgeon.Encode(2, 2)),
        ["a kind that wants a field"] = (2, FrameSurgeon.Encode(6, 2)),
        ["a key that is no text"] = (5, [0xC4, 2, 0xFF, 0xFE]),
        ["a key that is empty"] = (4, FrameSurgeon.Encode(0, 1, 2, 1)),
        ["a cell without entries"] = (8, FrameSurgeon.Encode(0, 1, 2, 1)),
        ["more cells than bytes"] = (0, [0xCE, 0x7F, 0xFF, 0xFF, 0xFF]),
        ["a negative count of cells"] = (0, [0xFF]),
        ["a state that is unknown"] = (12, FrameSurgeon.Encode(2, 2)),
        ["a value too deep"] = (13, [0x92, .. Enumerable.Repeat((byte)0x91, 40), 0xC0, 0xC0]),
        ["a value too many"] = (13, [0x93, 1, 1, 1]),
        ["revisions that only a stored frame has"] = (14, FrameSurgeon.Encode(0, 2)),
    };

    private static readonly Dictionary<string, (int Field, byte[] Bytes)> _bodies = new()
    {
        ["no replica id"] = (FrameSurgeon.Replicas, [0x91, 0]),
        ["a vector of another length"] = (FrameSurgeon.To, [0x92, 2, 2]),
        ["a counter above 2^48"] = (FrameSurgeon.To, [0x91, 0xCF, 0, 1, 0, 0, 0, 0, 0, 1]),
        ["a base that is too high"] = (FrameSurgeon.Base, [0x91, 0xCF, 0, 1, 0, 0, 0, 0, 0, 1]),
        ["a vector below its dots"] = (FrameSurgeon.To, [0x91, 1]),
        ["a vector of nothing"] = (FrameSurgeon.To, [0x91, 0]),
        ["a line that stands still"] = (FrameSurgeon.Lines, [0x91, 0x94, 1, 7, 1, 8]),
        ["a line that begins at 0"] = (FrameSurgeon.Lines, [0x91, 0x92, 0, 7]),
        ["a line above its counter"] = (FrameSurgeon.Lines, [0x91, 0x92, 3, 7]),
        ["a stamp in a line twice"] = (FrameSurgeon.Lines, [0x91, 0x94, 1, 7, 2, 7]),
        ["a negative vector"] = (FrameSurgeon.To, [0x91, 0xFF]),
        ["a base above the vector"] = (FrameSurgeon.Base, [0x91, 3]),
        ["a delta without a base"] = (FrameSurgeon.Base, _nil),
        ["forgotten deletes outside the vector"] = (FrameSurgeon.Collected, [0x91, 3]),
        ["no line"] = (FrameSurgeon.Lines, [0x91, 0xC0]),
        ["an empty line"] = (FrameSurgeon.Lines, [0x91, 0x90]),
        ["a line without a stamp"] = (FrameSurgeon.Lines, [0x91, 0x91, 1]),
        ["a line that goes back"] = (FrameSurgeon.Lines, [0x91, 0x94, 2, 7, 1, 8]),
        ["a header that only a stored frame has"] = (FrameSurgeon.Header, [0x90]),
    };

    private static readonly Dictionary<string, (SyncErrorCode Code, int Field, byte[] Bytes)> _envelopes = new()
    {
        ["another version"] = (SyncErrorCode.UnsupportedVersion, 0, [2]),
        ["an encrypted body"] = (SyncErrorCode.UnsupportedVersion, 2, [1]),
        ["an unknown cipher"] = (SyncErrorCode.UnsupportedVersion, 3, [1]),
        ["a signature"] = (SyncErrorCode.UnsupportedVersion, 5, [0xC4, 1, 0]),
        ["an unknown type"] = (SyncErrorCode.Malformed, 1, [9]),
        ["a bundle"] = (SyncErrorCode.Malformed, 1, [4]),
        ["a stored frame"] = (SyncErrorCode.Malformed, 1, [3]),
        ["a wrong unpacked length"] = (SyncErrorCode.Malformed, 4, [50]),
    };

    [Theory]
    [MemberData(nameof(Columns))]
    public void Columns_are_refused_with(string fault) => AssertRefused(SyncErrorCode.Malformed, FrameSurgeon.WithColumns(
        Frame(), columns => columns[_columns[fault].Column] = _columns[fault].Bytes));

    [Theory]
    [MemberData(nameof(Bodies))]
    public void A_body_is_refused_with(string fault) => AssertRefused(SyncErrorCode.Malformed, FrameSurgeon.WithBody(
        Frame(), body => body[_bodies[fault].Field] = _bodies[fault].Bytes));

    [Theory]
    [MemberData(nameof(Envelopes))]
    public void An_envelope_is_refused_with(string fault) => AssertRefused(_envelopes[fault].Code,
        FrameSurgeon.WithEnvelope(Frame(), envelope => envelope[_envelopes[fault].Field] = _envelopes[fault].Bytes));

    [Fact]
    public void A_delta_that_says_it_is_a_part_is_refused() => AssertRefused(SyncErrorCode.Malformed,
        FrameSurgeon.WithBody(Frame(), static body => body[FrameSurgeon.Part] = [0x90]));

    [Fact]
    public void A_frame_of_another_dataset_is_refused()
    {
        using var site = new Site(1);
        var other = new Dataset("other", 1, new DatasetContext());
        other.Put("a", 1);
        byte[] frame = Site.Encode(other);
        Assert.Equal(SyncErrorCode.WrongDataset, Assert.Throws<SyncException>(() => site.Dataset.Join(frame)).Code);
    }

    [Fact]
    public void A_frame_larger_than_allowed_is_refused_before_it_is_read()
    {
        var limits = new FrameLimits { FrameBytesMax = 100 };
        var dataset = new Dataset("save", 1, new DatasetContext { FrameLimits = limits });
        var refusal = Assert.Throws<SyncException>(() => dataset.Join(new byte[101]));
        Assert.Equal(SyncErrorCode.LimitExceeded, refusal.Code);
        Assert.Equal(0, refusal.Offset);
    }

    [Fact]
    public void A_packed_frame_that_unpacks_to_more_than_allowed_is_refused()
    {
        using var site = new Site(1);
        var random = new Random(1);
        site.Dataset.Put("a", string.Create(5_000_000, random, static (text, source) =>
        {
            foreach (ref char letter in text) letter = source.Next(12) == 0 ? 'b' : 'a';
        }));
        byte[] frame = Site.Encode(site.Dataset, packs: true);
        Assert.InRange(frame.Length, 1, 999_000);
        var limits = new FrameLimits { FrameBytesMax = 1_000_000 };
        var dataset = new Dataset("save", 1, new DatasetContext { FrameLimits = limits });
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<SyncException>(() => dataset.Join(frame));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 1_000_000);
    }

    [Fact]
    public void A_few_bytes_that_unpack_to_megabytes_are_never_packed_nor_taken()
    {
        using var site = new Site(1);
        site.Dataset.Put("a", new string('a', 5_000_000));
        Assert.InRange(Site.Encode(site.Dataset, packs: true).Length, 5_000_000, 5_001_000);
        Assert.Equal(64L * 100_000, FrameReader.UnpackedMax(100_000));
    }

    private static byte[] Frame()
    {
        using var site = new Site(3);
        site.Dataset.Put("a", "x");
        site.Dataset.Put("b", "y");
        return site.Delta(VersionVector.Empty);
    }

    private static void AssertRefused(SyncErrorCode code, byte[] frame)
    {
        using var site = new Site(4);
        site.Dataset.Put("mine", 1);
        string before = CellReader.Fingerprint(site.Dataset);
        var refusal = Assert.Throws<SyncException>(() => site.Dataset.Join(frame));
        Assert.Equal(code, refusal.Code);
        Assert.InRange(refusal.Offset, 0, frame.Length);
        Assert.Equal(before, CellReader.Fingerprint(site.Dataset));
    }
}
