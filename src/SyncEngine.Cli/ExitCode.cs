namespace SyncEngine.Cli;

/// <summary>What the program returns; scripts depend on it.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The answer is no: not equal, unsound, not found.</summary>
    public const int CheckFailed = 1;

    /// <summary>Bad usage or bad input. Nothing was changed.</summary>
    public const int BadInput = 2;

    /// <summary>The file is in use or damaged, the disk is full, or the operation is not allowed.</summary>
    public const int OperationFailed = 3;
}
