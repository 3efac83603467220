using System.CommandLine;

namespace SyncEngine.Cli.Commands;

internal static class DemoCommand
{
    public static Command Build(Terminal terminal) => new("demo", "x");
}
