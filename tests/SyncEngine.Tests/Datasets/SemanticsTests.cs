using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Tests.Laws;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Datasets;

public sealed class SemanticsTests : IDisposable
{
    private const long TenYearsMilliseconds = 10L * 365 * 24 * 3600 * 1000;
    private readonly Site _left = new(1), _right = new(2);

    private Dataset Left => _left.Dataset;

    private Dataset Right => _right.Dataset;

    public void Dispose()
    {
        _left.Dispose();
        _right.Dispose();
    }

    [Fact]
    public void An_update_beats_a_concurrent_delete()
    {
        Left.Put("k", 1);
        Exchange();
        Left.Put("k", 2);
        _right.Time.Advance(1000);
        Right.Delete("k");
        Exchange();
        Assert.Equal(2, Right.Get<int>("k"));
        Assert.Empty(Left.Conflicts);
    }

    [Fact]
    public void Who_saw_a_value_supersedes_it_whatever_the_clocks_say()
    {
        using var ahead = new Site(3, skewMilliseconds: TenYearsMilliseconds);
        ahead.Dataset.Put("k", "future");
        _left.Apply(ahead.Delta(VersionVector.Empty));
        Left.Put("k", "now");
        ahead.Apply(_left.Delta(ahead.Dataset.Version));
        Assert.Equal("now", ahead.Dataset.Get<string>("k"));
        Assert.Equal("now", Left.Get<string>("k"));
        CompetingWrite write = Left.Explain("k").Cells.Single().Writes.Single().Write;
        Assert.Equal(_left.Time.WallMilliseconds, write.Time.WallMilliseconds);
    }

    [Fact]
    public void A_clock_that_leaps_back_at_a_restart_loses_nothing()
    {
        using var site = new Site(3, new SyncEngine.Storage.MemoryDisk());
        site.Dataset.Put("k", 1);
        site.Time.Jump(-TenYearsMilliseconds);
        site.Reopen();
        site.Dataset.Put("k", 2);
        _left.Apply(site.Delta(VersionVector.Empty));
        Assert.Equal(2, Left.Get<int>("k"));
    }

    [Fact]
    public void An_addition_to_a_set_beats_a_concurrent_removal_and_only_that()
    {
        Left.Set("s").Add("a");
        Left.Set("s").Add("b");
        Exchange();
        Left.Set("s").Add("a");
        Right.Set("s").Remove("a");
        Right.Set("s").Remove("b");
        Exchange();
        Assert.Equal(["a"], Right.Set("s").ToArray().Select(static value => value.AsString()));
        Assert.Equal(["a"], Left.Set("s").ToArray().Select(static value => value.AsString()));
    }

    [Fact]
    public void A_concurrent_addition_brings_a_reset_counters_running_total_back()
    {
        Left.Counter("c").Add(5);
        Right.Counter("c").Add(7);
        Exchange();
        Left.Counter("c").Reset();
        Right.Counter("c").Add(1);
        Exchange();
        Assert.Equal(8, Left.Counter("c").Value);
        Assert.Equal(8, Right.Counter("c").Value);
    }

    [Fact]
    public void Counters_wrap_at_64_bits()
    {
        Left.Counter("c").Add(long.MaxValue);
        Right.Counter("c").Add(1);
        Exchange();
        Assert.Equal(long.MinValue, Left.Counter("c").Value);
        Left.Counter("c").Add(long.MaxValue);
        Assert.Equal(-1, Left.Counter("c").Value);
    }

    [Fact]
    public void Extremes_order_integers_and_doubles_exactly()
    {
        const long beyondDouble = (1L << 53) + 1;
        Left.Max("m").Raise((double)(1L << 53));
        Right.Max("m").Raise(beyondDouble);
        Left.Min("m").Lower(double.PositiveInfinity);
        Right.Min("m").Lower(long.MaxValue);
        Exchange();
        Assert.Equal(beyondDouble, Left.Max("m").Value.AsInteger());
        Assert.Equal(long.MaxValue, Left.Min("m").Value.AsInteger());
        Assert.False(Left.Max("m").Raise(3));
        Assert.Throws<ArgumentException>(() => Left.Max("m").Raise(double.NaN));
    }

    [Fact]
    public void Fields_of_a_map_merge_one_by_one()
    {
        Left.Map("m")["a"] = 1;
        Exchange();
        Left.Map("m")["b"] = 2;
        Right.Map("m").Remove("a");
        Right.Map("m")["c"] = 3;
        Exchange();
        Assert.Equal(["b", "c"], Left.Map("m").ToArray().Select(static pair => pair.Key));
    }

    [Fact]
    public void Runs_inserted_at_once_at_one_place_do_not_interleave()
    {
        Left.List("l").Add("<");
        Left.List("l").Add(">");
        Exchange();
        for (int i = 0; i < 20; i++)
        {
            Left.List("l").Insert(1 + i, "a" + i);
            Right.List("l").Insert(1, "b" + i);
        }

        Exchange();
        string all = string.Concat(Strings(Left));
        Assert.Contains(string.Concat(Enumerable.Range(0, 20).Select(static i => "a" + i)), all, StringComparison.Ordinal);
        Assert.Contains(
            string.Concat(Enumerable.Range(0, 20).Reverse().Select(static i => "b" + i)), all, StringComparison.Ordinal);
        Assert.Equal(Strings(Left), Strings(Right));
    }

    [Fact]
    public void Two_moves_of_one_element_leave_it_one_in_one_place()
    {
        Fill("a", "b", "c", "d");
        Left.List("l").Move(0, 3);
        Right.List("l").Move(0, 1);
        Exchange();
        Assert.Equal(4, Left.List("l").Count);
        Assert.Single(Strings(Left), "a");
        Assert.Equal(Strings(Left), Strings(Right));
    }

