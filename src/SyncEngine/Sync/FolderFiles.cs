using System.Globalization;
using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>A file as a listing shows it.</summary>
/// <param name="Path">Its full path.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Time">When it was last written, in ticks of 100 ns UTC.</param>
internal readonly record struct FolderFile(string Path, long Size, long Time);

/// <summary>The few operations on files that a shared folder needs. All throw what <see cref="File"/> throws.</summary>
internal interface IFolderFiles
{
    bool FolderExists(string path);

    /// <summary>Names of the folders right below; empty where there is none.</summary>
    IReadOnlyList<string> ListFolders(string path);

    /// <summary>All files at any depth; empty where there is no such folder.</summary>
    IReadOnlyList<FolderFile> List(string path);

    FolderFile Find(string path);

    byte[] Read(string path);

    void CreateFolder(string path);

    /// <summary>Writes a new file and flushes it to the disk.</summary>
    void WriteDurably(string path, byte[] bytes);

    /// <summary>Renames a file; the new name must be free.</summary>
    void Move(string from, string to);

    void Delete(string path);
}

/// <summary>The real folder.</summary>
internal sealed class DiskFiles : IFolderFiles
{
    private const int DepthMax = 8;

    public bool FolderExists(string path) => Directory.Exists(path);

    public IReadOnlyList<string> ListFolders(string path) =>
        new DirectoryInfo(path).EnumerateDirectories().Select(static folder => folder.Name).ToList();

    public IReadOnlyList<FolderFile> List(string path)
    {
        var files = new List<FolderFile>();
        var folder = new DirectoryInfo(path);
        if (folder.Exists) Add(folder, 0, files);
        return files;
    }

    public FolderFile Find(string path)
    {
        var file = new FileInfo(path);
        return new FolderFile(file.FullName, file.Length, file.LastWriteTimeUtc.Ticks);
    }

    public byte[] Read(string path)
    {
        using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        var bytes = new byte[checked((int)file.Length)];
        int at = 0;
        while (at < bytes.Length)
        {
            int read = file.Read(bytes, at, bytes.Length - at);
            if (read == 0) throw new EndOfStreamException("It became shorter while it was read.");
            at += read;
        }

        return bytes;
    }

    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    public void WriteDurably(string path, byte[] bytes)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
        file.Write(bytes, 0, bytes.Length);
        file.Flush(flushToDisk: true);
    }

    public void Move(string from, string to) => File.Move(from, to);

    public void Delete(string path) => File.Delete(path);

    private static void Add(DirectoryInfo folder, int depth, List<FolderFile> files)
    {
        foreach (FileSystemInfo item in folder.EnumerateFileSystemInfos())
        {
            if (item is DirectoryInfo inner)
            {
                if (depth < DepthMax) Add(inner, depth + 1, files);
            }
            else if (item is FileInfo { Exists: true } file)
            {
                files.Add(new FolderFile(file.FullName, file.Length, file.LastWriteTimeUtc.Ticks));
            }
        }
    }
}

/// <summary>Names of files in a shared folder. They help a person and the order of reading; nothing relies on them.</summary>
internal static class FolderNames
{
    public const string Extension = ".sync";
    public const string TemporaryExtension = ".tmp";

    public static string Of(ulong tag, ulong chain, long sequence, ulong random) => string.Format(
        CultureInfo.InvariantCulture, "{0:x16}-{1:x16}-{2:d8}-{3:x8}{4}", tag, chain, sequence, (uint)random, Extension);

    public static string TemporaryOf(string name) => "." + name + TemporaryExtension;

    public static bool IsShared(string path) =>
        path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase)
        && !Path.GetFileName(path).StartsWith('.');

    /// <summary>Whether it is a file that a store with the tag began to write and did not rename.</summary>
    public static bool IsTemporaryOf(string path, ulong tag) =>
        path.EndsWith(Extension + TemporaryExtension, StringComparison.Ordinal) && Path.GetFileName(path).StartsWith(
            "." + tag.ToString("x16", CultureInfo.InvariantCulture) + "-", StringComparison.Ordinal);
}

/// <summary>Turns what the disk throws into the one exception that callers see.</summary>
internal static class FolderErrors
{
    public static bool IsOfDisk(Exception e) => e is IOException or UnauthorizedAccessException
        or NotSupportedException or System.Security.SecurityException;

    public static SyncException Missing(string path, Exception? inner = null) => new(SyncErrorCode.StorageFailed,
        $"The shared folder {path} is not there. Plug the drive in, start the program that syncs it, or make the folder; "
        + "nothing is lost, and the next round goes on.", innerException: inner);

    public static SyncException Unreadable(string path, Exception e) => new(SyncErrorCode.StorageFailed,
        $"The shared folder {path} cannot be read: {e.Message} Check the drive and the permissions; nothing is lost, and "
        + "the next round goes on.", innerException: e);

    public static SyncException Unwritable(string path, Exception e) => IsFull(e)
        ? new SyncException(SyncErrorCode.StorageFull, $"The disk of the shared folder {path} is full. What others wrote "
            + "is merged here; free some space, and the next round writes what is new.", innerException: e)
        : new SyncException(SyncErrorCode.StorageFailed, $"The shared folder {path} cannot be written: {e.Message} What "
            + "others wrote is merged here; allow writing, and the next round writes what is new.", innerException: e);

    /// <summary>No space or quota, as Linux, Apple and Windows number it.</summary>
    private static bool IsFull(Exception e) => e is IOException
    {
        HResult: 28 or 122 or 69 or unchecked((int)0x80070070) or unchecked((int)0x80070027)
    };
}
