using SyncEngine.Wire;

namespace SyncEngine.Testing;

/// <summary>What a hostile peer, or a broken network, makes of messages.</summary>
internal static class Deceit
{
    private const int BodyBytesMax = 200;

    /// <summary>The message with some of its bytes changed, cut off, or added.</summary>
    public static byte[] Change(byte[] message, Random random)
    {
        switch (random.Next(4))
        {
            case 0: return message.AsSpan(0, random.Next(1, message.Length)).ToArray();
            case 1: return [.. message, (byte)random.Next(256)];
        }

        byte[] changed = [.. message];
        for (int i = random.Next(1, 4); i > 0; i--) changed[random.Next(changed.Length)] ^= (byte)random.Next(1, 256);
        return changed.AsSpan().SequenceEqual(message) ? [.. message, 0] : changed;
    }

    /// <summary>A sound envelope around bytes that mean nothing.</summary>
    public static byte[] Invent(Random random)
    {
        using var body = new PooledBuffer();
        int length = random.Next(1, BodyBytesMax);
        Span<byte> target = body.GetSpan(length);
        for (int i = 0; i < length; i++) target[i] = (byte)random.Next(256);
        body.Advance(length);
        return FrameWriter.Seal((FrameType)random.Next(1, 14), body, packs: false);
    }
}
