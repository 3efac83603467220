using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace SyncEngine.LiteDB.Files;

/// <summary>
/// The highest commit counter ever seen of a database at a path, kept outside the database: a file that is behind its
/// mark was restored from an older copy. Written after each durable commit and never synced, so it can only be behind.
/// </summary>
internal sealed class HighWaterMark : IDisposable
{
    private const int Length = 16;

    private readonly IFileSystem _files;
    private readonly string? _path;
    private IRawFile? _file;
    private long _written = -1;
    private bool _failed;

    public HighWaterMark(IFileSystem files, string? folder, Guid database, string storePath)
    {
        _files = files;
        if (folder is null) return;
        var key = Encoding.UTF8.GetBytes(storePath);
        _path = Path.Combine(folder, $"{database:N}-{XxHash3.HashToUInt64(key):x16}.mark");
    }

    /// <summary>The mark, or −1 if there is none or it is unreadable.</summary>
    public long Read()
    {
        try
        {
            if (_path is null || !_files.Exists(_path)) return -1;
            var bytes = new byte[Length];
            _file ??= _files.Open(_path, FileOpening.Existing);
            if (_file.ReadAt(0, bytes) < Length
                || XxHash3.HashToUInt64(bytes.AsSpan(0, 8)) != BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8)))
            {
                return -1;
            }

            return _written = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }

    /// <summary>Raises the mark; never lowers it, and never fails.</summary>
    public void Raise(long commits)
    {
        if (_path is null || _failed || commits <= _written) return;
        try
        {
            if (_file is null)
            {
                _files.CreateFolder(Path.GetDirectoryName(_path)!);
                _file = _files.Open(_path, FileOpening.ExistingOrNew);
            }

            var bytes = new byte[Length];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, commits);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), XxHash3.HashToUInt64(bytes.AsSpan(0, 8)));
            _file.WriteAt(0, bytes);
            _written = commits;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without a mark a restored backup is still told apart by the file's identity and by the replicas' lines.
            _failed = true;
        }
    }

    public void Dispose() => _file?.Dispose();
}
