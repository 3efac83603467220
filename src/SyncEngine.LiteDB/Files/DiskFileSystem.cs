namespace SyncEngine.LiteDB.Files;

/// <summary>The real disk.</summary>
internal sealed class DiskFileSystem : IFileSystem
{
    public static readonly DiskFileSystem Instance = new();

    public bool Exists(string path) => File.Exists(path);

    public IRawFile Open(string path, FileOpening opening)
    {
        var mode = opening switch
        {
            FileOpening.Existing => FileMode.Open,
            FileOpening.Empty => FileMode.Create,
            _ => FileMode.OpenOrCreate,
        };

        // Reading by others lets backup tools work, and deleting lets a rename replace the file on Windows.
        return new DiskFile(new FileStream(path, mode, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, 1));
    }

    public IDisposable Lock(string path) =>
        new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);

    public void Rename(string from, string to, bool overwrite)
    {
        if (overwrite) FileMoves.Replace(from, to);
        else File.Move(from, to);
    }

    public void Delete(string path) => File.Delete(path);

    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    public void SyncFolderOf(string path) => NativeCalls.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);

    private sealed class DiskFile(FileStream stream) : IRawFile
    {
        public long Length => stream.Length;

        public byte[]? Identity => NativeCalls.FileIdentity(stream);

        public int ReadAt(long offset, Span<byte> buffer)
        {
            stream.Position = offset;
            var total = 0;
            while (total < buffer.Length)
            {
                var count = stream.Read(buffer[total..]);
                if (count == 0) break;
                total += count;
            }

            return total;
        }

        public void WriteAt(long offset, ReadOnlySpan<byte> bytes)
        {
            stream.Position = offset;
            stream.Write(bytes);
        }

        public void SetLength(long length) => stream.SetLength(length);

        public void FlushToDisk() => stream.Flush(true);

        public void Dispose() => stream.Dispose();
    }
}
