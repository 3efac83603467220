namespace SyncEngine.Sync;

/// <summary>
/// A folder that something else carries between devices: Dropbox, OneDrive, Steam Cloud, a USB stick. Each store puts its
/// own files there and reads those of others; no file is ever changed, and none of another store is removed.
/// </summary>
public sealed class SyncFolder
{
    /// <summary>Names a folder. It must be there when a round begins: a missing one is never made.</summary>
    /// <param name="path">The folder, the same for all devices; several identities may share it.</param>
    public SyncFolder(string path) : this(path, new DiskFiles())
    {
    }

    internal SyncFolder(string path, IFolderFiles files)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0) throw new ArgumentException("Name a folder.", nameof(path));
        (Path, Files) = (System.IO.Path.GetFullPath(path), files);
    }

    /// <summary>The folder's full path.</summary>
    public string Path { get; }

    /// <summary>
    /// Whether a current guest that never exchanged anything takes the folder's identity if the folder has exactly one.
    /// </summary>
    public bool Adopts { get; init; }

    /// <summary>How often a live link looks at the folder even if nothing told of a change. Default 15 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 10 ms.</exception>
    public TimeSpan PollInterval
    {
        get;
        init => field = value >= TimeSpan.FromMilliseconds(10) ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "It must be at least 10 ms.");
    } = TimeSpan.FromSeconds(15);

    /// <summary>How long a live link waits for further changes before a round. Default 1 s.</summary>
    public TimeSpan Debounce { get; init; } = TimeSpan.FromSeconds(1);

    internal IFolderFiles Files { get; }
}
