using SyncEngine.Storage;
using Xunit;

namespace SyncEngine.LiteDB.Tests;

/// <summary>When a file was copied or restored, so that it must take new replica ids, and when not.</summary>
public sealed class CopyTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Reopening_is_no_copy()
    {
        for (var i = 1; i <= 5; i++)
        {
            using var storage = _store.Open();
            Assert.False(storage.IsCopied);
            Commit(storage, i);
        }
    }

    [Fact]
    public void A_closed_file_copied_elsewhere_is_a_copy_until_it_is_claimed()
    {
        using (var storage = _store.Open()) Commit(storage, 1);
        var copy = _store.In("copy.db");
        File.Copy(_store.Path, copy);
        using (var storage = LiteDbStorage.Open(copy, _store.Options))
        {
            Assert.True(storage.IsCopied);
            Commit(storage, 2);
            Assert.True(storage.IsCopied);
        }

        using (var storage = LiteDbStorage.Open(copy, _store.Options))
        {
            Assert.True(storage.IsCopied);
            storage.Commit(new StorageBatch { ClaimsFile = true });
            Assert.False(storage.IsCopied);
        }

        using (var storage = LiteDbStorage.Open(copy, _store.Options)) Assert.False(storage.IsCopied);
        using (var original = _store.Open()) Assert.False(original.IsCopied);
    }

    [Fact]
    public void A_moved_file_is_no_copy()
    {
        using (var storage = _store.Open()) Commit(storage, 1);
        File.Move(_store.Path, _store.In("moved.db"));
        using var moved = LiteDbStorage.Open(_store.In("moved.db"), _store.Options);
        Assert.False(moved.IsCopied);
    }

    [Fact]
    public void Old_bytes_written_back_into_the_same_file_are_a_copy()
    {
        using (var storage = _store.Open()) Commit(storage, 1);
        var old = File.ReadAllBytes(_store.Path);
        using (var storage = _store.Open()) Commit(storage, 2);
        Overwrite(_store.Path, old);
        using (var storage = _store.Open())
        {
            Assert.True(storage.IsCopied);
            storage.Commit(new StorageBatch { ClaimsFile = true });
        }

        using (var storage = _store.Open())
        {
            Assert.False(storage.IsCopied);
            Commit(storage, 3);
        }

        // The same backup once more, after the store went on.
        Overwrite(_store.Path, old);
        using (var storage = _store.Open()) Assert.True(storage.IsCopied);
    }

    [Fact]
    public void Another_machine_is_a_copy()
    {
        using (var storage = _store.Open()) Commit(storage, 1);
        var options = _store.Options;
        options.MachineIdentity = () => [9, 9];
        using var elsewhere = LiteDbStorage.Open(_store.Path, options);
        Assert.True(elsewhere.IsCopied);
    }

    [Fact]
    public void A_platform_without_identities_never_sees_a_copy_by_place()
    {
        var options = _store.Options;
        options.MachineIdentity = () => null;
        using (var storage = LiteDbStorage.Open(_store.Path, options)) Commit(storage, 1);
        File.Copy(_store.Path, _store.In("copy.db"));
        using var copy = LiteDbStorage.Open(_store.In("copy.db"), options);
        Assert.False(copy.IsCopied);
    }

    [Fact]
    public void Without_a_local_state_folder_a_store_works()
    {
        var options = new LiteDbStorageOptions { LocalStateFolder = null };
        using (var storage = LiteDbStorage.Open(_store.Path, options)) Commit(storage, 1);
        using (var storage = LiteDbStorage.Open(_store.Path, options)) Assert.False(storage.IsCopied);
        File.WriteAllText(_store.In("file"), "");
        options.LocalStateFolder = Path.Combine(_store.In("file"), "state");
        using (var storage = LiteDbStorage.Open(_store.Path, options)) Commit(storage, 2);
    }

    [Fact]
    public void A_compacted_file_is_no_copy_and_a_compacted_copy_still_is_one()
    {
        using (var storage = _store.Open())
        {
            Commit(storage, 1);
            storage.Compact(null, CancellationToken.None);
            Assert.False(storage.IsCopied);
            Commit(storage, 2);
        }

        using (var storage = _store.Open()) Assert.False(storage.IsCopied);
        File.Copy(_store.Path, _store.In("copy.db"));
        using (var copy = LiteDbStorage.Open(_store.In("copy.db"), _store.Options))
        {
            copy.Compact(null, CancellationToken.None);
            Assert.True(copy.IsCopied);
        }

        using (var copy = LiteDbStorage.Open(_store.In("copy.db"), _store.Options)) Assert.True(copy.IsCopied);
    }

    [Fact]
    public void A_backup_is_a_copy_with_the_same_content()
    {
        using var storage = _store.Open();
        Commit(storage, 1);
        Commit(storage, 2);
        storage.Backup(_store.In("backup.db"), null, CancellationToken.None);
        Commit(storage, 3);
        using var backup = LiteDbStorage.Open(_store.In("backup.db"), _store.Options);
        Assert.True(backup.IsCopied);
        Assert.Equal(2, backup.ReadMetadata()[1][0]);
        Assert.Equal(3, storage.ReadMetadata()[1][0]);
        Assert.False(storage.IsCopied);
    }

    [Fact]
    public void A_backup_overwrites_nothing_and_leaves_nothing_when_cancelled()
    {
        using var storage = _store.Open();
        Commit(storage, 1);
        File.WriteAllText(_store.In("there"), "mine");
        _ = Assert.Throws<Causality.SyncException>(() =>
            storage.Backup(_store.In("there"), null, CancellationToken.None));
        Assert.Equal("mine", File.ReadAllText(_store.In("there")));
        _ = Assert.ThrowsAny<OperationCanceledException>(() =>
            storage.Backup(_store.In("cancelled"), null, new CancellationToken(true)));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_store.Path)!, "cancelled*"));
        Commit(storage, 2);
    }

    [Fact]
    public void A_log_of_a_newer_state_is_set_aside_and_not_played_into_an_older_file()
    {
        using (var storage = _store.Open()) Commit(storage, 1);
        var old = File.ReadAllBytes(_store.Path);
        using (var storage = _store.Open())
        {
            for (var i = 2; i <= 200; i++) Commit(storage, i, 60_000);
            File.Copy(_store.Path + "-wal", _store.In("newer-wal"));
        }

        Overwrite(_store.Path, old);
        File.Copy(_store.In("newer-wal"), _store.Path + "-wal", overwrite: true);
        using (var storage = _store.Open())
        {
            Assert.True(storage.IsCopied);
            Assert.Equal(1, storage.ReadMetadata()[1][0]);
            Assert.Empty(storage.Verify(null, CancellationToken.None));
        }

        Assert.True(File.Exists(_store.Path + "-wal.lost-1"));
    }

    private static void Commit(LiteDbStorage storage, int number, int size = 10)
    {
        var batch = new StorageBatch();
        batch.Metadata[1] = [(byte)number];
        if (size > 10) batch.Frames.Add(new LogFrame(1, number, new byte[size]));
        storage.Commit(batch);
    }

    /// <summary>Keeps the file itself, and with it whatever the system tells it by.</summary>
    private static void Overwrite(string path, byte[] bytes)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.SetLength(0);
        file.Write(bytes);
    }
}
