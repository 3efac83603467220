using MessagePack;
using SyncEngine.Causality;
using SyncEngine.Storage;
using SyncEngine.Tests.Wire;
using Xunit;

namespace SyncEngine.Tests.Simulation;

/// <summary>Engines with one rule left out: a harness that passes them would prove nothing.</summary>
public sealed class PlantedFaultTests
{
    private const int HistoriesMax = 400;

    [Fact]
    public void Without_inheriting_frontiers_histories_fail() => AssertCaught(static (seed, disk, skew) =>
        new Tampering(seed, disk, skew, static frame =>
            FrameSurgeon.WithBody(frame, static body => body[FrameSurgeon.Collected] = [0xC0])));

    [Fact]
    public void Without_the_snapshot_fallback_histories_fail() => AssertCaught(static (seed, disk, skew) =>
        new Tampering(seed, disk, skew, static frame =>
        {
            if (frame[2] != 2) return frame;
            return FrameSurgeon.WithBody(frame, static body => body[FrameSurgeon.Base] = Zeros(body), type: 1);
        }));

    [Fact]
    public void Without_refusing_gaps_histories_fail() => AssertCaught(static (seed, disk, skew) =>
        new Tampering(seed, disk, skew, static frame =>
            frame[2] == 2 ? frame : FrameSurgeon.WithBody(frame, static body => body[FrameSurgeon.Base] = Zeros(body))));

    [Fact]
    public void A_disk_that_loses_what_was_sent_makes_histories_fail() =>
        AssertCaught(static (seed, disk, skew) => new Forgetful(seed, disk, skew, afterDeltas: true));

    [Fact]
    public void A_restored_disk_under_the_same_id_makes_histories_fail() =>
        AssertCaught(static (seed, disk, skew) => new Forgetful(seed, disk, skew, afterDeltas: false));

    private static void AssertCaught(Func<ulong, MemoryDisk?, long, Site> makeSite)
    {
        string? why = null;
        for (int seed = 0; seed < HistoriesMax && why is null; seed++) why = DifferentialSoak.WhyItFails(seed, makeSite);
        Assert.NotNull(why);

        // What catches it must be a comparison with the model or the engine's own alarm, not an accident of the test.
        Assert.Matches("^(Xunit.Sdk.XunitException|SyncEngine.Causality.SyncException: Replica)", why);
    }

    internal static byte[] Zeros(byte[][] body)
    {
        int count = new MessagePackReader(body[FrameSurgeon.To]).ReadArrayHeader();
        return FrameSurgeon.Encode(Enumerable.Repeat<long?>(0, count).ToArray());
    }

    /// <summary>Changes every frame it hands out.</summary>
    private sealed class Tampering(ulong seed, MemoryDisk? disk, long skew, Func<byte[], byte[]> tamper)
        : Site(seed, disk, skew)
    {
        public override byte[] Delta(VersionVector since) => tamper(base.Delta(since));
    }

    /// <summary>Opens an older copy of its disk: one from before its last delta, or from its first reopening.</summary>
    private sealed class Forgetful(ulong seed, MemoryDisk? disk, long skew, bool afterDeltas) : Site(seed, disk, skew)
    {
        private MemoryDisk? _older;

        public override byte[] Delta(VersionVector since)
        {
            if (afterDeltas) _older ??= Disk?.Copy();
            return base.Delta(since);
        }

        public override void Reopen()
        {
            Flush();
            MemoryDisk? now = Disk?.Copy();
            Close();
            if (_older is not null) Disk = _older;
            _older = afterDeltas ? null : now;
            OpenAgain();
        }
    }
}
