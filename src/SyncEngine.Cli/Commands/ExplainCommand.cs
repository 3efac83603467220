using System.CommandLine;
using System.Text.Json;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli.Commands;

internal static class ExplainCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File(), dataset = Arguments.Dataset();
        Argument<string> key = Arguments.Text("KEY", "The record's key.");
        Option<bool> asJson = Arguments.AsJson();
        var command = new Command("explain", "Show every surviving write of a key: value, device, time, and why the "
            + "record reads as it does. Exit code 1 if nobody ever wrote it.") { file, dataset, key, asJson };
        command.SetAction(async (arguments, _) =>
        {
            await using SyncStore store = await StoreFile.OpenExistingAsync(arguments.GetRequiredValue(file), terminal);
            Dataset records = StoreFile.Datasets(store, arguments.GetRequiredValue(dataset))[0];
            Explanation explanation = records.Explain(arguments.GetRequiredValue(key));
            if (explanation.Cells.Count == 0)
                throw CommandFailure.NotFound($"Dataset {records.Name} knows no write of {explanation.Key}.");
            if (arguments.GetValue(asJson))
                terminal.Out.WriteLine(ValueJson.Format(json => Write(json, records.Name, explanation)));
            else ExplanationView.Write(terminal.Screen, explanation);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Write(Utf8JsonWriter json, string dataset, Explanation explanation)
    {
        json.WriteStartObject();
        json.WriteString("dataset", dataset);
        json.WriteString("key", explanation.Key);
        json.WriteStartArray("cells");
        foreach (ExplainedCell cell in explanation.Cells)
        {
            json.WriteStartObject();
            json.WriteString("kind", RecordKindName.Of(cell.Kind));
            if (cell.Field is not null) json.WriteString("field", cell.Field);
            if (!cell.Value.IsMissing)
            {
                json.WritePropertyName("value");
                ValueJson.Write(json, cell.Value);
            }

            json.WriteString("reason", cell.Reason);
            json.WriteStartArray("writes");
            foreach (ExplainedWrite write in cell.Writes) Write(json, write);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ExplainedWrite write)
    {
        json.WriteStartObject();
        json.WriteBoolean("shown", write.Counts);
        json.WriteBoolean("deleted", write.Write.IsDeleted);
        if (!write.Write.IsDeleted)
        {
            json.WritePropertyName("value");
            ValueJson.Write(json, write.Write.Value);
        }

        json.WriteString("replica", write.Write.Dot.Replica.ToString());
        json.WriteNumber("change", write.Write.Dot.Counter);
        json.WriteString("time", ShownText.IsoTime(write.Write.Time));
        json.WriteBoolean("own", write.IsOwn);
        json.WriteEndObject();
    }
}
