using System.Buffers;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MessagePack;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Tests.Values;

public sealed class ValueScannerTests
{
    [Property(MaxTest = 500)]
    public FsCheck.Property Measures_the_length_that_MessagePackReader_skips() =>
        Prop.ForAll(SampleValues.Any.ToArbitrary(), sample =>
        {
            byte[] source = [.. sample.ToValue().Encoded, 0xc1, 0xc1];
            MessagePackReader reader = new(new ReadOnlySequence<byte>(source));
            reader.Skip();
            Assert.Equal(reader.Consumed, ValueScanner.Measure(source, out int faultOffset));
            Assert.Equal(0, faultOffset);
        });

    [Property(MaxTest = 100)]
    public FsCheck.Property Refuses_every_truncation() => Prop.ForAll(SampleValues.Any.ToArbitrary(), sample =>
    {
        ReadOnlySpan<byte> encoded = sample.ToValue().Encoded;
        for (int length = 0; length < encoded.Length; length++)
        {
            // An array of exactly this length makes any read beyond the end throw.
            byte[] cut = encoded.Slice(0, length).ToArray();
            Assert.Equal(-1, ValueScanner.Measure(cut, out int faultOffset));
            Assert.InRange(faultOffset, 0, length);
        }
    });

    [Property(MaxTest = 50)]
    public FsCheck.Property A_mutated_byte_is_refused_or_still_canonical(int seed) =>
        Prop.ForAll(SampleValues.Any.ToArbitrary(), sample =>
        {
            byte[] encoded = sample.ToValue().Encoded.ToArray();
            Random random = new(seed);
            for (int index = 0; index < Math.Min(encoded.Length, 400); index++)
            {
                byte kept = encoded[index];
                for (int attempt = 0; attempt < 8; attempt++)
                {
                    encoded[index] = (byte)random.Next(256);
                    AssertCanonicalOrRefused(encoded);
                }
                encoded[index] = kept;
            }
        });

    [Fact]
    public void Random_bytes_are_refused_or_canonical()
    {
        Random random = new(1);
        for (int round = 0; round < 200_000; round++)
        {
            byte[] source = new byte[random.Next(24)];
            random.NextBytes(source);
            if (source.Length > 0 && round % 2 == 0) source[0] = (byte)random.Next(0x80, 0xe0);
            AssertCanonicalOrRefused(source);
        }
    }

    [Theory]
    [InlineData("never used code", "c1")]
    [InlineData("32-bit floating point", "ca3f800000")]
    [InlineData("not a number in other bits", "cbfff8000000000000")]
    [InlineData("signalling not a number", "cb7ff0000000000001")]
    [InlineData("uint8 that fits one byte", "cc7f")]
    [InlineData("uint16 that fits uint8", "cd00ff")]
    [InlineData("uint32 that fits uint16", "ce0000ffff")]
    [InlineData("uint64 that fits uint32", "cf00000000ffffffff")]
    [InlineData("uint64 beyond a signed integer", "cf8000000000000000")]
    [InlineData("int8 that fits one byte", "d0e0")]
    [InlineData("int8 that is not negative", "d001")]
    [InlineData("int16 that fits int8", "d1ff80")]
    [InlineData("int16 that is not negative", "d17fff")]
    [InlineData("int32 that fits int16", "d2ffff8000")]
    [InlineData("int64 that fits int32", "d3ffffffff80000000")]
    [InlineData("int64 that is not negative", "d37fffffffffffffff")]
    [InlineData("str8 that fits one byte", "d90161")]
    [InlineData("str16 that fits str8", "da000161")]
    [InlineData("str32 that fits str16", "db0000000161")]
    [InlineData("bin16 that fits bin8", "c5000161")]
    [InlineData("bin32 that fits bin16", "c60000000161")]
    [InlineData("array16 that fits one byte", "dc000101")]
    [InlineData("array32 that fits array16", "dd0000000101")]
    [InlineData("map16 that fits one byte", "de0001a16101")]
    [InlineData("map32 that fits map16", "df00000001a16101")]
    [InlineData("text with a stray continuation", "a180")]
    [InlineData("text with an overlong form", "a2c080")]
    [InlineData("text with a surrogate", "a3eda080")]
    [InlineData("text beyond Unicode", "a4f4908080")]
    [InlineData("text that ends within a character", "a2e282")]
    [InlineData("map with an integer key", "810101")]
    [InlineData("map with a null key", "81c001")]
    [InlineData("map with a key twice", "82a16101a16102")]
    [InlineData("map with keys out of order", "82a16201a16102")]
    [InlineData("map with a longer key before its prefix", "82a2616101a16102")]
    [InlineData("array of more than there is", "dd7fffffff01")]
    [InlineData("array of more than an int counts", "ddffffffff01")]
    [InlineData("map of more than there is", "dfffffffffa16101")]
    [InlineData("map of more pairs than there are bytes", "82a161")]
    [InlineData("text of more than there is", "dbffffffff61")]
    [InlineData("bytes of more than there are", "c6ffffffff61")]
    [InlineData("another extension type", "d60100000000")]
    [InlineData("an extension of one byte", "d4ff00")]
    [InlineData("an extension of two bytes", "d5ff0000")]
    [InlineData("an extension of sixteen bytes", "d8ff00000000000000000000000000000000")]
    [InlineData("an extension with a 16-bit length", "c80001ff00")]
    [InlineData("an extension with a 32-bit length", "c900000001ff00")]
    [InlineData("a timestamp of another length", "c70bff0000000000000000000000")]
    [InlineData("timestamp 64 that fits 32", "d7ff0000000000000001")]
    [InlineData("timestamp 64 of a second's nanoseconds", "d7ffee6b280000000000")]
    [InlineData("timestamp 96 that fits 64", "c70cff000000010000000000000001")]
    [InlineData("timestamp 96 of a second's nanoseconds", "c70cff3b9aca00ffffffffffffffff")]
    [InlineData("timestamp after the year 9999", "c70cff000000000000003afff44180")]
    [InlineData("timestamp before the year 1", "c70cff00000000fffffff1886e08ff")]
    public void Refuses(string what, string hexadecimal)
    {
        byte[] source = Convert.FromHexString(hexadecimal);
        Assert.True(ValueScanner.Measure(source, out _) == -1, what);
        byte[] nested = [0x91, .. source];
        Assert.True(ValueScanner.Measure(nested, out int faultOffset) == -1, what);
        Assert.True(faultOffset >= 1, what);
    }

