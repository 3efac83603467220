using SyncEngine.Wire;

namespace SyncEngine.Testing;

/// <summary>Names messages for people. The type stands in the third byte of each (docs/FORMAT.md, "Envelope").</summary>
internal static class MessageWords
{
    private const int TypeAt = 2;

    public static bool IsHello(byte[] message) => (FrameType)message[TypeAt] is FrameType.Hello or FrameType.Proof;

    public static string Of(byte[] message) => (FrameType)message[TypeAt] switch
    {
        FrameType.Delta => $"a delta ({message.Length} bytes)",
        FrameType.Snapshot => $"a snapshot ({message.Length} bytes)",
        FrameType.Part => $"a part ({message.Length} bytes)",
        FrameType.Heal => "a heal frame",
        FrameType.Hello => "hello",
        FrameType.Proof => "its proof",
        FrameType.Have => "its version",
        FrameType.Told => "the end of its versions",
        FrameType.Acknowledge => "an acknowledgement",
        FrameType.Refuse => "a refusal",
        FrameType.Farewell => "farewell",
        _ => $"a message of type {message[TypeAt]}",
    };
}
