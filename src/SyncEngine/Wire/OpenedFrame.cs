namespace SyncEngine.Wire;

/// <summary>A frame whose envelope and checksum are right.</summary>
/// <param name="Type">What it carries.</param>
/// <param name="Body">Its body, unpacked.</param>
/// <param name="BodyAt">Where the body begins in the frame; 0 where it was packed.</param>
internal readonly record struct OpenedFrame(FrameType Type, ReadOnlyMemory<byte> Body, int BodyAt);
