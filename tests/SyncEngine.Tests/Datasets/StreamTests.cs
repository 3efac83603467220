using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Tests.Simulation;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Tests.Datasets;

/// <summary>An observer that keeps what it gets and can be waited for.</summary>
internal sealed class Collector<T>(Action<T>? onNext = null) : IObserver<T>
{
    private readonly object _gate = new();
    private readonly List<T> _items = [];
    private bool _completed;

    public void OnNext(T value)
    {
        onNext?.Invoke(value);
        lock (_gate)
        {
            Assert.False(_completed);
            _items.Add(value);
            Monitor.PulseAll(_gate);
        }
    }

    public void OnError(Exception error) => throw error;

    public void OnCompleted()
    {
        lock (_gate)
        {
            _completed = true;
            Monitor.PulseAll(_gate);
        }
    }

    public IReadOnlyList<T> Until(Func<IReadOnlyList<T>, bool> condition) => Wait(() => condition(_items));

    public IReadOnlyList<T> UntilCompleted() => Wait(() => _completed);

    private List<T> Wait(Func<bool> condition)
    {
        lock (_gate)
        {
            while (!condition())
                if (!Monitor.Wait(_gate, TimeSpan.FromSeconds(30))) throw new TimeoutException("Nothing came.");
            return [.. _items];
        }
    }
}

public sealed class StreamTests
{
    [Fact]
    public void A_change_set_tells_what_one_transaction_changed()
    {
        using var site = new Site(1);
        var seen = new Collector<ChangeSet>();
        site.Dataset.Put("old", 1);
        site.Dataset.Put("gone", 1);
        using IDisposable subscription = site.Dataset.Changes.Subscribe(seen);
        site.Dataset.Write(w =>
        {
            w["new"] = 1;
            w["old"] = 2;
            w["old"] = 3;
            w.Delete("gone");
            w.Counter("c").Add(5);
            w.Set("s").Add("e");
            w.Map("m")["f"] = true;
            w["fleeting"] = 1;
            w.Delete("fleeting");
        });
        ChangeSet changes = seen.Until(items => items.Count == 1)[0];
        Assert.Equal(3, changes.Revision);
        Assert.False(changes.Origin.IsRemote);
        Assert.Equal(
            ["c Added  -> 5", "gone Removed 1 -> ", "m Added  -> true", "new Added  -> 1", "old Updated 1 -> 3",
                "s Added  -> "],
            changes.Select(c => $"{c.Key} {c.Type} {Show(c.OldValue)} -> {Show(c.NewValue)}").Order());
        Assert.Equal("f", changes.Single(c => c.Key == "m").Field);
        Assert.Equal("e", changes.Single(c => c.Key == "s").Element.AsString());
    }

    [Fact]
    public void A_merge_tells_its_origin_and_the_conflict_it_made()
    {
        using Site left = new(1), right = new(2);
        left.Dataset.Put("k", "left");
        right.Dataset.Put("k", "right");
        var seen = new Collector<ChangeSet>();
        using IDisposable subscription = left.Dataset.Changes.Subscribe(seen);
        left.Apply(right.Delta(VersionVector.Empty));
        ChangeSet changes = seen.Until(items => items.Count == 1)[0];
        Assert.Equal(new ChangeOrigin(true, right.Dataset.ReplicaId), changes.Origin);
        Change change = Assert.Single(changes);
        Assert.Equal(ChangeType.Conflicted, change.Type);
        Assert.Equal("left", change.OldValue.AsString());
        Assert.Equal(left.Dataset["k"], change.NewValue);
        Assert.Equal(left.Dataset.Conflicts.Single().Winner.Dot.Replica, change.Writer);
        left.Apply(right.Delta(VersionVector.Empty));
        left.Dataset.Put("k", "end");
        IReadOnlyList<ChangeSet> all = seen.Until(items => items.Count == 2);
        Assert.Equal(ChangeType.Updated, all[1].Single().Type);
    }

    [Fact]
    public void Change_sets_come_in_order_after_they_are_visible()
    {
        using var site = new Site(1);
        Dataset dataset = site.Dataset;
        var late = 0;
        var seen = new Collector<ChangeSet>(c => late += dataset.Revision < c.Revision ? 1 : 0);
        using IDisposable subscription = dataset.Changes.Subscribe(seen);
        Parallel.For(0, 4, t =>
        {
            for (int i = 0; i < 500; i++) dataset.Put("k" + t, i);
        });
        IReadOnlyList<ChangeSet> all = seen.Until(items => items.Count == 2000);
        Assert.Equal(Enumerable.Range(1, 2000).Select(i => (long)i), all.Select(c => c.Revision));
        Assert.Equal(0, late);
    }

