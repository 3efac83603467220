using SyncEngine.Datasets;
using SyncEngine.LiteDB;

namespace SyncEngine.Cli;

/// <summary>Opens the file that a command names.</summary>
internal static class StoreFile
{
    private static readonly byte[] _liteDbMark = "** This is a LiteDB file **"u8.ToArray();

    /// <summary>Refuses a path to write to that holds a store: nothing may replace somebody's data by mistake.</summary>
    public static void RefuseToOverwrite(string path)
    {
        if (!File.Exists(path)) return;
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var start = new byte[256];
            int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            if (start.AsSpan(0, read).IndexOf(_liteDbMark) < 0) return;
        }
        catch (IOException e)
        {
            throw CommandFailure.BadInput($"{path} cannot be replaced: {e.Message} Choose another file.");
        }

        throw CommandFailure.BadInput($"{path} is a store, and would be lost. Choose another file.");
    }

    /// <summary>Opens a file that must be there, so that a mistyped name makes no empty store.</summary>
    public static ValueTask<SyncStore> OpenExistingAsync(
        string path, Terminal terminal, SyncStoreOptions? options = null)
    {
        if (!File.Exists(path))
            throw CommandFailure.BadInput($"There is no file {path}: check the name, or make it with put or import.");
        return OpenAsync(path, terminal, options);
    }

    /// <summary>Opens a file, or makes it.</summary>
    public static ValueTask<SyncStore> OpenAsync(string path, Terminal terminal, SyncStoreOptions? options = null)
    {
        if (Directory.Exists(path)) throw CommandFailure.BadInput($"{path} is a folder: name the file in it.");
        var storage = new LiteDbStorageOptions();
        if (terminal.StateFolder is { Length: > 0 } folder) storage.LocalStateFolder = folder;
        return LiteDbSyncStore.OpenAsync(path, options, storage);
    }

    /// <summary>The datasets that a command is about: the named one, which must be there, or all.</summary>
    public static IReadOnlyList<Dataset> Datasets(SyncStore store, string? name)
    {
        IReadOnlyList<string> names = store.Identity.DatasetNames;
        if (name is null) return names.Select(store.Identity.Dataset).ToList();
        if (!names.Contains(name))
        {
            throw CommandFailure.NotFound($"There is no dataset {name}. "
                + (names.Count == 0 ? "The file has none yet." : $"The file has: {string.Join(", ", names)}."));
        }

        return [store.Identity.Dataset(name)];
    }
}
