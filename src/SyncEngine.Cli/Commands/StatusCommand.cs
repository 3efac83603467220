using System.CommandLine;
using System.Globalization;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli.Commands;

internal static class StatusCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> file = Arguments.File();
        Option<bool> asJson = Arguments.AsJson();
        var command = new Command("status", "Show whose a file is, when it last synced, and what it holds, in a few lines. "
            + "While an app has the file open, the app's own store.Status tells.") { file, asJson };
        command.SetAction(async (arguments, _) =>
        {
            string path = arguments.GetRequiredValue(file);
            await using SyncStore store = await StoreFile.OpenExistingAsync(path, terminal);
            long bytes = await store.GetSizeBytesAsync();
            List<Dataset> datasets = store.Identity.DatasetNames.Select(store.Identity.Dataset).ToList();
            int records = datasets.Sum(static dataset => dataset.Count), conflicts = datasets.Sum(static d => d.Conflicts.Count);
            string? synced = store.Identity.LastSync?.ToString("u", CultureInfo.InvariantCulture);
            if (arguments.GetValue(asJson))
            {
                terminal.Out.WriteLine(ValueJson.Format(json =>
                {
                    json.WriteStartObject();
                    json.WriteString("identity", store.Identity.Id.ToString());
                    json.WriteBoolean("paired", store.Identity.IsPaired);
                    json.WriteString("lastSync", synced);
                    json.WriteNumber("datasets", datasets.Count);
                    json.WriteNumber("records", records);
                    json.WriteNumber("conflicts", conflicts);
                    json.WriteNumber("bytes", bytes);
                    json.WriteEndObject();
                }));
                return ExitCode.Success;
            }

            string kind = store.Identity.IsPaired ? "" : ", a guest that never synced";
            terminal.Out.WriteLine($"identity   {store.Identity.Id}{kind}");
            terminal.Out.WriteLine($"last sync  {synced ?? "never with a peer that was connected"}");
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"holds      {datasets.Count} datasets, {records} records, {conflicts} conflicts, {ShownText.Bytes(bytes)}"));
            return ExitCode.Success;
        });
        return command;
    }
}
