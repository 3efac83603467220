using System.Globalization;

namespace SyncEngine.Benchmarks.Workloads;

/// <summary>One record to write: a key of 16 and a value of 32 characters.</summary>
internal readonly record struct Record(string Key, string Value);

/// <summary>
/// The records that every library is measured with. peers/records.mjs makes the same ones, character for character.
/// </summary>
internal static class RecordSet
{
    private const int ValueLength = 32;
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    public static string KeyOf(int id)
    {
        uint high = Scramble((uint)id ^ 0x5BD1E995u), low = Scramble((uint)id + 0x3C6EF372u);
        return ((ulong)high << 32 | low).ToString("x16", CultureInfo.InvariantCulture);
    }

    /// <summary>Each overwriting of a record has a generation of its own, and so another value.</summary>
    public static string ValueOf(int id, int generation)
    {
        uint bits = Scramble((uint)id ^ Scramble((uint)generation + 0x51ED270Bu)) | 1;
        return string.Create(ValueLength, bits, static (text, seed) =>
        {
            uint state = seed;
            foreach (ref char letter in text)
            {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                letter = Letters[(int)(state >> 26)];
            }
        });
    }

    public static Record Of(int id, int generation) => new(KeyOf(id), ValueOf(id, generation));

    public static Record[] Range(int from, int count, int generation)
    {
        var records = new Record[count];
        for (int i = 0; i < count; i++) records[i] = Of(from + i, generation);
        return records;
    }

    /// <summary>A hundred records, spread over all of them and others in each round.</summary>
    public static Record[] Hundred(int count, int round)
    {
        var records = new Record[100];
        for (int i = 0; i < records.Length; i++)
            records[i] = Of((i * (count / records.Length) + round * 7) % count, 1000 + round);
        return records;
    }

    /// <summary>MurmurHash3's finalizer: no two of the 2³² numbers become the same.</summary>
    private static uint Scramble(uint bits)
    {
        bits = (bits ^ (bits >> 16)) * 0x85EBCA6Bu;
        bits = (bits ^ (bits >> 13)) * 0xC2B2AE35u;
        return bits ^ (bits >> 16);
    }
}
