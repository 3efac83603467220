namespace SyncEngine.Hub.Push;

/// <summary>
/// Sees changes that a device sends before the hub accepts them, and may refuse them or add records. Register implementations
/// with the app's services. Called from many threads at once, for one identity one at a time.
/// </summary>
public interface IChangeHook
{
    /// <summary>Decides on changes. Nothing of them is visible to anybody yet.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="cancellationToken">Ends the wait when the time limit is over (5 s by default); an answer that comes later
    /// is not heard.</param>
    /// <returns>The decision. An exception counts as no answer: the hub's options say what follows, by default a
    /// refusal.</returns>
    ValueTask<HookDecision> OnChangesAsync(ProposedChanges changes, CancellationToken cancellationToken);
}
