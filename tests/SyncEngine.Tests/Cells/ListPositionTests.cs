using FsCheck.Xunit;
using SyncEngine.Cells;
using Xunit;
using Xunit.Abstractions;

namespace SyncEngine.Tests.Cells;

public sealed class ListPositionTests(ITestOutputHelper output)
{
    private enum Typing { Forward, Backward, Anywhere }

    [Property(MaxTest = 200)]
    public void Random_histories_of_several_writers_stay_strictly_between(int seed)
    {
        Random random = new(seed);
        PositionList list = new();
        WaypointAllocator[] writers = [Writer(random), Writer(random), Writer(random)];
        for (int round = 0; round < 300; round++)
        {
            int writer = random.Next(writers.Length);
            if (random.Next(50) == 0) writers[writer] = Writer(random);
            int index = random.Next(4) switch { 0 => 0, 1 => list.Count, _ => random.Next(list.Count + 1) };
            int run = random.Next(1, 5);
            bool isForward = random.Next(2) == 0;
            for (int step = 0; step < run; step++) list.Insert(index + (isForward ? step : 0), writers[writer]);

            // Forgotten elements: a later neighbour no longer stands beside what it was placed against.
            if (random.Next(3) == 0) list.RemoveAt(random.Next(list.Count));
        }
        list.AssertOrdered();
    }

    [Property(MaxTest = 300)]
    public void Concurrent_runs_do_not_interleave(int seed)
    {
        Random random = new(seed);
        WaypointAllocator[] writers = [Writer(random), Writer(random), Writer(random)];
        PositionList start = new();
        int startCount = random.Next(0, 40);
        while (start.Count < startCount)
        {
            int index = random.Next(start.Count + 1);
            int writer = random.Next(writers.Length);
            int direction = random.Next(2);
            for (int step = 0; step < 3; step++) start.Insert(index + (direction * step), writers[writer]);
            if (random.Next(8) == 0) start.RemoveAt(random.Next(start.Count));
        }

        int place = random.Next(start.Count + 1);
        List<(byte[] Position, int Writer)> merged = [.. start.Select(position => (position, -1))];
        for (int writer = 0; writer < writers.Length; writer++)
        {
            PositionList copy = new(start);
            Typing typing = (Typing)random.Next(3);
            for (int step = 0; step < 12; step++)
            {
                int index = typing switch { Typing.Forward => step, Typing.Backward => 0, _ => random.Next(step + 1) };
                merged.Add((copy.Insert(place + index, writers[writer]), writer));
            }
        }

        merged.Sort((left, right) => left.Position.AsSpan().SequenceCompareTo(right.Position));
        int changes = merged.Zip(merged.Skip(1)).Count(pair => pair.First.Writer != pair.Second.Writer);
        Assert.True(changes <= writers.Length + 1, string.Join(' ', merged.Select(item => item.Writer)));
    }

    [Fact]
    public void Clones_of_one_process_make_different_positions()
    {
        // The memory of both is the same; only what they draw after the copy differs.
        WaypointAllocator first = Writer(new Random(7));
        byte[] start = ListPosition.Between([], [], first);
        byte[] left = ListPosition.Between(start, [], first);
        Random other = new(7);
        WaypointAllocator clone = Writer(other);
        ListPosition.Between([], [], clone);
        other.NextDouble();
        byte[] right = ListPosition.Between(start, [], clone);
        Assert.NotEqual(left, right);
        if (left.AsSpan().SequenceCompareTo(right) > 0) (left, right) = (right, left);
        byte[] middle = ListPosition.Between(left, right, first);
        Assert.True(left.AsSpan().SequenceCompareTo(middle) < 0 && middle.AsSpan().SequenceCompareTo(right) < 0);
    }

    [Fact]
    public void A_seed_replays_the_positions()
    {
        PositionList[] lists = [new(), new()];
        foreach (PositionList list in lists)
        {
            Random random = new(11);
            WaypointAllocator writer = Writer(random);
            for (int round = 0; round < 200; round++) list.Insert(random.Next(list.Count + 1), writer);
        }
        Assert.Equal(lists[0], lists[1]);
    }

    [Theory]
    [InlineData("append", 1, 20)]
    [InlineData("prepend", 1, 20)]
    [InlineData("random", 1, 80)]
    [InlineData("append", 2, 20)]
    [InlineData("prepend", 2, 20)]
    [InlineData("random", 3, 80)]
    [InlineData("after the first", 2, 40)]
    [InlineData("before the last", 2, 40)]
    public void Positions_stay_short(string pattern, int writerCount, int averageMax)
    {
        Random random = new(3);
        WaypointAllocator[] writers = [.. Enumerable.Range(0, writerCount).Select(_ => Writer(random))];
        PositionList list = new();
        long total = 0;
        int longest = 0;
        for (int round = 0; round < 10_000; round++)
        {
            int index = pattern switch
            {
                "append" => list.Count,
                "prepend" => 0,
                "after the first" => Math.Min(1, list.Count),
                "before the last" => Math.Max(0, list.Count - 1),
                _ => random.Next(list.Count + 1),
            };
            int length = list.Insert(index, writers[round % writerCount]).Length;
            total += length;
            longest = Math.Max(longest, length);
        }
        output.WriteLine($"{pattern}, {writerCount} writers: average {total / 10_000.0:F1} bytes, longest {longest}");
        Assert.InRange(total / 10_000.0, 0, averageMax);
        list.AssertOrdered();
    }

