using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub.Push;

/// <summary>Shows what devices send to the hooks before it is taken.</summary>
internal sealed class HookedReview(HookRunner runner) : FrameReview
{
    public override bool IsWanted(string pool) => runner.HasHooks(pool);

    public override async ValueTask<ReviewVerdict> DecideAsync(
        SyncCaller caller, string dataset, IReadOnlyList<RecordChange> changes, CancellationToken cancellationToken)
    {
        var proposed = new ProposedChanges(caller.Pool, caller.Id, dataset, caller.Device, [.. changes.Select(Of)]);
        HookDecision decision = await runner.RunAsync(proposed, cancellationToken).ConfigureAwait(false);
        if (decision.IsRefused)
            return new ReviewVerdict(decision.Reason, decision.IsTemporary, decision.RefusedRecords.ToHashSet(), null);
        return decision.Additions.Count == 0 ? default : new ReviewVerdict(null, false, null, write =>
        {
            foreach (RecordAddition addition in decision.Additions) addition.ApplyTo(write);
        });
    }

    private static ProposedChange Of(RecordChange change) => new(change.Record,
        change.Before.IsMissing ? ChangeType.Added : change.After.IsMissing ? ChangeType.Removed : ChangeType.Updated,
        change.Before, change.After);
}
