using SyncEngine.Causality;

namespace SyncEngine.LiteDB.Files;

/// <summary>Turns what the disk or LiteDB throws into the one exception that callers see.</summary>
internal static class FileErrors
{
    private const int UnixNoSpace = 28;
    private const int LinuxQuota = 122;
    private const int AppleQuota = 69;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    public static bool IsFull(Exception exception) =>
        exception is IOException { HResult: UnixNoSpace or LinuxQuota or AppleQuota or WindowsDiskFull or
            WindowsHandleDiskFull };

    public static SyncException Translate(Exception exception, string name) => exception switch
    {
        SyncException known => known,
        InvalidDataException => Damaged(name, exception.Message, exception),
        _ when IsFull(exception) => new SyncException(SyncErrorCode.StorageFull,
            $"The disk that holds {name} is full. Free some space and flush again; nothing acknowledged is lost.",
            innerException: exception),
        IOException or UnauthorizedAccessException or NotSupportedException => new SyncException(
            SyncErrorCode.StorageFailed,
            $"Reading or writing {name} failed: {exception.Message} Check the disk and the file's permissions, then "
            + "flush again or reopen the store.",
            innerException: exception),
        TimeoutException => new SyncException(SyncErrorCode.StorageFailed,
            $"{name} did not confirm a commit in time. Flush again or reopen the store.", innerException: exception),
        _ => Damaged(name, exception.Message, exception),
    };

    public static SyncException Damaged(string name, string what, Exception? inner = null) => new(
        SyncErrorCode.Damaged,
        $"{name} is damaged: {what} Restore it from a backup, or move it away and sync again from another device.",
        innerException: inner);
}
