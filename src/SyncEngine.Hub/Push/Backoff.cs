using System.Buffers.Binary;
using SyncEngine.Causality;

namespace SyncEngine.Hub.Push;

/// <summary>Pauses between attempts: they double, up to a longest one, and vary by a fifth so that not all come at
/// once.</summary>
/// <param name="First">The pause after the first failure.</param>
/// <param name="Longest">The longest pause.</param>
internal readonly record struct Backoff(TimeSpan First, TimeSpan Longest)
{
    /// <summary>The pause after a number of failures, 1 and up; no shorter than what the other side asked for, if that is
    /// at most a day.</summary>
    public TimeSpan After(int failures, TimeSpan? asked, RandomSource random)
    {
        double doubled = Math.Min(First.TotalSeconds * Math.Pow(2, Math.Min(failures, 32) - 1), Longest.TotalSeconds);
        Span<byte> bits = stackalloc byte[4];
        random.Fill(bits);
        double spread = 0.8 + (0.4 * BinaryPrimitives.ReadUInt32LittleEndian(bits) / uint.MaxValue);
        TimeSpan own = TimeSpan.FromSeconds(doubled * spread);
        TimeSpan wanted = asked > TimeSpan.FromDays(1) ? TimeSpan.FromDays(1) : asked ?? TimeSpan.Zero;
        return own > wanted ? own : wanted;
    }
}
