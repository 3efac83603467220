using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Storage;

public sealed class FailureTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly Faults _faults = new();
    private readonly Site _site;

    public FailureTests() => _site = new Site(1, _disk, 0, () => new FaultyStorage(_disk.Open(), _faults));

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task A_failed_commit_keeps_what_is_pending_and_refuses_more_until_a_retry()
    {
        await _site.Dataset.PutAsync("a", 1);
        _faults.BeforeCommit = static _ => new SyncException(SyncErrorCode.StorageFull, "planted");
        var failure = await Assert.ThrowsAsync<SyncException>(() => _site.Dataset.PutAsync("b", 2).AsTask());
        Assert.Equal(SyncErrorCode.StorageFull, failure.Code);
        Assert.Equal(2, _site.Dataset.Get<int>("b"));
        string pending = CellReader.Fingerprint(_site.Dataset);
        foreach (Action refused in new Action[]
        {
            () => _site.Dataset.Put("c", 3), () => _site.Dataset.Write(static w => w["c"] = 3),
            () => _site.Dataset.Counter("n").Add(1), () => _site.Dataset.ForgetDeletes(VersionVector.Empty),
            () => _site.Dataset.Join(Other()),
        })
            Assert.Equal(SyncErrorCode.StorageFull, Assert.Throws<SyncException>(refused).Code);
        await Assert.ThrowsAsync<SyncException>(() => _site.Dataset.DeltaAsync(VersionVector.Empty).AsTask());
        Assert.Equal(pending, CellReader.Fingerprint(_site.Dataset));
        Assert.Equal(1, _site.Dataset.Version[_site.Dataset.ReplicaId]);

        _faults.BeforeCommit = static _ => null;
        await _site.Dataset.FlushAsync();
        await _site.Dataset.PutAsync("c", 3);
        Assert.Equal(3, _site.Dataset.Version[_site.Dataset.ReplicaId]);
        string before = CellReader.Fingerprint(_site.Dataset);
        _site.Reopen();
        Assert.Equal(before, CellReader.Fingerprint(_site.Dataset));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void After_a_power_cut_all_that_was_acknowledged_is_there_and_no_dot_is_reused(int seed)
    {
        var random = new Random(seed);
        using var peer = new Site(2);
        var sent = new Dictionary<Dot, string>();
        int acknowledged = 0;
        for (int life = 0; life < 15; life++)
        {
            _faults.PowerFailsAfter = _faults.Commits + random.Next(1, 12);
            try
            {
                for (int i = 0; i < 100; i++)
                {
                    _site.Dataset.Put("k" + random.Next(5), $"{life}.{i}");
                    if (random.Next(2) == 0) continue;
                    _site.Dataset.Counter("acknowledged").Add(1);
                    _site.Flush();
                    acknowledged++;
                    if (random.Next(3) != 0) continue;
                    peer.Apply(_site.Delta(peer.Dataset.Version));
                    NoteDots(peer.Dataset, sent);
                }
            }
            catch (SyncException)
            {
                // The power is gone in the middle of something.
            }

            _site.Close();
            _faults.PowerFailsAfter = int.MaxValue;
            _site.OpenAgain();
            Assert.InRange(_site.Dataset.Counter("acknowledged").Value, acknowledged, acknowledged + 1);
            acknowledged = (int)_site.Dataset.Counter("acknowledged").Value;
            Assert.True(peer.Dataset.Version.IsAtMost(_site.Dataset.Version), "Something left before it was durable.");
        }

        peer.Dataset.Put("k1", "peer");
        peer.Apply(_site.Delta(peer.Dataset.Version));
        _site.Apply(peer.Delta(_site.Dataset.Version));
        NoteDots(_site.Dataset, sent);
        Assert.Equal(peer.Dataset.Digest, _site.Dataset.Digest);
    }

    [Fact]
    public void A_damaged_frame_stops_deltas_until_a_peer_heals_it()
    {
        using var peer = new Site(2);
        for (int i = 0; i < 6; i++)
        {
            _site.Dataset.Put("k" + i, i);
            _site.Flush();
        }

        peer.Apply(_site.Delta(VersionVector.Empty));
        ReplicaId replica = _site.Dataset.ReplicaId;
        _site.Close();
        _faults.Damaged.Add((false, 3));
        _site.OpenAgain();
        Assert.True(_site.Dataset.IsDamaged);
        Assert.Single(_site.Dataset.Faults);
        Assert.True(_site.Dataset["k2"].IsMissing);
        Assert.Equal(SyncErrorCode.Damaged, Assert.Throws<SyncException>(() => _site.Delta(VersionVector.Empty)).Code);
        _site.Dataset.Put("new", 1);
        Assert.NotEqual(replica, _site.Dataset.ReplicaId);
        Assert.Equal(JoinOutcome.Joined, _site.Apply(peer.Delta(_site.Dataset.Version)));
        Assert.False(_site.Dataset.IsDamaged);
        peer.Apply(_site.Delta(peer.Dataset.Version));
        Assert.Equal(peer.Dataset.Digest, _site.Dataset.Digest);
        Assert.Equal(7, _site.Dataset.Count);
        CellReader.AssertFiguresAreRight(_site.Dataset);
    }

    [Fact]
    public void Accepting_the_loss_of_a_damaged_frame_lets_the_rest_sync()
    {
        for (int i = 0; i < 6; i++)
        {
            _site.Dataset.Put("k" + i, i);
            _site.Flush();
        }

        _site.Close();
        _faults.Damaged.Add((false, 3));
        _site.OpenAgain();
        _site.Dataset.AcceptLoss();
        Assert.False(_site.Dataset.IsDamaged);
        using var peer = new Site(2);
        peer.Apply(_site.Delta(VersionVector.Empty));
        Assert.Equal(5, peer.Dataset.Count);
        Assert.Equal(_site.Dataset.Digest, peer.Dataset.Digest);
    }

    [Fact]
    public void Eight_threads_at_once_lose_nothing()
    {
        using var peer = new Site(2);
        for (int i = 0; i < 200; i++) peer.Dataset.Counter("total").Add(1);
        byte[] news = peer.Delta(VersionVector.Empty);
        Dataset dataset = _site.Dataset;
        var failures = new List<Exception>();
        var threads = Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            try
            {
                for (int i = 0; i < 300; i++)
                {
                    dataset.Counter("total").Add(1);
                    dataset.Put($"k{t}.{i % 10}", i);
                    if (i % 50 == t) dataset.Join(news);
                    if (i % 40 == t) using (dataset.Changes.Subscribe(static _ => { })) dataset.Set("s").Add(i);
                    if (i % 25 == t) _site.Flush();
                    Assert.Equal(i, dataset.Get<int>($"k{t}.{i % 10}"));
                }
            }
            catch (Exception e)
            {
                lock (failures) failures.Add(e);
            }
        })).ToList();
        threads.ForEach(static thread => thread.Start());
        Assert.All(threads, static thread => Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "A thread hangs."));
        Assert.Empty(failures);
        Assert.Equal((8 * 300) + 200, dataset.Counter("total").Value);
        CellReader.AssertFiguresAreRight(dataset);
        string before = CellReader.Fingerprint(dataset);
        _site.Reopen();
        Assert.Equal(before, CellReader.Fingerprint(_site.Dataset));
    }

    /// <summary>A dot that stands for two different writes at two times was reused.</summary>
    private static void NoteDots(Dataset dataset, Dictionary<Dot, string> sent)
    {
        foreach (StandingEntry entry in CellReader.Standing(dataset))
        {
            string write = $"{entry.Kind} {entry.Key} {entry.Value}";
            Assert.Equal(write, sent.GetValueOrDefault(entry.Dot, write));
            sent[entry.Dot] = write;
        }
    }

    private static byte[] Other()
    {
        using var other = new Site(9);
        other.Dataset.Put("x", 1);
        return other.Delta(VersionVector.Empty);
    }
}
