namespace SyncEngine.LiteDB;

/// <summary>Opens a <see cref="SyncStore"/> on a LiteDB file: where most apps start.</summary>
public static class LiteDbSyncStore
{
    /// <summary>
    /// Opens a store on a file, or makes it; the first opening mints a guest, offline. What a task of the store has completed
    /// for survives a kill and a power cut.
    /// </summary>
    /// <param name="path">The file. Beside it stand its log (-wal) and its lock (.lock).</param>
    /// <param name="options">How the store behaves.</param>
    /// <param name="storageOptions">How the file is kept.</param>
    /// <exception cref="Causality.SyncException">
    /// The file is in use, no store, damaged, or of a newer format. It was not changed.
    /// </exception>
    public static ValueTask<SyncStore> OpenAsync(
        string path, SyncStoreOptions? options = null, LiteDbStorageOptions? storageOptions = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        return SyncStore.OpenAsync(() => LiteDbStorage.Open(path, storageOptions), options);
    }
}
