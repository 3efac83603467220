namespace SyncEngine;

/// <summary>Memory operations that the older target lacks.</summary>
internal static class MemoryPolyfill
{
    /// <summary>An array that the caller fills whole, so that it need not be cleared.</summary>
    public static T[] AllocateForOverwrite<T>(int length) where T : struct
    {
#if NET
        return GC.AllocateUninitializedArray<T>(length);
#else
        return new T[length];
#endif
    }
}