    [Fact]
    public void An_observer_that_throws_or_blocks_harms_no_other()
    {
        var failures = new Collector<Exception>();
        var context = new DatasetContext { ChangeQueueMax = 8, ObserverFailed = failures.OnNext };
        var dataset = new Dataset("save", 1, context);
        using var release = new ManualResetEventSlim();
        var good = new Collector<ChangeSet>();
        int calls = 0;
        var throwing = new Collector<ChangeSet>(_ =>
        {
            calls++;
            throw new InvalidOperationException("planted");
        });
        var blocked = new Collector<ChangeSet>(_ => release.Wait());
        using IDisposable a = dataset.Changes.Subscribe(throwing);
        using IDisposable b = dataset.Changes.Subscribe(blocked);
        using IDisposable c = dataset.Changes.Subscribe(good);
        for (int i = 1; i <= 100; i++)
        {
            dataset.Put("k", i);
            good.Until(items => items.Count == i);
        }

        Assert.All(good.Until(static _ => true), static changes => Assert.False(changes.IsResync));
        Assert.Equal("planted", failures.Until(items => items.Count == 1)[0].Message);
        Assert.Equal(1, calls);
        release.Set();
        IReadOnlyList<ChangeSet> behind = blocked.Until(items => items.Count > 0 && items[^1].Revision == 100);
        Assert.Contains(behind, static changes => changes.IsResync);
        long before = 0;
        foreach (ChangeSet changes in behind)
        {
            Assert.True(changes.IsResync || changes.Revision == before + 1, "A gap without a resync.");
            before = changes.Revision;
        }
    }

    [Fact]
    public void Observing_a_key_starts_with_its_value_and_never_goes_back()
    {
        using var site = new Site(1);
        Dataset dataset = site.Dataset;
        dataset.Put("k", 0);
        using var stop = new CancellationTokenSource();
        var writer = new Thread(() =>
        {
            for (long i = 1; !stop.IsCancellationRequested; i++) dataset.Put("k", i);
        });
        writer.Start();
        try
        {
            for (int round = 0; round < 200; round++)
            {
                var seen = new Collector<Value>();
                using IDisposable subscription = dataset.Observe("k").Subscribe(seen);
                List<long> values = [.. seen.Until(items => items.Count >= 5).Select(value => value.AsInteger())];
                Assert.Equal(values.Order(), values);
            }
        }
        finally
        {
            stop.Cancel();
            writer.Join();
        }
    }

    [Fact]
    public void Observing_a_key_that_is_missing_starts_with_nothing_and_ends_with_the_dataset()
    {
        var site = new Site(1);
        var seen = new Collector<Value>();
        using IDisposable subscription = site.Dataset.Observe("k").Subscribe(seen);
        Assert.True(seen.Until(items => items.Count == 1)[0].IsMissing);
        site.Dataset.Put("k", 1);
        seen.Until(items => items.Count == 2);
        site.Dataset.Put("k", 1);
        site.Dataset.Delete("k");
        Assert.True(seen.Until(items => items.Count == 3)[2].IsMissing);
        site.Dispose();
        seen.UntilCompleted();
        var late = new Collector<Value>();
        using IDisposable none = site.Dataset.Observe("k").Subscribe(late);
        late.UntilCompleted();
    }

    [Fact]
    public void A_prefix_sees_only_its_keys()
    {
        using var site = new Site(1);
        var seen = new Collector<ChangeSet>();
        using IDisposable subscription = site.Dataset.ObservePrefix("a/ü").Subscribe(seen);
        site.Dataset.Put("a/u", 1);
        site.Dataset.Write(w => (w["a/ü1"], w["b"]) = (1, 2));
        Assert.Equal("a/ü1", seen.Until(items => items.Count == 1)[0].Single().Key);
    }

    [Fact]
    public void What_was_changed_before_closing_is_delivered_before_the_end()
    {
        for (int round = 0; round < 50; round++)
        {
            var site = new Site(1);
            var seen = new Collector<ChangeSet>();
            using IDisposable subscription = site.Dataset.Changes.Subscribe(seen);
            for (int i = 0; i < 20; i++) site.Dataset.Put("k", i);
            site.Dispose();
            Assert.Equal(20, seen.UntilCompleted().Count);
        }
    }

    [Fact]
    public void Subscribing_inside_a_transaction_misses_nothing_after_it()
    {
        using var site = new Site(1);
        var seen = new Collector<ChangeSet>();
        IDisposable? subscription = null;
        site.Dataset.Write(w =>
        {
            subscription = site.Dataset.Changes.Subscribe(seen);
            w["a"] = 1;
        });
        site.Dataset.Put("b", 1);
        Assert.Equal("b", seen.Until(items => items.Count == 2)[1].Single().Key);
        subscription!.Dispose();
    }

    private static string Show(Value value) => value.IsMissing ? "" : value.ToString();
}
