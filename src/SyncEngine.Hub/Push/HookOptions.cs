namespace SyncEngine.Hub.Push;

/// <summary>What hooks on changes may take and what follows when they fail.</summary>
public sealed class HookOptions
{
    /// <summary>How long all hooks together may take for one batch of changes: 1 ms to 5 minutes. Default 5 s.</summary>
    public TimeSpan TimeLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whether changes are accepted when a hook fails or does not answer in time. Default false: they are refused for now, and
    /// the device may send them again.
    /// </summary>
    public bool AcceptsOnFailure { get; set; }
}