    [Fact]
    public void A_delete_beats_a_concurrent_move()
    {
        Fill("a", "b", "c");
        Left.List("l").Move(0, 2);
        Right.List("l").RemoveAt(0);
        Exchange();
        Assert.Equal(["b", "c"], Strings(Left));
        Assert.Equal(["b", "c"], Strings(Right));
    }

    [Fact]
    public void Setting_an_element_survives_a_concurrent_delete_at_its_place()
    {
        Fill("a", "b", "c");
        Left.List("l").Move(0, 2);
        Exchange();
        var list = Left.List("l");
        list[2] = "A";
        Right.List("l").RemoveAt(2);
        Exchange();
        Assert.Equal(["b", "c", "A"], Strings(Left));
        Assert.Equal(["b", "c", "A"], Strings(Right));
    }

    [Fact]
    public void Forgetting_deleted_elements_harms_no_insertion_beside_them()
    {
        Fill("a", "b", "c");
        Right.List("l").Insert(2, "x");
        Left.List("l").RemoveAt(1);
        Left.ForgetDeletes(Left.Version);
        Exchange();
        Assert.Equal(["a", "x", "c"], Strings(Left));
        Assert.Equal(["a", "x", "c"], Strings(Right));
    }

    [Fact]
    public void Equal_values_written_at_once_are_no_conflict()
    {
        Left.Put("k", 1);
        Right.Put("k", 1);
        Exchange();
        Assert.Empty(Left.Conflicts);
        Left.Put("other", 1);
        Right.Put("other", 2);
        Exchange();
        Assert.Single(Left.Conflicts);
    }

    [Fact]
    public void Resolving_refuses_once_the_cell_has_changed()
    {
        Left.Put("k", 1);
        Right.Put("k", 2);
        Exchange();
        Conflict conflict = Left.Conflicts.Single();
        using var third = new Site(3);
        third.Dataset.Put("k", 3);
        _left.Apply(third.Delta(VersionVector.Empty));
        Assert.False(Left.Resolve(conflict, 9));
        Assert.True(Left.Resolve(Left.Conflicts.Single(), 9));
        Exchange();
        Assert.Equal(9, Right.Get<int>("k"));
        Assert.Empty(Right.Conflicts);
    }

    [Fact]
    public void A_resolver_is_applied_on_reading_and_never_written()
    {
        Left.Put("k", 5);
        Right.Put("k", 7);
        Left.Map("m")["f"] = 5;
        Right.Map("m")["f"] = 7;
        Exchange();
        ulong digest = Left.Digest;
        long revision = Left.Revision;
        foreach (Dataset dataset in new[] { Left, Right })
        {
            dataset.Resolver = static (_, _, writes) => writes.Sum(static write => write.Value.AsInteger());
            Assert.Equal(12, dataset.Get<int>("k"));
            Assert.Equal(12, dataset.Map("m").Get<int>("f"));
        }

        Assert.Equal(2, Left.Conflicts.Count);
        Assert.Equal(digest, Left.Digest);
        Assert.Equal(revision, Left.Revision);
    }

    [Fact]
    public void Records_of_one_key_and_several_kinds_are_several_records()
    {
        foreach (KindOperations operations in KindOperations.All)
        {
            var random = new Random(2);
            for (int i = 0; i < 5; i++) operations.Operate(Left, "x", random);
        }

        Left.Put("x", 1);
        Left.Counter("x").Add(1);
        int count = Left.Records.Count(static record => record.Key == "x");
        Assert.InRange(count, 5, 7);
        Left.Delete("x");
        Assert.Equal(count - 1, Left.Records.Count);
        Exchange();
        Assert.Equal(KindOperations.Read(Left), KindOperations.Read(Right));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_transaction_that_throws_anywhere_leaves_the_exact_state(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            if (round % 5 == 0) Exchange();
            KindOperations.All[random.Next(7)].Operate(Right, "k" + random.Next(2), random);
            string before = CellReader.Fingerprint(Left), reading = KindOperations.Read(Left);
            int stop = random.Next(12);
            bool throws = random.Next(3) > 0;
            void Act(Transaction w)
            {
                for (int i = 0; i < stop; i++) KindOperations.All[random.Next(7)].Operate(w, "k" + random.Next(2), random);
                if (throws) throw new InvalidOperationException("planted");
            }

            if (!throws)
            {
                Left.Write(Act);
            }
            else
            {
                Assert.Throws<InvalidOperationException>(() => Left.Write(Act));
                Assert.Equal(before, CellReader.Fingerprint(Left));
                Assert.Equal(reading, KindOperations.Read(Left));
            }

            CellReader.AssertFiguresAreRight(Left);
        }

        Exchange();
        Assert.Equal(Left.Digest, Right.Digest);
        Assert.Equal(KindOperations.Read(Left), KindOperations.Read(Right));
    }

    private void Fill(params string[] elements)
    {
        foreach (string element in elements) Left.List("l").Add(element);
        Exchange();
    }

    private void Exchange()
    {
        _right.Apply(_left.Delta(Right.Version));
        _left.Apply(_right.Delta(Left.Version));
        Assert.Equal(JoinOutcome.AlreadyKnown, _right.Apply(_left.Delta(Right.Version)));
        Assert.Equal(Left.Digest, Right.Digest);
    }

    private static List<string> Strings(Dataset dataset) =>
        dataset.List("l").ToArray().Select(static value => value.AsString()).ToList();
}
