namespace SyncEngine.Cli;

/// <summary>Ends a command with an exit code and a sentence for the user that says what to do next.</summary>
internal sealed class CommandFailure(int exitCode, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public int ExitCode { get; } = exitCode;

    public static CommandFailure BadInput(string message, Exception? innerException = null) =>
        new(Cli.ExitCode.BadInput, message, innerException);

    public static CommandFailure NotFound(string message) => new(Cli.ExitCode.CheckFailed, message);
}
