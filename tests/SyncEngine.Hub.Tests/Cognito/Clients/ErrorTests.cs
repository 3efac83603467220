using System.Text.RegularExpressions;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito.Clients;

/// <summary>
/// Each error that the models of the two services document for an operation, through the AWS SDK for JavaScript. The pairs are
/// read from the SDK itself; those that do not occur on a hub are the ones that docs/COGNITO.md lists with a reason.
/// </summary>
public sealed partial class ErrorTests(ErrorHubs hubs) : IClassFixture<ErrorHubs>
{
    private const string NotAuthorized = "NotAuthorizedException";
    private static readonly string[] _packages = ["client-cognito-identity", "client-cognito-sync"];

    /// <summary>What the script checks: every pair that occurs, and that who has no developer key is told so as AWS tells it
    /// where the service's own word does not occur.</summary>
    public static TheoryData<string> Checks =>
    [
        .. Documented().Except(Listed()).Select(NameOf),
        .. Listed().Where(static pair => pair.Error == NotAuthorized)
            .Select(static pair => NameOf((pair.Operation, "AccessDeniedException"))),
    ];

    [NodeTheory]
    [MemberData(nameof(Checks))]
    public Task Errors_through_the_JavaScript_SDK(string check) => hubs.RequireAsync(check);

    [NodeFact]
    public async Task The_script_checks_no_more_and_no_less() =>
        Assert.Equal(((IEnumerable<object[]>)Checks).Select(static row => (string)row[0]).Order(),
            (await hubs.ChecksAsync()).Order());

    [NodeFact]
    public void What_is_listed_as_absent_is_documented_by_the_service()
    {
        List<(string Operation, string Error)> documented = [.. Documented()], listed = [.. Listed()];
        Assert.Equal(40, documented.Select(static pair => pair.Operation).Distinct().Count());
        Assert.Empty(listed.Except(documented));
        Assert.Equal(listed.Distinct(), listed);
        Assert.Contains($"({documented.Count} pairs)", Section(), StringComparison.Ordinal);
        Assert.NotEmpty(listed);
    }

    private static string NameOf((string Operation, string Error) pair) => $"{pair.Operation}: {pair.Error}";

    /// <summary>The pairs in the SDK's own declarations.</summary>
    private static IEnumerable<(string Operation, string Error)> Documented()
    {
        if (!ClientProgram.HasNode) yield break;
        foreach (string package in _packages)
        {
            string folder = Path.Combine(
                ClientProgram.FolderOf("cognito-js"), "node_modules", "@aws-sdk", package, "dist-types", "commands");
            foreach (string file in Directory.EnumerateFiles(folder, "*Command.d.ts").Order(StringComparer.Ordinal))
            {
                string operation = Path.GetFileName(file)[..^"Command.d.ts".Length];
                foreach (Match match in Thrown().Matches(File.ReadAllText(file)))
                    if (!match.Groups[1].Value.EndsWith("ServiceException", StringComparison.Ordinal)
                        || match.Groups[1].Value == "ExternalServiceException")
                        yield return (operation, match.Groups[1].Value);
            }
        }
    }

    /// <summary>The pairs in the table of docs/COGNITO.md, which each have a reason.</summary>
    private static IEnumerable<(string Operation, string Error)> Listed()
    {
        foreach (Match row in Row().Matches(Section()))
            foreach (Match operation in Quoted().Matches(row.Groups[2].Value))
                yield return (operation.Groups[1].Value, row.Groups[1].Value);
    }

    private static string Section()
    {
        string docs = File.ReadAllText(Path.Combine(ClientProgram.FolderOf(""), "..", "..", "docs", "COGNITO.md"));
        string section = docs[docs.IndexOf("\n## Errors\n", StringComparison.Ordinal)..];
        return section[..section.IndexOf("\n## ", 1, StringComparison.Ordinal)];
    }

    [GeneratedRegex(@"@throws \{@link (\w+)\}")]
    private static partial Regex Thrown();

    [GeneratedRegex(@"^\| `(\w+Exception)` \| ((?:`\w+`(?:, )?)+) \| [^|]+ \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex Quoted();
}
