using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using SyncEngine.Json;
using SyncEngine.Tests.Values;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class ValueJsonTests
{
    [Property(MaxTest = 500)]
    public FsCheck.Property Every_value_survives_json(bool dollar) =>
        Prop.ForAll(SampleValues.Any.ToArbitrary(), sample =>
        {
            Value value = sample.ToValue();
            if (dollar) value = Value.FromMap([KeyValuePair.Create("$bytes", value)]);
            string json = ValueJson.Format(value);
            Assert.Equal(value, ValueJson.Parse(json));
            Assert.Equal(json, ValueJson.Format(ValueJson.Parse(json)));
            Assert.DoesNotContain('\n', json);
        });

    [Theory]
    [InlineData("1", ValueKind.Integer)]
    [InlineData("-9223372036854775808", ValueKind.Integer)]
    [InlineData("1.0", ValueKind.Double)]
    [InlineData("-0.0", ValueKind.Double)]
    [InlineData("5E-324", ValueKind.Double)]
    [InlineData("{\"$double\":\"-Infinity\"}", ValueKind.Double)]
    [InlineData("{\"$bytes\":\"\"}", ValueKind.Bytes)]
    [InlineData("{\"$timestamp\":\"0001-01-01T00:00:00.0000000Z\"}", ValueKind.Timestamp)]
    [InlineData("{\"$$timestamp\":1}", ValueKind.Map)]
    [InlineData("{\"$$$\":1}", ValueKind.Map)]
    [InlineData("{\"$a\":1,\"b\":2}", ValueKind.Map)]
    [InlineData("\"é 😀 \\u0007 \\u2028 \\\" \\\\ \\n <&'>\"", ValueKind.String)]
    public void Each_form_is_read_and_written_alike(string json, ValueKind kind)
    {
        Value value = ValueJson.Parse(json);
        Assert.Equal(kind, value.Kind);
        Assert.Equal(json, ValueJson.Format(value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("1e999")]
    [InlineData("9223372036854775808")]
    [InlineData("{\"$double\":1}")]
    [InlineData("{\"$timestamp\":\"yesterday\"}")]
    [InlineData("{\"$x\":1}")]
    [InlineData("\"\\ud800\"")]
    [InlineData("// no")]
    public void What_is_no_value_is_refused(string json) => Assert.Throws<FormatException>(() => ValueJson.Parse(json));

    [Theory]
    [InlineData(31)]
    [InlineData(60)]
    public async Task Maps_in_maps_cost_no_more_than_their_length(int depth)
    {
        string json = string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);

        // Read twice at each level, the innermost would be read a thousand million times and more.
        await Task.Run(() => Record.Exception(() => ValueJson.Parse(json))).WaitAsync(TimeSpan.FromSeconds(60));
    }
}
