using FsCheck.Fluent;
using FsCheck.Xunit;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Tests.Values;

public sealed class ValueTests
{
    [Fact]
    public void The_default_is_missing_and_missing_is_not_null()
    {
        Assert.Equal(ValueKind.Missing, default(Value).Kind);
        Assert.True(Value.Missing.IsMissing);
        Assert.Equal(0, Value.Missing.Encoded.Length);
        Assert.Equal(ValueKind.Null, Value.Null.Kind);
        Assert.NotEqual(Value.Missing, Value.Null);
        Assert.Equal(Value.Missing, default);
    }

    [Fact]
    public void Null_references_become_null()
    {
        Assert.Equal(Value.Null, (string?)null);
        Assert.Equal(Value.Null, (byte[]?)null);
        Assert.Equal(Value.Null, Value.Of<int?>(null));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(127, 1)]
    [InlineData(128, 2)]
    [InlineData(255, 2)]
    [InlineData(256, 3)]
    [InlineData(65535, 3)]
    [InlineData(65536, 5)]
    [InlineData(uint.MaxValue, 5)]
    [InlineData(uint.MaxValue + 1L, 9)]
    [InlineData(long.MaxValue, 9)]
    [InlineData(-1, 1)]
    [InlineData(-32, 1)]
    [InlineData(-33, 2)]
    [InlineData(-128, 2)]
    [InlineData(-129, 3)]
    [InlineData(-32768, 3)]
    [InlineData(-32769, 5)]
    [InlineData(int.MinValue, 5)]
    [InlineData(int.MinValue - 1L, 9)]
    [InlineData(long.MinValue, 9)]
    public void Integers_are_exact_and_shortest(long number, int length)
    {
        Value value = number;
        Assert.Equal(ValueKind.Integer, value.Kind);
        Assert.Equal(length, value.Encoded.Length);
        Assert.Equal(number, value.AsInteger());
        Assert.Equal(length, ValueScanner.Measure(value.Encoded, out _));
    }

    [Property]
    public void Every_integer_survives(long number) => Assert.Equal(number, ((Value)number).AsInteger());

    [Property]
    public void Every_double_keeps_its_bits(long bits)
    {
        double number = BitConverter.Int64BitsToDouble(bits);
        long stored = BitConverter.DoubleToInt64Bits(((Value)number).AsDouble());
        Assert.Equal(double.IsNaN(number) ? ValueWriter.CanonicalNaN : bits, stored);
    }

    [Fact]
    public void Negative_zero_is_kept_and_every_not_a_number_is_one_value()
    {
        Assert.True(double.IsNegative(((Value)(-0.0)).AsDouble()));
        Assert.NotEqual<Value>(0.0, -0.0);
        Assert.Equal<Value>(BitConverter.Int64BitsToDouble(-1), double.NaN);
        Assert.Equal(9, ValueScanner.Measure(((Value)double.NaN).Encoded, out _));
    }

