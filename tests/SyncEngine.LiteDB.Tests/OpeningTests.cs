using SyncEngine.Causality;
using SyncEngine.Storage;
using Xunit;

namespace SyncEngine.LiteDB.Tests;

/// <summary>Files that cannot be opened, and what is said about them.</summary>
public sealed class OpeningTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_second_opening_fails_at_once_and_names_the_file()
    {
        using (_store.Open())
        {
            var error = Assert.Throws<SyncException>(() => _store.Open());
            Assert.Equal(SyncErrorCode.FileInUse, error.Code);
            Assert.Contains(_store.Path, error.Message, StringComparison.Ordinal);
        }

        _store.Open().Dispose();
    }

    [Fact]
    public void A_file_of_another_kind_is_left_untouched()
    {
        var foreign = new[]
        {
            "shopping list"u8.ToArray(), [], new byte[100_000],
            Enumerable.Range(0, 9_000).Select(i => (byte)i).ToArray(),
        };
        foreach (var bytes in foreign)
        {
            File.WriteAllBytes(_store.Path, bytes);
            AssertRefused(SyncErrorCode.Damaged);
            Assert.Equal(bytes, File.ReadAllBytes(_store.Path));
        }
    }

    [Fact]
    public void A_database_of_LiteDB_that_is_no_store_is_left_untouched()
    {
        using (var database = new global::LiteDB.LiteDatabase(_store.Path))
        {
            _ = database.GetCollection("mine").Insert(new global::LiteDB.BsonDocument { ["a"] = 1 });
        }

        var bytes = File.ReadAllBytes(_store.Path);
        AssertRefused(SyncErrorCode.Damaged);
        Assert.Equal(bytes, File.ReadAllBytes(_store.Path));
    }

    [Fact]
    public void A_newer_format_asks_for_an_update()
    {
        using (var storage = _store.Open()) Commit(storage, 1);
        var bytes = File.ReadAllBytes(_store.Path);
        bytes[120]++;
        File.WriteAllBytes(_store.Path, bytes);
        AssertRefused(SyncErrorCode.UnsupportedVersion);
        Assert.Equal(bytes, File.ReadAllBytes(_store.Path));
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        var error = Assert.Throws<SyncException>(() =>
            LiteDbStorage.Open(_store.In("none/store.db"), _store.Options));
        Assert.Equal(SyncErrorCode.StorageFailed, error.Code);
        Assert.Contains("folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_is_an_ordinary_database_of_LiteDB()
    {
        using (var storage = _store.Open()) Commit(storage, 1);
        using var database = new global::LiteDB.LiteDatabase($"Filename={_store.Path};ReadOnly=true");
        Assert.Equal(1, database.GetCollection("log").Count());
        Assert.Equal(1, database.GetCollection("meta").Count());
    }

    [Fact]
    public void A_file_of_which_only_the_database_is_left_holds_everything_that_was_closed()
    {
        using (var storage = _store.Open()) Commit(storage, 1);
        File.Delete(_store.Path + "-wal");
        File.Delete(_store.Path + ".lock");
        using var reopened = _store.Open();
        Assert.False(reopened.IsCopied);
        Assert.Equal(1, reopened.ReadMetadata()[1][0]);
    }

    [Fact]
    public void A_disposed_storage_says_so()
    {
        var storage = _store.Open();
        storage.Dispose();
        storage.Dispose();
        _ = Assert.Throws<ObjectDisposedException>(() => storage.Commit(new StorageBatch()));
        _ = Assert.Throws<ObjectDisposedException>(() => storage.ReadMetadata());
    }

    private static void Commit(LiteDbStorage storage, byte value)
    {
        var batch = new StorageBatch();
        batch.Metadata[1] = [value];
        batch.Frames.Add(new LogFrame(1, value, new byte[] { value }));
        storage.Commit(batch);
    }

    private void AssertRefused(SyncErrorCode code)
    {
        var error = Assert.Throws<SyncException>(() => _store.Open());
        Assert.Equal(code, error.Code);
        Assert.Contains(_store.Path, error.Message, StringComparison.Ordinal);
    }
}
