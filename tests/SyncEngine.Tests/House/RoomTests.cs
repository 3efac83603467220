using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace SyncEngine.Tests.House;

/// <summary>Each room uses only rooms beneath it, and only Values and Wire name MessagePack.</summary>
public sealed class RoomTests
{
    private static readonly string[] _rooms =
        ["Causality", "Values", "Cells", "Wire", "Storage", "Datasets", "Json", "Identities", "Sync", "Policies", "Hubs"];

    [Fact]
    public void Each_room_uses_only_rooms_beneath_it()
    {
        var faults = new List<string>();
        foreach (string file in Sources())
        {
            int room = Array.IndexOf(_rooms, RoomOf(file));
            if (room < 0) continue;
            foreach (Match use in Regex.Matches(File.ReadAllText(file), @"\bSyncEngine\.(\w+)"))
            {
                int other = Array.IndexOf(_rooms, use.Groups[1].Value);
                if (other > room) faults.Add($"{file} uses {_rooms[other]}");
            }
        }

        Assert.Empty(faults);
    }

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

    private static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Root(), "src", "SyncEngine"), "*.cs", SearchOption.AllDirectories);

    private static string RoomOf(string file) => Path.GetFileName(Path.GetDirectoryName(file))!;

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