    [Fact]
    public void An_integer_is_not_the_double_of_its_size()
    {
        Assert.NotEqual<Value>(1, 1.0);
        Assert.Equal(1.0, ((Value)1).AsDouble());
        Assert.Throws<InvalidOperationException>(() => ((Value)1.0).AsInteger());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(10, 1)]
    [InlineData(11, 1)]
    [InlineData(31, 1)]
    [InlineData(32, 2)]
    [InlineData(255, 2)]
    [InlineData(256, 3)]
    [InlineData(65535, 3)]
    [InlineData(65536, 5)]
    public void Texts_and_bytes_take_the_shortest_header(int count, int textHeader)
    {
        Value text = new string('x', count);
        Assert.Equal(textHeader + count, text.Encoded.Length);
        Assert.Equal(text.Encoded.Length, ValueScanner.Measure(text.Encoded, out _));
        Assert.Equal(new string('x', count), text.AsString());

        Value bytes = new byte[count];
        Assert.Equal(Math.Max(textHeader, 2) + count, bytes.Encoded.Length);
        Assert.Equal(bytes.Encoded.Length, ValueScanner.Measure(bytes.Encoded, out _));
        Assert.Equal(count, bytes.AsBytes().Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("żółw 🐢")]
    [InlineData("\0")]
    [InlineData("漢字漢字漢字漢字漢字")]
    [InlineData("漢字漢字漢字漢字漢字漢字漢字")]
    public void Any_valid_text_survives(string text)
    {
        Assert.Equal(text, ((Value)text).AsString());
        Assert.Equal(((Value)text).Encoded.Length, ValueScanner.Measure(((Value)text).Encoded, out _));
    }

    [Fact]
    public void A_lone_surrogate_is_refused()
    {
        // Not inline data: an attribute cannot hold a lone surrogate.
        foreach (string text in new[] { "\ud800", "a long enough text, then \udc00 alone", "\udc00\ud800" })
        {
            Assert.ThrowsAny<ArgumentException>(() => (Value)text);
            Assert.ThrowsAny<ArgumentException>(() => Value.FromMap([new(text, 1)]));
        }
    }

    [Fact]
    public void Bytes_are_copied_in_and_out()
    {
        byte[] source = [1, 2, 3];
        Value value = source;
        source[0] = 9;
        value.AsBytes()[1] = 9;
        Assert.Equal<byte>([1, 2, 3], value.AsBytes());
    }

    [Theory]
    [InlineData(0, 0, 6)]
    [InlineData(uint.MaxValue, 0, 6)]
    [InlineData(uint.MaxValue + 1L, 0, 10)]
    [InlineData(0, 1, 10)]
    [InlineData((1L << 34) - 1, 9_999_999, 10)]
    [InlineData(1L << 34, 0, 15)]
    [InlineData(-1, 9_999_999, 15)]
    [InlineData(-62_135_596_800, 0, 15)]
    [InlineData(253_402_300_799, 9_999_999, 15)]
    public void Instants_take_the_shortest_form_and_keep_100_nanoseconds(long seconds, int ticks, int length)
    {
        DateTimeOffset instant = DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(ticks);
        Value value = instant;
        Assert.Equal(length, value.Encoded.Length);
        Assert.Equal(length, ValueScanner.Measure(value.Encoded, out _));
        Assert.Equal(instant, value.AsTimestamp());
    }

    [Fact]
    public void Instants_are_stored_in_utc()
    {
        DateTimeOffset local = new(2024, 2, 29, 23, 0, 0, TimeSpan.FromHours(-5));
        Assert.Equal<Value>(local.ToUniversalTime(), local);
        Assert.Equal(TimeSpan.Zero, ((Value)local).AsTimestamp().Offset);
    }

    [Fact]
    public void Nanoseconds_below_a_tick_are_cut_off_when_read()
    {
        byte[] encoded = [0xd7, 0xff, 0, 0, 0, 0, 0, 0, 0, 1];
        BitConverter.TryWriteBytes(encoded.AsSpan(2), System.Net.IPAddress.HostToNetworkOrder((199L << 34) | 5));
        Value value = new(encoded, 0, encoded.Length);
        Assert.Equal(10, ValueScanner.Measure(encoded, out _));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(5).AddTicks(1), value.AsTimestamp());
    }

    [Property(MaxTest = 500)]
    public FsCheck.Property Nested_values_survive() => Prop.ForAll(SampleValues.Any.ToArbitrary(), sample =>
    {
        Value value = sample.ToValue();
        sample.AssertHeldBy(value);
        Assert.Equal(value.Encoded.Length, ValueScanner.Measure(value.Encoded, out _));
        Assert.NotEmpty(value.ToString());
    });

    [Property]
    public void Equal_maps_are_equal_values_in_any_key_order(Dictionary<FsCheck.UnicodeString, int> source, int seed)
    {
        KeyValuePair<string, Value>[] pairs = source.Where(pair => pair.Key?.Item is not null)
            .GroupBy(pair => pair.Key.Item).Select(group => KeyValuePair.Create(group.Key, (Value)group.First().Value))
            .Where(pair => IsUnicode(pair.Key)).ToArray();
        Value value = Value.FromMap(pairs);
        new Random(seed).Shuffle(pairs);
        Value shuffled = Value.FromMap(pairs);
        Assert.Equal(value, shuffled);
        Assert.Equal(value.GetHashCode(), shuffled.GetHashCode());
        Assert.Equal(value.Encoded.Length, ValueScanner.Measure(value.Encoded, out _));
    }

    [Fact]
    public void Keys_are_sorted_by_utf8_and_not_by_utf16()
    {
        Value value = Value.FromMap([new("\U0001F422", 1), new("\uFFFD", 2), new("bb", 3), new("c", 4)]);
        Assert.Equal(["bb", "c", "\uFFFD", "\U0001F422"], value.AsMap().Keys);
    }

