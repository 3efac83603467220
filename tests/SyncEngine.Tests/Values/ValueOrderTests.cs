using System.Numerics;
using FsCheck.Fluent;
using FsCheck.Xunit;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Tests.Values;

public sealed class ValueOrderTests
{
    private static readonly FsCheck.Gen<Value> Numbers = Gen.Frequency(
        (3, SampleValues.Integers.Select(integer => (Value)integer)),
        (3, SampleValues.Doubles.Select(number => (Value)number)),
        (1, Gen.Elements<Value>("a", "b", Value.Null, true)));

    [Fact]
    public void Orders_the_hard_cases()
    {
        const double Two53 = 9_007_199_254_740_992;
        Value[] ascending =
        [
            "a", Value.Null, double.NaN, double.NegativeInfinity, double.MinValue, -9_223_372_036_854_775_808.0,
            long.MinValue, long.MinValue + 1, -Two53 - 2, -(1L << 53) - 1, -Two53, -(1L << 53), -(1L << 53) + 1, -1.5,
            -1.0, -1, -0.5, -double.Epsilon, -0.0, 0.0, 0, double.Epsilon, 0.5, 1.0, 1, 1.5, (1L << 53) - 1, Two53,
            1L << 53, (1L << 53) + 1, Two53 + 2, (1L << 53) + 2, long.MaxValue - 1, long.MaxValue,
            9_223_372_036_854_775_808.0, double.MaxValue, double.PositiveInfinity,
        ];
        for (int left = 0; left < ascending.Length; left++)
        {
            for (int right = 0; right < ascending.Length; right++)
            {
                int order = ValueOrder.Compare(ascending[left].Encoded, ascending[right].Encoded);
                Assert.True(order == left.CompareTo(right), $"{ascending[left]} against {ascending[right]}: {order}");
            }
        }
    }

    [Property(MaxTest = 5000)]
    public FsCheck.Property Is_antisymmetric_and_transitive() =>
        Prop.ForAll(Numbers.Three().ToArbitrary(), triple =>
        {
            (Value first, Value second, Value third) = triple;
            Assert.Equal(Compare(first, second), -Compare(second, first));
            Assert.Equal(first == second, Compare(first, second) == 0);
            if (Compare(first, second) <= 0 && Compare(second, third) <= 0) Assert.True(Compare(first, third) <= 0);
        });

    [Property(MaxTest = 5000)]
    public FsCheck.Property Agrees_with_exact_arithmetic() => Prop.ForAll(
        Gen.Zip(SampleValues.Integers, SampleValues.Doubles.Where(double.IsFinite)).ToArbitrary(), pair =>
        {
            (long integer, double number) = pair;
            BigInteger whole = new(number);
            int exact = new BigInteger(integer).CompareTo(whole);
            if (exact == 0) exact = number > Math.Truncate(number) ? -1 : 1;
            Assert.Equal(exact, ValueOrder.Compare(integer, number));
        });

    private static int Compare(Value left, Value right) => ValueOrder.Compare(left.Encoded, right.Encoded);
}
