using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace SyncEngine.Tests.House;

/// <summary>Each room uses only rooms beneath it, and only Values and Wire name MessagePack.</summary>
public sealed class RoomTests
{
    private static readonly string[] _rooms =
        ["Causality", "Values", "Cells", "Wire", "Storage", "Datasets", "Json", "Identities", "Sync", "Policies", "Hubs"];

    // The root puts the hub together, and holds its options and telemetry, which every room may use.
    private static readonly string[] _hubRooms =
    [
        "Rows", "Pools", "Logins", "Identities", "Tokens", "Syncing", "Merging", "Push", "Accounts", "Endpoints", "Cognito",
    ];

    [Fact]
    public void Each_room_uses_only_rooms_beneath_it() => Assert.Empty(UsesAbove("SyncEngine", _rooms));

    [Fact]
    public void Each_room_of_the_hub_uses_only_rooms_beneath_it() => Assert.Empty(UsesAbove("SyncEngine.Hub", _hubRooms));

    [Fact]
    public void Every_folder_of_the_hub_is_a_room() => Assert.Equal(
        _hubRooms.Order(), Directory.GetDirectories(Path.Combine(Root(), "src", "SyncEngine.Hub"))
            .Where(static folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Any())
            .Select(static folder => Path.GetFileName(folder)).Order());

    [Fact]
    public void Only_Values_and_Wire_name_MessagePack() => Assert.DoesNotContain(
        Sources().Where(file => RoomOf(file) is not ("Values" or "Wire")),
        file => File.ReadLines(file).Any(line => line.StartsWith("using MessagePack", StringComparison.Ordinal)));

    [Fact]
    public void Only_Polyfills_has_conditional_code() => Assert.DoesNotContain(
        Sources().Where(file => RoomOf(file) != "Polyfills"),
        file => File.ReadLines(file).Any(line => line.StartsWith("#if", StringComparison.Ordinal)));

    [Fact]
    public void Files_and_lines_keep_their_size()
    {
        var faults = new List<string>();
        foreach (string file in Directory.EnumerateFiles(Root(), "*.cs", SearchOption.AllDirectories))
        {
            if (Regex.IsMatch(file, @"[/\\](artifacts|obj|bin|node_modules)[/\\]")) continue;
            string[] lines = File.ReadAllLines(file);
            if (lines.Length > 400) faults.Add($"{file} has {lines.Length} lines");
            int longest = Array.FindIndex(lines, static line => line.Length > 130 && !line.Contains("$bytes"));
            if (longest >= 0) faults.Add($"{file}:{longest + 1} is too long");
        }

        Assert.Empty(faults);
    }

    /// <summary>Where a room of a project names one that comes after it, by a using or in full.</summary>
    private static List<string> UsesAbove(string project, string[] rooms)
    {
        var faults = new List<string>();
        var uses = new Regex(@"(?<![\w.])" + Regex.Escape(project) + @"\.(\w+)");
        foreach (string file in Sources(project))
        {
            int room = Array.IndexOf(rooms, RoomOf(project, file));
            if (room < 0) continue;
            foreach (Match use in uses.Matches(File.ReadAllText(file)))
            {
                int other = Array.IndexOf(rooms, use.Groups[1].Value);
                if (other > room) faults.Add($"{file} uses {rooms[other]}");
            }
        }

        return faults;
    }

    private static IEnumerable<string> Sources(string project = "SyncEngine") =>
        Directory.EnumerateFiles(Path.Combine(Root(), "src", project), "*.cs", SearchOption.AllDirectories);

    private static string RoomOf(string file) => RoomOf("SyncEngine", file);

    /// <summary>The folder of the project that a file is in, however deep.</summary>
    private static string RoomOf(string project, string file) =>
        Path.GetRelativePath(Path.Combine(Root(), "src", project), file).Split('/', '\\')[0];

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