    [Fact]
    public void A_key_given_twice_is_refused() =>
        Assert.Throws<ArgumentException>(() => Value.FromMap([new("a", 1), new("b", 2), new("a", 1)]));

    [Fact]
    public void Missing_cannot_be_an_element()
    {
        Assert.Throws<ArgumentException>(() => Value.FromArray(Value.Missing));
        Assert.Throws<ArgumentException>(() => Value.FromMap([new("a", Value.Missing)]));
    }

    [Fact]
    public void Collections_nest_to_the_limit_and_no_deeper()
    {
        Value value = 1;
        for (int depth = 0; depth < ValueScanner.DepthMax; depth++) value = Value.FromArray(value);
        Assert.Throws<ArgumentException>(() => Value.FromArray(value));
        Assert.Throws<ArgumentException>(() => Value.FromMap([new("a", value)]));
    }

    [Fact]
    public void A_view_reads_only_its_own_bytes()
    {
        byte[] memory = [0xff, 0x92, 0x01, 0xa1, 0x61, 0xc0];
        Value value = new(memory, 1, 4);
        Assert.Equal(Value.FromArray(1, "a"), value);
        Assert.Equal("a", value.AsArray()[1].AsString());
        Assert.Equal(2, value.Count);
    }

    [Fact]
    public void A_read_of_another_kind_names_the_kind()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => ((Value)"a").AsInteger());
        Assert.Contains("String", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => Value.Missing.AsString());
        Assert.Throws<InvalidOperationException>(() => ((Value)1).Count);
        Assert.Throws<InvalidOperationException>(() => ((Value)1).AsMap());
    }

    [Fact]
    public void Typed_reads_follow_the_type()
    {
        Assert.Equal(5, ((Value)5).As<int>());
        Assert.Equal(5, ((Value)5).As<int?>());
        Assert.Equal(5L, ((Value)5).As<long>());
        Assert.Equal(5.0, ((Value)5).As<double>());
        Assert.Equal(0.5f, ((Value)0.5).As<float>());
        Assert.Equal("a", ((Value)"a").As<string>());
        Assert.True(((Value)true).As<bool>());
        Assert.Equal<byte>([7], ((Value)new byte[] { 7 }).As<byte[]>()!);
        Assert.Equal(DateTimeOffset.UnixEpoch, ((Value)DateTimeOffset.UnixEpoch).As<DateTimeOffset?>());
        Assert.Equal((Value)5, ((Value)5).As<Value>());
        Assert.Null(Value.Null.As<int?>());
        Assert.Null(Value.Missing.As<string>());
        Assert.Throws<InvalidOperationException>(() => Value.Null.As<int>());
        Assert.Throws<InvalidOperationException>(() => ((Value)"a").As<int?>());
        Assert.Throws<OverflowException>(() => ((Value)(1L << 31)).As<int>());
        Assert.Throws<NotSupportedException>(() => ((Value)1).As<Guid>());
        Assert.False(((Value)(1L << 31)).TryAs<int>(out _));
        Assert.False(((Value)"a").TryAs<long>(out _));
        Assert.True(((Value)"a").TryAs(out string? text) && text == "a");
    }

    [Fact]
    public void Typed_values_equal_converted_ones()
    {
        Assert.Equal(5, Value.Of<int?>(5));
        Assert.Equal(0.5, Value.Of(0.5f));
        Assert.Equal("a", Value.Of("a"));
        Assert.Equal(Value.Null, Value.Of<string?>(null));
        Assert.Equal(Value.Missing, Value.Of(Value.Missing));
        Assert.Throws<NotSupportedException>(() => Value.Of(Guid.Empty));
    }

    [Fact]
    public void Text_for_people_reads_like_json()
    {
        Value array = Value.FromArray(1, 1.0, Value.Null, "x\"\n");
        Value value = Value.FromMap([new("b", array), new("a", new byte[] { 10 })]);
        Assert.Equal("""{"a": 0x0a, "b": [1, 1.0, null, "x\"\n"]}""", value.ToString());
        Assert.Equal("missing", Value.Missing.ToString());
    }

    [Fact]
    public void A_short_text_costs_one_small_array()
    {
        Value value = "warm up";
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int index = 0; index < 1000; index++) value = "inventory/sword";
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1000 * 40, (1000 * 40) + 500);
        Assert.False(value.IsMissing);
    }

    private static bool IsUnicode(string text)
    {
        try
        {
            return ((Value)text).Kind == ValueKind.String;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