    [Fact]
    public void Tokens_keep_the_order_of_their_numbers_and_read_back()
    {
        List<long> tokens = [];
        for (int shift = 0; shift < 34; shift++)
        {
            for (long near = -2; near <= 2; near++)
            {
                long token = Math.Clamp((1L << shift) + near, ~PositionToken.Max, PositionToken.Max);
                tokens.AddRange([token, ~token]);
            }
        }
        tokens.AddRange([PositionToken.Max, ~PositionToken.Max]);
        byte[][] encoded = [.. tokens.Distinct().Order().Select(Encode)];
        for (int index = 1; index < encoded.Length; index++)
        {
            Assert.True(encoded[index - 1].AsSpan().SequenceCompareTo(encoded[index]) < 0);
            Assert.False(encoded[index].AsSpan().StartsWith(encoded[index - 1]));
        }
        Assert.All(tokens, token =>
        {
            Assert.Equal(Encode(token).Length, PositionToken.Read(Encode(token), out long read));
            Assert.Equal(token, read);
        });
        Assert.Single(Encode(63));
        Assert.Single(Encode(-64));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0102030405060708")]
    [InlineData("0102030405060708" + "81")]
    [InlineData("0102030405060708" + "81" + "00")]
    [InlineData("0102030405060708" + "81" + "0000" + "00")]
    [InlineData("0102030405060708" + "80")]
    [InlineData("0102030405060708" + "80" + "0000")]
    [InlineData("0102030405060708" + "c001" + "0000")]
    [InlineData("0102030405060708" + "3ffe" + "0000")]
    [InlineData("0102030405060708" + "fc0000000001" + "0000")]
    [InlineData("0102030405060708" + "ff" + "0000")]
    [InlineData("0102030405060708" + "00" + "0000")]
    public void What_is_no_position_is_refused(string hexadecimal)
    {
        byte[] position = Convert.FromHexString(hexadecimal);
        Assert.False(ListPosition.IsValid(position));
        if (position.Length == 0) return;
        Assert.Throws<ArgumentException>(() => ListPosition.Between(position, [], Writer(new Random(1))));
    }

    [Fact]
    public void A_position_beyond_the_limit_is_refused()
    {
        byte[] step = Convert.FromHexString("0102030405060708" + "81" + "0000");
        byte[] longest = [.. Enumerable.Repeat(step, ListPosition.LengthMax / step.Length).SelectMany(part => part)];
        Assert.True(ListPosition.IsValid(longest));
        Assert.False(ListPosition.IsValid([.. longest, .. step]));
    }

    [Fact]
    public void Hostile_bytes_never_throw_and_valid_ones_still_give_room()
    {
        Random random = new(5);
        WaypointAllocator writer = Writer(random);
        PositionList list = new();
        for (int round = 0; round < 100; round++) list.Insert(random.Next(list.Count + 1), writer);
        for (int round = 0; round < 50_000; round++)
        {
            byte[] left = [.. list[random.Next(list.Count)]];
            left[random.Next(left.Length)] = (byte)random.Next(256);
            byte[] right = list[random.Next(list.Count)];
            if (!ListPosition.IsValid(left) || left.AsSpan().SequenceCompareTo(right) >= 0) continue;
            byte[] middle = ListPosition.Between(left, right, writer);
            Assert.True(left.AsSpan().SequenceCompareTo(middle) < 0 && middle.AsSpan().SequenceCompareTo(right) < 0);
            Assert.True(ListPosition.IsValid(middle));
        }
    }

    [Fact]
    public void Neighbours_out_of_order_are_refused()
    {
        WaypointAllocator writer = Writer(new Random(1));
        byte[] position = ListPosition.Between([], [], writer);
        Assert.Throws<ArgumentException>(() => ListPosition.Between(position, position, writer));
    }

    private static byte[] Encode(long token)
    {
        byte[] target = new byte[PositionToken.LengthMax];
        return target[..PositionToken.Write(target, token)];
    }

    private static WaypointAllocator Writer(Random random) => new(random.NextBytes);

    /// <summary>A list of positions that checks each one it makes.</summary>
    private sealed class PositionList : List<byte[]>
    {
        public PositionList()
        {
        }

        public PositionList(IEnumerable<byte[]> positions) : base(positions)
        {
        }

        public byte[] Insert(int index, WaypointAllocator writer)
        {
            byte[] left = index > 0 ? this[index - 1] : [];
            byte[] right = index < Count ? this[index] : [];
            byte[] position = ListPosition.Between(left, right, writer);
            Assert.True(ListPosition.IsValid(position));
            Assert.True(left.AsSpan().SequenceCompareTo(position) < 0);
            Assert.True(right.Length == 0 || position.AsSpan().SequenceCompareTo(right) < 0);
            Insert(index, position);
            return position;
        }

        public void AssertOrdered()
        {
            for (int index = 1; index < Count; index++)
            {
                Assert.True(this[index - 1].AsSpan().SequenceCompareTo(this[index]) < 0);
            }
        }
    }
}
