namespace SyncEngine.Policies;

/// <summary>What a policy says to one request.</summary>
/// <param name="IsAllowed">Whether it is allowed: some statement allows it and none denies it.</param>
/// <param name="Statement">The place, from 0, of the statement that decided; −1 where none applies, so that it is denied.</param>
public readonly record struct PolicyDecision(bool IsAllowed, int Statement);

/// <summary>What one statement says to a request, for people.</summary>
/// <param name="Statement">Its place, from 0.</param>
/// <param name="Effect"><c>allow</c> or <c>deny</c>.</param>
/// <param name="Applies">Whether it says anything to the request.</param>
/// <param name="Reason">Why, or why not.</param>
public sealed record StatementVerdict(int Statement, string Effect, bool Applies, string Reason)
{
    /// <summary>Names that the statement uses and that are missing, where it does not apply for want of them alone, such as
    /// <c>claim.tenant</c>. With a statement that denies they are worth a look: it denies nobody who lacks them.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];
}
