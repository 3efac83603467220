using FsCheck;
using FsCheck.Fluent;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Tests.Values;

/// <summary>A value as plain .NET objects: what was put in, to hold against what comes out.</summary>
public sealed record SampleValue(object? Content)
{
    internal Value ToValue() => Content switch
    {
        SampleValue[] elements => Value.FromArray(elements.Select(element => element.ToValue())),
        SortedDictionary<string, SampleValue> pairs =>
            Value.FromMap(pairs.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.ToValue()))),
        bool boolean => boolean,
        long integer => integer,
        double number => number,
        string text => text,
        byte[] bytes => bytes,
        DateTimeOffset instant => instant,
        _ => Value.Null,
    };

    internal void AssertHeldBy(Value value)
    {
        switch (Content)
        {
            case SampleValue[] elements:
                IReadOnlyList<Value> array = value.AsArray();
                Assert.Equal(elements.Length, array.Count);
                Assert.Equal(elements.Length, value.Count);
                for (int index = 0; index < elements.Length; index++) elements[index].AssertHeldBy(array[index]);
                break;
            case SortedDictionary<string, SampleValue> pairs:
                IReadOnlyDictionary<string, Value> map = value.AsMap();
                Assert.Equal(pairs.Count, map.Count);
                foreach ((string key, SampleValue item) in pairs) item.AssertHeldBy(map[key]);
                break;
            case bool boolean:
                Assert.Equal(boolean, value.AsBoolean());
                break;
            case long integer:
                Assert.Equal(integer, value.AsInteger());
                break;
            case double number:
                Assert.Equal(number, value.AsDouble());
                break;
            case string text:
                Assert.Equal(text, value.AsString());
                break;
            case byte[] bytes:
                Assert.Equal(bytes, value.AsBytes());
                break;
            case DateTimeOffset instant:
                Assert.Equal(instant, value.AsTimestamp());
                break;
            default:
                Assert.Equal(ValueKind.Null, value.Kind);
                break;
        }
    }
}

/// <summary>Generators of values: every kind, the borders of every encoding, nested.</summary>
internal static class SampleValues
{
    private static readonly string[] Texts =
        ["", "a", "żółw", "\U0001F422", "\uFFFD", "\0", new('x', 31), new('x', 32), new('ł', 40), new('x', 300)];

    public static Gen<long> Integers { get; } =
        from shift in Gen.Choose(0, 63)
        from low in Gen.Choose(-3, 3)
        from sign in Gen.Elements(1, -1)
        select unchecked(sign * ((1L << shift) + low));

    public static Gen<double> Doubles { get; } = Gen.OneOf(
        Integers.Select(BitConverter.Int64BitsToDouble),
        Integers.Select(integer => (double)integer),
        Gen.Elements(0.0, -0.0, 0.1, double.NaN, double.Epsilon, double.MaxValue, double.NegativeInfinity));

    public static Gen<string> Text { get; } =
        Gen.Elements(Texts).ArrayOf(2).Select(parts => string.Concat(parts));

    public static Gen<SampleValue> Any { get; } = Gen.Sized(size => Nested(Math.Min(size, 4)));

    private static Gen<SampleValue> Scalar { get; } = Gen.OneOf(
        Gen.Constant(new SampleValue(null)),
        Gen.Elements(true, false).Select(boolean => new SampleValue(boolean)),
        Integers.Select(integer => new SampleValue(integer)),
        Doubles.Select(number => new SampleValue(number)),
        Text.Select(text => new SampleValue(text)),
        Gen.Choose(0, 300).Select(count => new SampleValue(new byte[count])),
        from seconds in Gen.Elements(-62_135_596_800L, -1, 0, 1, uint.MaxValue, 1L << 32, 1L << 34, 253_402_300_799)
        from ticks in Gen.Elements(0L, 1, 9_999_999)
        select new SampleValue(DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(ticks)));

    private static Gen<SampleValue> Nested(int depth)
    {
        if (depth == 0) return Scalar;
        Gen<SampleValue> inner = Nested(depth - 1);
        Gen<int> count = Gen.Frequency((9, Gen.Choose(0, 4)), (1, Gen.Choose(14, 18)));
        Gen<SampleValue> array = count.SelectMany(length => inner.ArrayOf(length))
            .Select(elements => new SampleValue(elements));
        Gen<SampleValue> map = count.SelectMany(length => Gen.Zip(Text, inner).ArrayOf(length)).Select(pairs =>
        {
            SortedDictionary<string, SampleValue> sorted = new(StringComparer.Ordinal);
            foreach ((string key, SampleValue item) in pairs) sorted[key] = item;
            return new SampleValue(sorted);
        });
        return Gen.Frequency((2, Scalar), (1, array), (1, map));
    }
}
