using FsCheck.Xunit;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Laws;

/// <summary>The laws of the join, over every kind: each kind only brings its operations.</summary>
public sealed class JoinLaws
{
    public static TheoryData<RecordKind> Kinds() => new(KindOperations.All.Select(static o => o.Kind));

    [Property(MaxTest = 60)]
    public void Every_kind_keeps_every_law(int seed)
    {
        foreach (KindOperations operations in KindOperations.All) Check(operations, seed);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_keeps_every_law_on_fixed_histories(RecordKind kind)
    {
        for (int seed = 0; seed < 15; seed++) Check(KindOperations.Of(kind), seed);
    }

    private static void Check(KindOperations operations, int seed)
    {
        try
        {
            using var history = new LawHistory(operations, seed);
            history.Diverge();
            Join_is_commutative_associative_and_idempotent(history);
            A_delta_equals_the_full_state(history);
            Digests_are_equal_exactly_if_live_entries_are(history);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{operations.Kind}, seed {seed}: {e.Message}", e);
        }
    }

    private static void Join_is_commutative_associative_and_idempotent(LawHistory history)
    {
        byte[][] states = history.Sites.Select(static site => site.Delta(VersionVector.Empty)).ToArray();
        int[][] orders = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 0, 1, 2, 1, 2, 0]];
        string? entries = null, reading = null;
        foreach (int[] order in orders)
        {
            Dataset fresh = LawHistory.Fresh();
            foreach (int i in order) Assert.NotEqual(JoinOutcome.Gap, fresh.Join(states[i]).Outcome);
            CellReader.AssertFiguresAreRight(fresh);
            Assert.Equal(entries ??= CellReader.Print(fresh, liveOnly: true), CellReader.Print(fresh, liveOnly: true));
            Assert.Equal(reading ??= KindOperations.Read(fresh), KindOperations.Read(fresh));
        }

        // Joining pairs first and the pair as one state afterwards comes to the same.
        Dataset pair = LawHistory.Fresh(), all = LawHistory.Fresh();
        pair.Join(states[1]);
        pair.Join(states[2]);
        all.Join(states[0]);
        all.Join(pair.DeltaAsync(VersionVector.Empty).AsTask().GetAwaiter().GetResult());
        Assert.Equal(entries, CellReader.Print(all, liveOnly: true));
    }

    private static void A_delta_equals_the_full_state(LawHistory history)
    {
        Site source = history.Sites[0], target = history.Sites[1];
        byte[] own = target.Delta(VersionVector.Empty);
        Dataset byDelta = LawHistory.Fresh(), byState = LawHistory.Fresh(), packed = LawHistory.Fresh();
        byDelta.Join(own);
        byState.Join(own);
        packed.Join(own);
        byDelta.Join(source.Delta(CellReader.VectorOf(byDelta)));
        byState.Join(source.Delta(VersionVector.Empty));
        packed.Join(source.Dataset.DeltaAsync(CellReader.VectorOf(packed), packs: true).AsTask().GetAwaiter().GetResult());
        Assert.Equal(CellReader.Print(byState, liveOnly: true), CellReader.Print(byDelta, liveOnly: true));
        Assert.Equal(CellReader.Print(byDelta), CellReader.Print(packed));
        Assert.Equal(CellReader.VectorOf(byState), CellReader.VectorOf(byDelta));
        Assert.Equal(byState.Digest, byDelta.Digest);

        // Encoding and decoding any state gives that state: a fresh replica is its source, deletes included.
        Dataset copy = LawHistory.Fresh();
        copy.Join(source.Delta(VersionVector.Empty));
        Assert.Equal(CellReader.Print(source.Dataset), CellReader.Print(copy));
        Assert.Equal(KindOperations.Read(source.Dataset), KindOperations.Read(copy));
        Assert.Equal(source.Dataset.Collected, copy.Collected);
    }

    private static void Digests_are_equal_exactly_if_live_entries_are(LawHistory history)
    {
        foreach (Site a in history.Sites)
            foreach (Site b in history.Sites)
                Assert.Equal(
                    CellReader.Print(a.Dataset, liveOnly: true) == CellReader.Print(b.Dataset, liveOnly: true),
                    a.Dataset.Digest == b.Dataset.Digest);
        history.Converge();
        foreach (Site site in history.Sites)
        {
            Assert.Equal(history.Sites[0].Dataset.Digest, site.Dataset.Digest);
            Assert.Equal(history.Sites[0].Dataset.Version, site.Dataset.Version);
            Assert.Equal(KindOperations.Read(history.Sites[0].Dataset), KindOperations.Read(site.Dataset));
            CellReader.AssertFiguresAreRight(site.Dataset);
        }
    }
}
