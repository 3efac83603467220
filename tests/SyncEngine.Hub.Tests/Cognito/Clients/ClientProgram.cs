using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito.Clients;

/// <summary>
/// Runs scripts in which real, unmodified client libraries speak with a hub. A script declares named checks and prints one
/// line of JSON for each; it is ended by its process id if it takes too long.
/// </summary>
internal static partial class ClientProgram
{
    private static readonly TimeSpan _timeMax = TimeSpan.FromMinutes(5);

    /// <summary>Whether Node.js and the packages of the folder cognito-js are there.</summary>
    public static bool HasNode { get; } = IsOnPath("node")
        && Directory.Exists(Path.Combine(FolderOf("cognito-js"), "node_modules", "@aws-sdk", "client-cognito-sync"));

    /// <summary>A Python with boto3, the system's own before another one; null if there is none.</summary>
    public static string? Python { get; } = new[] { "/usr/bin/python3", "python3" }.FirstOrDefault(HasBoto3);

    /// <summary>The names of the checks that a script declares.</summary>
    public static IReadOnlyList<string> ChecksOf(string folder, string script) => [.. Declaration()
        .Matches(File.ReadAllText(Path.Combine(FolderOf(folder), script))).Select(static match => match.Groups[1].Value)];

    /// <summary>Runs a script to its end.</summary>
    /// <param name="folder">Beside the tests: <c>cognito-js</c> or <c>cognito-py</c>.</param>
    /// <param name="script">The file.</param>
    /// <param name="endpoint">The hub's address, which is all that the clients' set-up differs by.</param>
    /// <param name="settings">What the script gets to know.</param>
    /// <returns>What went wrong in each check that was reached, empty where all was well; and what else was printed.</returns>
    public static async Task<(IReadOnlyDictionary<string, string> Details, string Words)> RunAsync(
        string folder, string script, Uri endpoint, JsonObject settings)
    {
        string program = folder == "cognito-js" ? "node" : Python!; // Whoever comes here was not skipped.
        var start = new ProcessStartInfo(program, script)
        {
            WorkingDirectory = FolderOf(folder), RedirectStandardOutput = true, RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        string address = endpoint.AbsoluteUri.TrimEnd('/');
        foreach (string service in (string[])["COGNITO_SYNC", "COGNITO_IDENTITY"])
            start.Environment["AWS_ENDPOINT_URL_" + service] = address;
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment["COGNITO_TEST"] = settings.ToJsonString();
        using Process process = Process.Start(start)!; // Null only where a process is reused, which is for shells.
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(_timeMax);
        }
        catch (TimeoutException)
        {
            process.Kill();
        }

        var details = new Dictionary<string, string>(StringComparer.Ordinal);
        string words = await errors;
        foreach (string line in (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!line.StartsWith("{\"check\"", StringComparison.Ordinal))
            {
                words += line + "\n";
                continue;
            }

            JsonElement told = JsonDocument.Parse(line).RootElement;
            bool isWell = told.GetProperty("ok").GetBoolean();
            details[told.GetProperty("check").GetString()!] = isWell ? "" : told.GetProperty("detail").GetString()!;
        }

        return (details, words);
    }

    public static string FolderOf(string folder) => Path.Combine(Here(), folder);

    private static string Here([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..")); // A source file is in a folder.

    private static bool IsOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program)));

    private static bool HasBoto3(string python)
    {
        if (!Path.IsPathRooted(python) && !IsOnPath(python)) return false;
        if (Path.IsPathRooted(python) && !File.Exists(python)) return false;
        using Process process = Process.Start(new ProcessStartInfo(python, "-c \"import boto3\"")
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!; // As above.
        if (process.WaitForExit(TimeSpan.FromSeconds(60))) return process.ExitCode == 0;
        process.Kill();
        return false;
    }

    [GeneratedRegex(@"^@?check\((?:'|"")([^'""]+)(?:'|"")", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}

/// <summary>Skipped, saying what to install, where Node.js or the clients are missing; a continuous build counts that as
/// failed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NodeTheoryAttribute : TheoryAttribute
{
    public NodeTheoryAttribute()
    {
        if (!ClientProgram.HasNode)
            Skip = "Needs Node.js 20 or later and: npm ci --ignore-scripts --prefix tests/SyncEngine.Hub.Tests/cognito-js";
    }
}

/// <summary>As above, for one test.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute() => Skip = new NodeTheoryAttribute().Skip;
}

/// <summary>Skipped, saying what to install, where Python or boto3 is missing; a continuous build counts that as
/// failed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class Boto3TheoryAttribute : TheoryAttribute
{
    public Boto3TheoryAttribute()
    {
        if (ClientProgram.Python is null) Skip = "Needs Python 3 with boto3: apt-get install python3-boto3";
    }
}
