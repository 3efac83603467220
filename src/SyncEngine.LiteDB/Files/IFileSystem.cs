namespace SyncEngine.LiteDB.Files;

/// <summary>How <see cref="IFileSystem.Open"/> treats a file that exists or does not.</summary>
internal enum FileOpening
{
    /// <summary>The file must exist.</summary>
    Existing,

    /// <summary>The file is made, or emptied if it exists.</summary>
    Empty,

    /// <summary>The file is opened, or made if it does not exist.</summary>
    ExistingOrNew,
}

/// <summary>
/// The few file operations that durability depends on. Two implementations exist outside tests' faults: the real disk
/// and the simulated one that power cuts are tried on.
/// </summary>
internal interface IFileSystem
{
    bool Exists(string path);

    IRawFile Open(string path, FileOpening opening);

    /// <summary>
    /// Opens a file that nobody else may have open; throws an <see cref="IOException"/> if somebody has.
    /// </summary>
    IDisposable Lock(string path);

    void Rename(string from, string to, bool overwrite);

    void Delete(string path);

    void CreateFolder(string path);

    /// <summary>Makes renames, creations and deletions in the folder of <paramref name="path"/> durable.</summary>
    void SyncFolderOf(string path);
}

/// <summary>An open file, read and written at offsets.</summary>
internal interface IRawFile : IDisposable
{
    long Length { get; }

    /// <summary>
    /// What tells this file from a copy of it, or null where the platform has no such thing. Survives renaming,
    /// reopening and writing.
    /// </summary>
    byte[]? Identity { get; }

    /// <summary>Fills the buffer as far as the file reaches; returns how far.</summary>
    int ReadAt(long offset, Span<byte> buffer);

    void WriteAt(long offset, ReadOnlySpan<byte> bytes);

    void SetLength(long length);

    void FlushToDisk();
}
