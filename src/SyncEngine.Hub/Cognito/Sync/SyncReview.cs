using SyncEngine.Datasets;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>What is to be written after everybody has looked at it.</summary>
/// <param name="Patches">The records.</param>
/// <param name="Also">What the hub writes besides; null for nothing.</param>
internal sealed record SyncProposal(IReadOnlyList<LegacyPatch> Patches, Action<Transaction>? Also)
{
    public bool IsEmpty => Patches.Count == 0 && Also is null;
}

/// <summary>Shows what a legacy client wants to write to the pool's function, and then to the hub's hooks as what any other
/// device sends.</summary>
internal sealed class SyncReview(LegacyDatasets datasets, SyncTrigger trigger, HookedReview hooks)
{
    /// <summary>Asks everybody.</summary>
    /// <exception cref="CognitoException">Somebody refuses, or a patch is stale.</exception>
    public async ValueTask<SyncProposal> ReviewAsync(SyncScope scope, string dataset, IReadOnlyList<LegacyPatch> patches,
        string? device, CancellationToken cancellationToken)
    {
        if (patches.Count == 0) return new SyncProposal(patches, null);
        SyncProposal proposal = await trigger.AskAsync(scope, dataset, patches, cancellationToken).ConfigureAwait(false);
        if (proposal.IsEmpty || !hooks.IsWanted(scope.Pool.Name)) return proposal;
        IReadOnlyList<RecordChange> changes = await datasets.ProposeAsync(
            scope.Pool.Name, scope.Id, dataset, proposal, cancellationToken).ConfigureAwait(false);
        if (changes.Count == 0) return proposal;
        var caller = new SyncCaller(scope.Pool.Name, scope.Id, LegacyDevices.HubName(device) ?? string.Empty,
            DateTimeOffset.MaxValue, new SessionAccess { Allows = static (_, _) => true });
        ReviewVerdict verdict = await hooks.DecideAsync(caller, dataset, changes, cancellationToken).ConfigureAwait(false);
        return verdict switch
        {
            { Refusal: { } reason, IsTemporary: true } => throw CognitoException.TooManyRequests(reason),
            { Refusal: { } reason } => throw CognitoException.NotAuthorized(reason),
            { Addition: { } addition } => proposal with { Also = proposal.Also + addition },
            _ => proposal,
        };
    }
}
