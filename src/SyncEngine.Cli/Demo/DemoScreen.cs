using System.Globalization;
using Spectre.Console;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;
using SyncEngine.Values;

namespace SyncEngine.Cli.Demo;

/// <summary>Shows the demo: short headings, tables, plain words.</summary>
internal sealed class DemoScreen(IAnsiConsole screen, IReadOnlyList<DemoDevice> devices)
{
    private static readonly Color[] _colors = [Color.Aqua, Color.Yellow, Color.Green];
    private readonly Dictionary<(DemoDevice, RecordName), string> _before = [];

    public void Heading(int number, string words)
    {
        screen.WriteLine();
        screen.Write(new Rule($"[bold]{number}  {Markup.Escape(words)}[/]") { Style = new Style(Color.Grey) }.LeftJustified());
    }

    public void Say(string words) => screen.WriteLine(words);

    /// <summary>What each device did, side by side.</summary>
    public void ShowStory(Dictionary<string, List<string>> story)
    {
        Table table = DeviceTable();
        table.AddRow(devices.Select(device => new Text(string.Join('\n', story[device.Name]))));
        screen.Write(table);
    }

    public void ShowDeliveries(IReadOnlyList<Delivery> deliveries)
    {
        Table table = Tables.Make("#", "parcel", "to", "#bytes", "what the receiver does");
        for (int i = 0; i < deliveries.Count; i++)
        {
            Delivery delivery = deliveries[i];
            Color color = delivery.Outcome switch
            {
                JoinOutcome.Joined => Color.Green,
                JoinOutcome.Gap => Color.Red,
                _ => Color.Grey,
            };
            table.AddRow(new Text((i + 1).ToString(CultureInfo.InvariantCulture)), new Text(delivery.Parcel),
                Name(delivery.Receiver), new Text(ShownText.Number(delivery.Bytes)),
                new Text(delivery.Words, new Style(color)));
        }

        screen.Write(table);
    }

    /// <summary>Notes what each device shows now, for the table of before and after.</summary>
    public void NoteBefore()
    {
        foreach (DemoDevice device in devices)
            foreach ((RecordName name, _) in DemoStory.Records) _before[(device, name)] = Shown(device.Save, name);
    }

    public void ShowBefore()
    {
        Table table = DeviceTable("");
        foreach ((RecordName name, _) in DemoStory.Records)
        {
            table.AddRow([new Text(name.Key, new Style(decoration: Decoration.Bold)),
                .. devices.Select(device => new Text(_before[(device, name)]))]);
        }

        screen.Write(table);
    }

    public void ShowAfter()
    {
        Table table = Tables.Make("", "on all three now", "how it merged");
        foreach ((RecordName name, string why) in DemoStory.Records)
        {
            table.AddRow(new Text(name.Key, new Style(decoration: Decoration.Bold)),
                new Text(Shown(devices[0].Save, name), new Style(Color.Green)),
                new Text($"{RecordKindName.Of(name.Kind)}: {why}"));
        }

        screen.Write(table);
    }

    public void ShowConflict()
    {
        Dataset save = devices[0].Save;
        ExplanationView.Write(screen, save.Explain(DemoStory.ConflictKey), NameOf);
        foreach (Conflict conflict in save.Conflicts)
        {
            foreach (CompetingWrite loser in conflict.Losers)
            {
                screen.WriteLine($"Not shown, not lost: {ShownText.Value(loser.Value)} of the "
                    + $"{NameOf(loser.Dot.Replica)}. "
                    + "The app can let the player choose.");
            }
        }
    }

    public void ShowProof(DemoVerdict verdict)
    {
        Table table = Tables.Make("", "#records", "#export", "changes known, by device", "digest");
        foreach (DemoDevice device in devices)
        {
            string version = string.Join(", ", devices.Select(
                other => $"{other.Name} {device.Save.Version[other.Save.ReplicaId]}"));
            table.AddRow(Name(device.Name), new Text(ShownText.Number(device.Save.Count)),
                new Text(ShownText.Bytes(device.Export().Length)), new Text(version),
                new Text(device.Save.Digest.ToString("x16", CultureInfo.InvariantCulture)));
        }

        screen.Write(table);
        if (!verdict.IsGood) return;
        screen.WriteLine($"Of {verdict.Acknowledged} acknowledged writes {verdict.Kept} are still there; "
            + $"{verdict.Acknowledged - verdict.Kept} were replaced by somebody who had seen them.");
    }

    private Table DeviceTable(params string[] first)
    {
        Table table = Tables.Make(first);
        foreach (DemoDevice device in devices) table.AddColumn(new TableColumn(Name(device.Name)));
        return table;
    }

    private Text Name(string device)
    {
        int index = devices.ToList().FindIndex(candidate => candidate.Name == device);
        return new Text(device, new Style(_colors[index], decoration: Decoration.Bold));
    }

    private string NameOf(ReplicaId replica) =>
        devices.FirstOrDefault(device => device.Wrote(replica))?.Name ?? replica.ToString();

    private static string Shown(Dataset save, RecordName name)
    {
        if (!save.Contains(name.Key, name.Kind)) return "–";
        return name.Kind switch
        {
            RecordKind.Register => Plain(save[name.Key]),
            RecordKind.Set => string.Join(", ", save.Set(name.Key).ToArray().Select(Plain)),
            RecordKind.List => string.Join(", ", save.List(name.Key).ToArray().Select(Plain)),
            RecordKind.Map => string.Join(", ", save.Map(name.Key).ToArray().Select(
                static field => $"{field.Key} {Plain(field.Value)}")),
            _ => ValueJson.Format(json => RecordJson.WriteValue(json, save, name)),
        };
    }

    private static string Plain(Value value) =>
        value.Kind == ValueKind.String ? value.AsString() : ShownText.Value(value);
}
