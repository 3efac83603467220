using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace SyncEngine.LiteDB.Wal;

/// <summary>
/// One of the two header slots of the log file: the newer valid one counts. It binds the log to a state of the data
/// file.
/// </summary>
/// <param name="Database">The database this log belongs to.</param>
/// <param name="Generation">Raised with each reset; tells which slot is newer.</param>
/// <param name="BaseId">The checkpoint the data file must have seen for this log to continue it.</param>
/// <param name="Id">The salt of this log's frames, and the data file's checkpoint once it holds them.</param>
/// <param name="Commits">The commits that the data file holds without this log.</param>
internal readonly record struct LogHeader(Guid Database, long Generation, ulong BaseId, ulong Id, long Commits)
{
    public const uint CurrentVersion = 1;
    public const int SlotSize = 4096;
    private const int HashedLength = 64;
    private static readonly byte[] _magic = Encoding.ASCII.GetBytes("SyncEngL");

    public long SlotOffset => Generation % 2 * SlotSize;

    public static bool TryRead(ReadOnlySpan<byte> slot, out LogHeader header, out uint version)
    {
        version = 0;
        header = default;
        if (!slot[..8].SequenceEqual(_magic)
            || XxHash3.HashToUInt64(slot[..HashedLength])
                != BinaryPrimitives.ReadUInt64LittleEndian(slot[HashedLength..]))
        {
            return false;
        }

        version = BinaryPrimitives.ReadUInt32LittleEndian(slot[8..]);
        header = new LogHeader(new Guid(slot.Slice(16, 16)), BinaryPrimitives.ReadInt64LittleEndian(slot[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(slot[40..]), BinaryPrimitives.ReadUInt64LittleEndian(slot[48..]),
            BinaryPrimitives.ReadInt64LittleEndian(slot[56..]));
        return true;
    }

    public byte[] ToSlot()
    {
        // A whole disk sector, so that the write replaces what was there without reading it first.
        var slot = new byte[512];
        _magic.CopyTo(slot, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(8), CurrentVersion);
        BinaryPrimitives.WriteInt32LittleEndian(slot.AsSpan(12), LogFrame.Size);
        _ = Database.TryWriteBytes(slot.AsSpan(16));
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(32), Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(40), BaseId);
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(48), Id);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(56), Commits);
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(HashedLength),
            XxHash3.HashToUInt64(slot.AsSpan(0, HashedLength)));
        return slot;
    }
}
