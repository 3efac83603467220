namespace SyncEngine.Cli;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        using Terminal terminal = Terminal.OfProcess();
        return await CommandLine.RunAsync(arguments, terminal);
    }
}
