using System.CommandLine;

namespace SyncEngine.Cli.Commands;

internal static class WatchCommand
{
    public static Command Build(Terminal terminal) => new("watch", "x");
}
