using Xunit;

namespace SyncEngine.Cli.Tests;

/// <summary>Commands that lack what they need say so before they begin.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Theory]
    [InlineData("load")]
    [InlineData("load", "--seconds", "1", "--writers", "3")]
    public async Task Load_without_anything_to_measure_says_what_to_give(params string[] arguments)
    {
        string error = await _sandbox.FailAsync(2, arguments);
        foreach (string option in (string[])["--idle", "--pairs", "--cognito", "--identities"])
            Assert.Contains(option, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bad")]
    [InlineData("us-east-1")]
    [InlineData("us-east-1:")]
    [InlineData("us-east-1:01234567")]
    [InlineData("../us:01234567-89ab-cdef-0123-456789abcdef")]
    [InlineData(":01234567-89ab-cdef-0123-456789abcdef")]
    public async Task Import_looks_at_the_pools_id_before_anything_else(string id)
    {
        string error = await _sandbox.FailAsync(2, "cognito", "import", "--from", "us-east-1", "--pool", id);
        Assert.Contains("--pool REGION:GUID", error, StringComparison.Ordinal);
    }
}
