using System.Text;

namespace SyncEngine.Cli.Demo;

/// <summary>Whether the devices ended equal with no write lost, checked on the files as they were read again.</summary>
internal sealed class DemoVerdict
{
    private DemoVerdict(List<string> lost, List<string> differences, int acknowledged, int kept)
    {
        (Lost, Differences, Acknowledged, Kept) = (lost, differences, acknowledged, kept);
    }

    /// <summary>Each loss at each device, in words.</summary>
    public List<string> Lost { get; }

    /// <summary>What differs between the devices: versions, digests, lines of their exports.</summary>
    public List<string> Differences { get; }

    public int Acknowledged { get; }

    /// <summary>Writes that are still there; the others were superseded by somebody who had seen them, or are
    /// lost.</summary>
    public int Kept { get; }

    public bool IsGood => Lost.Count == 0 && Differences.Count == 0;

    public static DemoVerdict Of(IReadOnlyList<DemoDevice> devices, WriteLedger ledger)
    {
        var lost = new List<string>();
        var differences = new List<string>();
        int kept = int.MaxValue;
        byte[] first = devices[0].Export();
        foreach (DemoDevice device in devices)
        {
            lost.AddRange(ledger.FindLost(device, out int keptHere));
            kept = Math.Min(kept, keptHere);
            byte[] export = device.Export();
            if (!export.AsSpan().SequenceEqual(first)) AddDiff(differences, devices[0].Name, first, device.Name, export);
            if (!device.Save.Version.Equals(devices[0].Save.Version))
                differences.Add($"version of {device.Name} {device.Save.Version}, "
                    + $"of {devices[0].Name} {devices[0].Save.Version}");
            if (device.Save.Digest != devices[0].Save.Digest)
                differences.Add($"digest of {device.Name} {device.Save.Digest:x16}, of {devices[0].Name} "
                    + $"{devices[0].Save.Digest:x16}");
        }

        return new DemoVerdict(lost, differences, ledger.Count, kept);
    }

    private static void AddDiff(List<string> differences, string left, byte[] leftLines, string right, byte[] rightLines)
    {
        string[] one = Encoding.UTF8.GetString(leftLines).Split('\n');
        string[] other = Encoding.UTF8.GetString(rightLines).Split('\n');
        differences.AddRange(one.Except(other).Select(line => $"- {left}: {line}"));
        differences.AddRange(other.Except(one).Select(line => $"+ {right}: {line}"));
    }
}
