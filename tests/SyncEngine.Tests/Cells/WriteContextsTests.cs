using FsCheck.Xunit;
using SyncEngine.Cells;
using Xunit;

namespace SyncEngine.Tests.Cells;

/// <summary>What was known when a write was made is told right, or not at all.</summary>
public sealed class WriteContextsTests
{
    private const int Replicas = 3;

    [Property(MaxTest = 200)]
    public void It_tells_what_was_known_at_each_write(int seed)
    {
        var random = new System.Random(seed);
        var contexts = new WriteContexts();
        var known = new long[Replicas];
        var atWrites = new List<long[]>();
        long first = random.Next(5), own = first;
        for (int step = random.Next(60); step > 0; step--)
        {
            int replica = random.Next(Replicas + 1);
            if (replica == Replicas)
            {
                contexts.NoteWrite(++own);
                atWrites.Add([.. known]);
                continue;
            }

            contexts.NoteRaise(own, replica, known[replica]);
            known[replica] += random.Next(1, 4);
        }

        for (int write = 0; write < atWrites.Count; write++)
        {
            for (int replica = 0; replica < Replicas; replica++)
            {
                for (long counter = 1; counter <= known[replica]; counter++)
                    Assert.Equal(counter <= atWrites[write][replica], contexts.Knew(first + write + 1, replica, counter));
            }
        }

        Assert.Null(contexts.Knew(first, 0, 1));
        contexts.Clear();
        Assert.Null(contexts.Knew(own, 0, 1));
    }

    [Fact]
    public void It_forgets_rather_than_grow_for_ever()
    {
        var contexts = new WriteContexts();
        const int Writes = 100_000;
        for (int own = 1; own <= Writes; own++)
        {
            contexts.NoteWrite(own);
            contexts.NoteRaise(own, 0, own - 1);
        }

        Assert.Null(contexts.Knew(1, 0, 1));
        for (int own = 1; own <= Writes; own++)
        {
            if (contexts.Knew(own, 0, own - 1) is { } knew) Assert.True(knew);
            Assert.NotEqual(true, contexts.Knew(own, 0, own));
        }

        Assert.False(contexts.Knew(Writes, 0, Writes));
    }
}
