namespace SyncEngine.Datasets;

/// <summary>A view of UTF-8 bytes that never change; decoded when read.</summary>
internal readonly record struct TextView(byte[]? buffer, int offset, int length)
{
    public ReadOnlySpan<byte> Bytes => new(buffer, offset, length);

    public bool IsEmpty => length == 0;

    public override string ToString() => length == 0 ? string.Empty : DatasetText.Decode(Bytes);
}
