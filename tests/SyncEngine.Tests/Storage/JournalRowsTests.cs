using FsCheck.Xunit;
using SyncEngine.Causality;
using SyncEngine.Storage;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Storage;

/// <summary>Rows against a plain dictionary: whatever is gathered, committed, refused by the disk, dropped or pushed out of
/// memory, reads find what was set last.</summary>
public sealed class JournalRowsTests
{
    private static readonly string[] _prefixes = ["a/", "b/", "c/"];

    [Property(MaxTest = 400)]
    public void Reads_find_what_was_set_last(int seed)
    {
        var random = new Random(seed);
        var disk = new MemoryDisk();
        var faults = new Faults();
        Dictionary<string, byte[]> model = new(StringComparer.Ordinal);
        Journal journal = Open(disk, faults);
        bool fails = false;
        faults.BeforeCommit = _ => fails ? new SyncException(SyncErrorCode.StorageFull, "planted") : null;
        for (int step = 0; step < 120; step++)
        {
            switch (random.Next(10))
            {
                case 0 or 1 or 2:
                    Set(journal, model, random);
                    break;
                case 3:
                    journal.GatherNow();
                    break;
                case 4:
                    fails = random.Next(3) == 0;
                    journal.StepNow();
                    break;
                case 5 when journal.Gathered is null:
                    string dropped = _prefixes[random.Next(_prefixes.Length)];
                    journal.Drop(1, null, dropped);
                    journal.GatherNow();
                    foreach (string key in model.Keys.Where(key => key.StartsWith(dropped, StringComparison.Ordinal)).ToList())
                        model.Remove(key);
                    break;
                case 6 when random.Next(4) == 0:
                    fails = false;
                    journal.RunNow();
                    journal.Dispose();
                    journal = Open(disk, faults);
                    break;
                default:
                    string asked = KeyOf(random);
                    Assert.Equal(model.GetValueOrDefault(asked), Read(journal, asked));
                    break;
            }

            string prefix = _prefixes[random.Next(_prefixes.Length)];
            IReadOnlyList<KeyValuePair<string, byte[]>> range = Range(journal, prefix);
            Assert.Equal(model.Where(row => row.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(static row => row.Key)
                .Order(StringComparer.Ordinal), range.Select(static row => row.Key));
        }

        fails = false;
        journal.RunNow();
        journal.Dispose();
        using ISyncStorage stored = disk.Open();
        Assert.Equal(model.OrderBy(static row => row.Key, StringComparer.Ordinal), stored.ReadRows("", null, int.MaxValue));
    }

    [Property(MaxTest = 300)]
    public void Recent_rows_are_what_was_set_last_or_unknown(int seed)
    {
        const int bytesMax = 4000;
        var random = new Random(seed);
        var recent = new RecentRows(bytesMax);
        Dictionary<string, byte[]?> model = new(StringComparer.Ordinal);
        for (int step = 0; step < 500; step++)
        {
            string key = "k" + random.Next(60);
            if (random.Next(2) == 0)
            {
                byte[]? bytes = random.Next(5) == 0 ? null : new byte[random.Next(10) == 0 ? 3000 : random.Next(200)];
                recent.Set(key, bytes);
                model[key] = bytes;
            }
            else if (recent.TryGet(key, out byte[]? found))
            {
                Assert.Same(model[key], found);
            }
        }

        // 120 bytes go for what keeps an entry.
        Assert.InRange(model.Keys.Where(key => recent.TryGet(key, out _))
            .Sum(key => 120 + (2 * key.Length) + (model[key]?.Length ?? 0)), 1, bytesMax);
    }

    [Fact]
    public void Rows_read_lately_are_not_read_again()
    {
        var disk = new MemoryDisk();
        var faults = new Faults();
        using Journal journal = Open(disk, faults);
        Assert.Null(Read(journal, "a/1"));
        Assert.Null(Read(journal, "a/1"));
        Assert.Equal(1, faults.RowReads);
        journal.SetRows([new("a/1", [1]), new("a/2", [2])]);
        journal.RunNow();
        journal.SetRows([new("a/3", [3])]);
        journal.RunNow();
        Assert.Equal([1], Read(journal, "a/1"));
        Assert.Equal([2], Read(journal, "a/2"));
        journal.NoteAbsent("b/new");
        Assert.Null(Read(journal, "b/new"));
        Assert.Equal(1, faults.RowReads);
    }

    private static Journal Open(MemoryDisk disk, Faults faults) => Journal.OpenAsync(
        () => new FaultyStorage(disk.Open(), faults), isByHand: true).AsTask().GetAwaiter().GetResult();

    private static void Set(Journal journal, Dictionary<string, byte[]> model, Random random)
    {
        var rows = new List<KeyValuePair<string, byte[]?>>();
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            string key = KeyOf(random);

            // Some do not fit into memory's bound, so that reads go to the disk.
            byte[]? bytes = random.Next(4) == 0 ? null : new byte[random.Next(8) == 0 ? 1_200_000 : random.Next(1, 50)];
            if (bytes is not null) random.NextBytes(bytes.AsSpan(0, Math.Min(bytes.Length, 8)));
            rows.Add(new(key, bytes));
            if (bytes is null) model.Remove(key);
            else model[key] = bytes;
        }

        _ = journal.SetRows(rows);
    }

    private static string KeyOf(Random random) => _prefixes[random.Next(_prefixes.Length)] + random.Next(6);

    private static byte[]? Read(Journal journal, string key) => journal.ReadRowAsync(key).AsTask().GetAwaiter().GetResult();

    private static IReadOnlyList<KeyValuePair<string, byte[]>> Range(Journal journal, string prefix) =>
        journal.ReadRowsAsync(prefix, null, int.MaxValue).GetAwaiter().GetResult();
}
