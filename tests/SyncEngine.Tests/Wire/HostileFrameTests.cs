using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Tests.Laws;
using SyncEngine.Tests.Simulation;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Wire;

public sealed class HostileFrameTests
{
    /// <summary>What a mutated frame may make the reader allocate: a small multiple of its own length.</summary>
    private const int AllocatedBytesMax = 256 * 1024;

    public static TheoryData<string> Frames() => ["delta", "snapshot", "packed"];

    [Theory]
    [MemberData(nameof(Frames))]
    public void Any_changed_byte_is_refused_and_changes_nothing(string name)
    {
        (Site receiver, byte[] frame) = Scene(name);
        string before = CellReader.Fingerprint(receiver.Dataset);
        for (int i = 0; i < frame.Length; i++)
        {
            byte original = frame[i];
            foreach (int value in i % 16 == 0 ? Enumerable.Range(0, 256) : [original ^ 1, original ^ 0x80, 0, 255, 0xC1])
            {
                if (value == original) continue;
                frame[i] = (byte)value;
                AssertRefused(receiver, frame);
            }

            frame[i] = original;
            Assert.Equal(before, CellReader.Fingerprint(receiver.Dataset));
        }

        Assert.Equal(JoinOutcome.Joined, receiver.Apply(frame));
    }

    [Theory]
    [MemberData(nameof(Frames))]
    public void A_frame_cut_off_anywhere_or_with_more_behind_it_is_refused(string name)
    {
        (Site receiver, byte[] frame) = Scene(name);
        string before = CellReader.Fingerprint(receiver.Dataset);
        for (int length = 0; length < frame.Length; length++) AssertRefused(receiver, frame[..length]);
        AssertRefused(receiver, [.. frame, 0]);
        Assert.Equal(before, CellReader.Fingerprint(receiver.Dataset));
    }

    [Theory]
    [InlineData("delta", 1)]
    [InlineData("snapshot", 2)]
    [InlineData("packed", 3)]
    public void A_changed_frame_with_a_right_checksum_joins_whole_or_not_at_all(string name, int seed)
    {
        var random = new Random(seed);
        (Site receiver, byte[] frame) = Scene(name);
        string before = CellReader.Fingerprint(receiver.Dataset);
        byte[] own = receiver.Delta(VersionVector.Empty);
        int joined = 0;
        for (int i = 0; i < frame.Length - 10; i++)
        {
            for (int round = 0; round < (i % 8 == 0 ? 64 : 6); round++)
            {
                byte[] mutated = [.. frame];
                mutated[i] = (byte)(round < 64 / 8 ? mutated[i] ^ (1 << round) : random.Next(256));
                joined += ApplyHostile(ref receiver, FrameSurgeon.Resealed(mutated), own, before, $"byte {i} = {mutated[i]}");
            }
        }

        // Some values carry no structure, so that changing them makes another frame that is as good.
        if (name != "packed") Assert.InRange(joined, 1, int.MaxValue);
    }

    [Fact]
    public void Mutated_frames_and_messages_of_every_type_are_refused_or_as_good()
    {
        IReadOnlyList<string> failures = FrameSoak.Run(77, 12_000, static _ => { });
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    private static int ApplyHostile(ref Site receiver, byte[] frame, byte[] own, string before, string what)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            JoinOutcome outcome = receiver.Apply(frame);
            if (outcome == JoinOutcome.Gap) return 0;
            CellReader.AssertFiguresAreRight(receiver.Dataset);
            KindOperations.Read(receiver.Dataset);
            receiver.Delta(VersionVector.Empty);
            receiver = NewReceiver();
            receiver.Apply(own);
            return 1;
        }
        catch (SyncException e)
        {
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.True(allocated < AllocatedBytesMax, $"{what}: {allocated} bytes were allocated");
            Assert.True(e.Offset >= 0, $"{what}: {e.Message} has no offset");
            Assert.True(before.Length == 0 || Same(receiver, before, own), $"{what}: {e.Message} changed the state");
            return 0;
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{what}: {e}", e);
        }
    }

    /// <summary>A receiver that joined a hostile frame was made anew, under another revision.</summary>
    private static bool Same(Site receiver, string before, byte[] own)
    {
        if (CellReader.Fingerprint(receiver.Dataset) == before) return true;
        Site other = NewReceiver();
        other.Apply(own);
        return CellReader.Fingerprint(receiver.Dataset) == CellReader.Fingerprint(other.Dataset);
    }

    private static void AssertRefused(Site receiver, byte[] frame)
    {
        var refusal = Assert.Throws<SyncException>(() => receiver.Dataset.Join(frame));
        Assert.Contains(refusal.Code,
            new[] { SyncErrorCode.Malformed, SyncErrorCode.UnsupportedVersion, SyncErrorCode.LimitExceeded });
        Assert.InRange(refusal.Offset, 0, Math.Max(frame.Length, 4096));
    }

    internal static (Site Receiver, byte[] Frame) Scene(string name)
    {
        var sender = new Site(7);
        Site receiver = NewReceiver();
        var random = new Random(7);
        foreach (KindOperations operations in KindOperations.All)
            for (int i = 0; i < 4; i++) operations.Operate(receiver.Dataset, "k" + i % 2, random);
        sender.Apply(receiver.Delta(VersionVector.Empty));
        foreach (KindOperations operations in KindOperations.All)
            for (int i = 0; i < 5; i++) operations.Operate(sender.Dataset, "kü" + i % 2, random);
        sender.Dataset.Put("gone", 1);
        sender.Dataset.Delete("gone");
        if (name == "snapshot") sender.Dataset.ForgetDeletes(CellReader.VectorOf(sender.Dataset));
        byte[] frame = sender.Dataset.DeltaAsync(CellReader.VectorOf(receiver.Dataset), packs: name == "packed")
            .AsTask().GetAwaiter().GetResult();
        using DecodedFrame decoded = FrameReader.Read(frame, new FrameLimits());
        Assert.Equal(name == "snapshot" ? FrameType.Snapshot : FrameType.Delta, decoded.Type);
        return (receiver, frame);
    }

    private static Site NewReceiver() => new(8);
}
