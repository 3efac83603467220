using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SyncEngine.Causality;

/// <summary>Where random bits come from. The default is the system's; a seeded one replays a run.
/// Thread-safe.</summary>
public abstract class RandomSource
{
    /// <summary>The system's cryptographic generator: the only one to use outside tests and simulations.</summary>
    public static RandomSource System { get; } = new SystemRandomSource();

    /// <summary>A generator that hands out the same bits again for the same seed. Never for real data.</summary>
    public static RandomSource Seeded(ulong seed) => new SeededRandomSource(seed);

    /// <summary>Fills a buffer with random bytes.</summary>
    public abstract void Fill(Span<byte> buffer);

    /// <summary>64 random bits that are not all zero.</summary>
    internal ulong NextNonZero()
    {
        Span<byte> bytes = stackalloc byte[8];
        while (true)
        {
            Fill(bytes);
            ulong bits = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            if (bits != 0) return bits;
        }
    }

    private sealed class SystemRandomSource : RandomSource
    {
        public override void Fill(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);
    }

    /// <summary>SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    private sealed class SeededRandomSource(ulong seed) : RandomSource
    {
        private readonly object _gate = new();
        private ulong _state = seed;

        public override void Fill(Span<byte> buffer)
        {
            lock (_gate)
            {
                foreach (ref byte target in buffer)
                {
                    _state += 0x9E3779B97F4A7C15;
                    ulong mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
                    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
                    target = (byte)(mixed >> 56);
                }
            }
        }
    }
}
