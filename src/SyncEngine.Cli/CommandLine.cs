using System.CommandLine;
using SyncEngine.Causality;
using SyncEngine.Cli.Commands;
using SyncEngine.Json;

namespace SyncEngine.Cli;

/// <summary>The program: from arguments to an exit code. The only place that turns failures into words and
/// codes.</summary>
internal static class CommandLine
{
    private const string About =
        """
        SyncEngine keeps data that merges: datasets of records in a file, edited on any device, online or not.

        Start with:  syncengine demo
        Exit codes:  0 success; 1 the check failed (not equal, unsound, not found); 2 bad usage or bad input;
                     3 operating failure (file in use, damaged, disk full, not allowed).
        """;

    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, Terminal terminal, CancellationToken cancellationToken = default)
    {
        // Keys may start with @, which would otherwise name a response file.
        var parsing = new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null };
        ParseResult result = BuildRoot(terminal).Parse(arguments.Count == 0 ? ["--help"] : arguments, parsing);
        if (result.Errors.Count > 0 && result.Action is System.CommandLine.Invocation.ParseErrorAction)
        {
            string words = string.Join(" ", result.Errors.Select(static error => error.Message).Distinct());
            string command = result.CommandResult.Command is RootCommand ? "" : result.CommandResult.Command.Name + " ";
            terminal.Error.WriteLine(ShownText.Line($"syncengine: {words} See: syncengine {command}--help"));
            return ExitCode.BadInput;
        }

        var invocation = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            Output = terminal.Out,
            Error = terminal.Error,
        };
        try
        {
            return await result.InvokeAsync(invocation, cancellationToken);
        }
        catch (Exception e) when (CodeOf(e) is { } code)
        {
            terminal.Error.WriteLine(ShownText.Line($"syncengine: {MessageOf(e)}"));
            return code;
        }
    }

    private static RootCommand BuildRoot(Terminal terminal)
    {
        var root = new RootCommand(About);
        foreach (Command command in (Command[])
        [
            DemoCommand.Build(terminal),
            PutCommand.Build(terminal),
            GetCommand.Build(terminal),
            DeleteCommand.Build(terminal),
            .. NumberCommands.Build(terminal),
            .. SetCommands.Build(terminal),
            MapPutCommand.Build(terminal),
            .. ListRecordCommands.Build(terminal),
            ListCommand.Build(terminal),
            WatchCommand.Build(terminal),
            ExplainCommand.Build(terminal),
            ExportCommand.Build(terminal),
            ImportCommand.Build(terminal),
            SyncCommand.Build(terminal),
            ServeCommand.Build(terminal),
            ConnectCommand.Build(terminal),
            StatusCommand.Build(terminal),
            HubCommand.Build(terminal),
            PoolCommand.Build(terminal),
            IdentityCommand.Build(terminal),
            LoadCommand.Build(terminal),
            PolicyCommand.Build(terminal),
            CognitoCommand.Build(terminal),
            SimulateCommand.Build(terminal),
            DeltaCommand.Build(terminal),
            ApplyCommand.Build(terminal),
            InspectCommand.Build(terminal),
            VerifyCommand.Build(terminal),
            CompactCommand.Build(terminal),
            BackupCommand.Build(terminal),
        ]) root.Subcommands.Add(command);
        return root;
    }

    private static int? CodeOf(Exception exception) => exception switch
    {
        CommandFailure failure => failure.ExitCode,
        SyncException { Code: SyncErrorCode.Malformed or SyncErrorCode.LimitExceeded or SyncErrorCode.WrongDataset }
            => ExitCode.BadInput,
        SyncException or IOException or UnauthorizedAccessException or OperationCanceledException
            => ExitCode.OperationFailed,
        ArgumentException or FormatException => ExitCode.BadInput,
        _ => null,
    };

    private static string MessageOf(Exception exception) => exception switch
    {
        OperationCanceledException => "Stopped. What was reported as done is kept.",
        ArgumentException argument => ValueJson.FirstSentence(argument) + ".",
        _ => exception.Message.ReplaceLineEndings(" "),
    };
}
