namespace SyncEngine;

/// <summary>Reads bodies; the older target cannot be interrupted at it.</summary>
internal static class ContentReading
{
    public static Task<byte[]> ReadBytesAsync(this HttpContent content, CancellationToken cancellationToken)
    {
#if NET
        return content.ReadAsByteArrayAsync(cancellationToken);
#else
        cancellationToken.ThrowIfCancellationRequested();
        return content.ReadAsByteArrayAsync();
#endif
    }
}
