using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using SyncEngine.Policies;
using Xunit;

namespace SyncEngine.Tests.House;

/// <summary>What the documents of policies and credentials show is what runs.</summary>
public sealed class PolicyDocTests
{
    [Fact]
    public void Each_policy_of_the_document_is_one()
    {
        List<string> found = Blocks("docs/POLICIES.md", "json");
        Assert.Equal(3, found.Count);
        Assert.All(found, static json => Policy.Parse(json));
    }

    [Fact]
    public void The_code_of_the_document_is_compiled()
    {
        string compiled = Flat(Read("tests/SyncEngine.Hub.Tests/OtherResource/OrdersApi.cs"));
        List<string> found = Blocks("docs/CREDENTIALS.md", "csharp");
        Assert.Equal(2, found.Count);
        Assert.All(found, code => Assert.Contains(Flat(code), compiled, StringComparison.Ordinal));
    }

    private static List<string> Blocks(string file, string language) =>
        [.. Regex.Matches(Read(file), $"```{language}\n(.*?)```", RegexOptions.Singleline).Select(static m => m.Groups[1].Value)];

    private static string Flat(string code) => Regex.Replace(code, @"\s+", " ").Trim();

    private static string Read(string file, [CallerFilePath] string here = "") => File.ReadAllText(
        Path.Combine(Path.GetDirectoryName(here)!, "../../..", file)).ReplaceLineEndings("\n");
}
