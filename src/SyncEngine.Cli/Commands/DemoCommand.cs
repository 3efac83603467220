using System.CommandLine;
using SyncEngine.Cli.Demo;

namespace SyncEngine.Cli.Commands;

internal static class DemoCommand
{
    public static Command Build(Terminal terminal)
    {
        Option<string?> folder = new("--folder")
        {
            Description = "Make the files in this folder, which must be empty or new; a temporary one without it.",
            HelpName = "DIR",
        };
        var command = new Command("demo", "Show what merging means: three devices with real files edit one save game "
            + "offline, "
            + "exchange bytes in an awkward order, and end equal with nothing lost. Ends with the line "
            + "\"converged: 3 devices, N records, 0 lost\".") { folder };
        command.SetAction((arguments, _) => RunAsync(terminal, FolderOf(arguments.GetValue(folder))));
        return command;
    }

    private static string FolderOf(string? wanted)
    {
        if (wanted is null) return Directory.CreateTempSubdirectory("syncengine-demo-").FullName;
        if (File.Exists(wanted)) throw CommandFailure.BadInput($"{wanted} is a file: name a new or empty folder.");
        if (Directory.Exists(wanted) && Directory.EnumerateFileSystemEntries(wanted).Any())
            throw CommandFailure.BadInput($"{wanted} is not empty: name a new or empty folder.");
        return Directory.CreateDirectory(wanted).FullName;
    }

    private static async Task<int> RunAsync(Terminal terminal, string folder)
    {
        var clock = new DemoClock();
        string parcels = Directory.CreateDirectory(Path.Combine(folder, "parcels")).FullName;
        await using DemoDevice laptop = await DemoDevice.OpenAsync(folder, "laptop", terminal, clock);
        await using DemoDevice phone = await DemoDevice.OpenAsync(folder, "phone", terminal, clock);
        await using DemoDevice tablet = await DemoDevice.OpenAsync(folder, "tablet", terminal, clock);
        DemoDevice[] devices = [laptop, phone, tablet];
        var ledger = new WriteLedger();
        var mail = new DemoMail(parcels);
        var screen = new DemoScreen(terminal.Screen, devices);
        var story = new DemoStory(laptop, phone, tablet, clock, ledger, mail);

        screen.Heading(1, "One save game on three devices, each offline");
        await story.StartAsync();
        await story.PlayOfflineAsync();
        screen.ShowStory(ledger.TakeStory());
        screen.NoteBefore();

        screen.Heading(2, "So each device sees something else");
        screen.ShowBefore();

        screen.Heading(3, "Their changes travel as bytes: late, twice, in the wrong order");
        await story.DeliverAsync();
        screen.ShowDeliveries(mail.Deliveries);

        // From here on the files speak for themselves: what is shown was read back from them.
        foreach (DemoDevice device in devices) await device.ReopenAsync(terminal);
        DemoVerdict verdict = DemoVerdict.Of(devices, ledger);

        screen.Heading(4, "Now all three see the same");
        screen.ShowAfter();

        screen.Heading(5, "Two names for the hero: one is shown, both are kept");
        screen.ShowConflict();

        screen.Heading(6, "The proof, from the files as they were closed and read again");
        screen.ShowProof(verdict);
        return Conclude(terminal, folder, laptop, verdict);
    }

    private static int Conclude(Terminal terminal, string folder, DemoDevice laptop, DemoVerdict verdict)
    {
        terminal.Out.WriteLine();
        foreach (string line in verdict.Differences) terminal.Out.WriteLine(line);
        foreach (string line in verdict.Lost) terminal.Out.WriteLine(line);
        terminal.Out.WriteLine($"The files are yours to look into: {folder}");
        terminal.Out.WriteLine($"  syncengine inspect {Quote(laptop.Path)}");
        terminal.Out.WriteLine();
        if (!verdict.IsGood)
        {
            terminal.Out.WriteLine(
                $"not converged: {verdict.Differences.Count} differences, {verdict.Lost.Count} lost");
            return ExitCode.CheckFailed;
        }

        terminal.Out.WriteLine(FormattableString.Invariant(
            $"converged: 3 devices, {laptop.Save.Count} records, {verdict.Lost.Count} lost"));
        return ExitCode.Success;
    }

    private static string Quote(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;
}
