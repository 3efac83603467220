using Spectre.Console;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli;

/// <summary>Shows every surviving write of a key and why the record reads as it does.</summary>
internal static class ExplanationView
{
    /// <param name="screen">Where to write.</param>
    /// <param name="explanation">What to show.</param>
    /// <param name="nameOf">What to call a replica; null for its id.</param>
    public static void Write(IAnsiConsole screen, Explanation explanation, Func<ReplicaId, string>? nameOf = null)
    {
        foreach (ExplainedCell cell in explanation.Cells)
        {
            bool isPlace = cell.Kind == RecordKind.List;
            string field = cell.Field is null || isPlace ? "" : $"[{ShownText.Key(cell.Field)}]";
            string what = $"{RecordKindName.Of(cell.Kind)} {ShownText.Key(explanation.Key)}{field}";
            screen.Write(new Text(what, new Style(decoration: Decoration.Bold)));
            screen.WriteLine($" = {(cell.Value.IsMissing ? "nothing" : ShownText.Value(cell.Value))}");
            screen.WriteLine($"because {cell.Reason}");
            Table table = Tables.Make("", "value", "device", "#change", "written at (UTC)");
            foreach (ExplainedWrite write in cell.Writes)
            {
                string device = nameOf?.Invoke(write.Write.Dot.Replica)
                    ?? write.Write.Dot.Replica + (write.IsOwn ? " (this file)" : "");
                Tables.Add(table, write.Counts ? "shown" : "kept",
                    write.Write.IsDeleted ? "deleted" : ShownText.Value(write.Write.Value), device,
                    ShownText.Number(write.Write.Dot.Counter), write.Write.Time.ToString());
            }

            screen.Write(table);
        }
    }
}