    [Fact]
    public void Names_the_offset_of_the_innermost_fault()
    {
        byte[] source = Convert.FromHexString("930182a16101a16292cc0105");
        Assert.Equal(-1, ValueScanner.Measure(source, out int faultOffset));
        Assert.Equal(Array.IndexOf(source, (byte)0xcc), faultOffset);
    }

    [Fact]
    public void Refuses_what_nests_too_deep()
    {
        byte[] deepest = [.. Enumerable.Repeat<byte>(0x91, ValueScanner.DepthMax), 0xc0];
        Assert.Equal(deepest.Length, ValueScanner.Measure(deepest, out _));
        byte[] tooDeep = [0x91, .. deepest];
        Assert.Equal(-1, ValueScanner.Measure(tooDeep, out int faultOffset));
        Assert.Equal(ValueScanner.DepthMax, faultOffset);
        byte[] hostile = new byte[1_000_000];
        Array.Fill(hostile, (byte)0x91);
        Assert.Equal(-1, ValueScanner.Measure(hostile, out _));
    }

    [Fact]
    public void Finds_a_bad_byte_anywhere_in_a_text()
    {
        for (int length = 1; length < 80; length++)
        {
            byte[] encoded = ((Value)new string('x', length)).Encoded.ToArray();
            for (int index = encoded.Length - length; index < encoded.Length; index++)
            {
                encoded[index] = 0xff;
                Assert.Equal(-1, ValueScanner.Measure(encoded, out _));
                encoded[index] = (byte)'x';
            }
            Assert.Equal(encoded.Length, ValueScanner.Measure(encoded, out _));
        }
    }

    [Fact]
    public void Numbers_are_read_from_numbers_only()
    {
        Value[] others = ["a", true, Value.Null, Value.FromArray(1), new byte[9], DateTimeOffset.UnixEpoch];
        foreach (Value other in others)
        {
            Assert.False(ValueScanner.TryReadInteger(other.Encoded, out _));
            Assert.False(ValueScanner.TryReadDouble(other.Encoded, out _));
            Assert.False(ValueScanner.IsInteger(other.Encoded[0]));
        }
        Assert.True(ValueScanner.IsInteger(((Value)long.MinValue).Encoded[0]));
        Assert.False(ValueScanner.TryReadInteger([], out _));
        Assert.False(ValueScanner.TryReadInteger([0xcf, 0], out _));
    }

    /// <summary>What is accepted must come out of the encoder byte for byte: that is what canonical means.</summary>
    private static void AssertCanonicalOrRefused(byte[] source)
    {
        int length = ValueScanner.Measure(source, out int faultOffset);
        Assert.InRange(faultOffset, 0, source.Length);
        if (length < 0) return;
        Value value = new(source, 0, length);
        Value written = WriteAgain(value);
        if (value.Kind != ValueKind.Timestamp) Assert.Equal(written, value);
        _ = value.ToString();
    }

    private static Value WriteAgain(Value value) => value.Kind switch
    {
        ValueKind.Boolean => value.AsBoolean(),
        ValueKind.Integer => value.AsInteger(),
        ValueKind.Double => value.AsDouble(),
        ValueKind.String => value.AsString(),
        ValueKind.Bytes => value.AsBytes(),
        ValueKind.Array => Value.FromArray(value.AsArray().Select(item => HasInstant(item) ? item : WriteAgain(item))),
        ValueKind.Map => Value.FromMap(value.AsMap().Select(pair =>
            KeyValuePair.Create(pair.Key, HasInstant(pair.Value) ? pair.Value : WriteAgain(pair.Value)))),
        _ => value,
    };

    // An instant may hold nanoseconds that .NET cannot, so it is the one kind that does not come back byte for byte.
    private static bool HasInstant(Value value) => value.Kind switch
    {
        ValueKind.Timestamp => true,
        ValueKind.Array => value.AsArray().Any(HasInstant),
        ValueKind.Map => value.AsMap().Values.Any(HasInstant),
        _ => false,
    };
}
