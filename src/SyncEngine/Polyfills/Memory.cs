namespace SyncEngine;

/// <summary>Memory operations that the older target lacks.</summary>
internal static class MemoryPolyfill
{
    /// <summary>An array that the caller fills whole, so that it need not be cleared.</summary>
    public static byte[] AllocateForOverwrite(int length)
    {
#if NET
        return GC.AllocateUninitializedArray<byte>(length);
#else
        return new byte[length];
#endif
    }
}
