using System.Security.Cryptography;
using Microsoft.AspNetCore.WebUtilities;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Accounts;

/// <summary>
/// Logins in two steps: first what one would do is shown, then it is done. Plans live in memory for ten minutes; after a
/// restart the app plans again. Thread-safe.
/// </summary>
internal sealed class LoginPlans(IdentityDirectory directory, IdentityMerging merging, TimeProvider time)
{
    private const int PlansMax = 10_000;
    private static readonly TimeSpan _life = TimeSpan.FromMinutes(10);
    private readonly object _gate = new();
    private readonly Dictionary<string, LoginPlan> _plans = new(StringComparer.Ordinal);

    /// <summary>Finds out what a proved login would do to an identity, and keeps it to be committed.</summary>
    /// <param name="row">The identity whose device asks.</param>
    /// <param name="device">The device.</param>
    /// <param name="login">The login, proved just now.</param>
    /// <param name="mayMerge">Whether identities with logins of their own may be merged too: both were proved, or the developer
    /// says so.</param>
    /// <param name="mode">The mode of a merge that is previewed.</param>
    /// <param name="limits">The pool's limits, for the preview.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<LoginPlan> PlanAsync(
        IdentityRow row, string device, LoginRow login, bool mayMerge, MergeMode mode, SessionLimits limits,
        CancellationToken cancellationToken)
    {
        IdentityRow? owner = await directory.FindByLoginAsync(row.Pool, login.Provider, login.Subject, cancellationToken)
            .ConfigureAwait(false);
        if (owner?.State == IdentityState.Disabled)
            throw new DirectoryException(DirectoryFault.Disabled,
                "The identity of this login was disabled. Ask the hub's operator.");
        LoginOutcome outcome = owner is null ? LoginOutcome.Links : owner.Id == row.Id ? LoginOutcome.AlreadyLinked
            : row.IsGuest || mayMerge ? LoginOutcome.Merges : LoginOutcome.Conflict;
        IReadOnlyList<DatasetPreview> datasets = outcome == LoginOutcome.Merges
            ? await merging.PreviewAsync(row.Pool, row.Id, owner!.Id, mode, limits, cancellationToken)
                .ConfigureAwait(false)
            : [];
        DateTimeOffset now = time.GetUtcNow();
        var plan = new LoginPlan
        {
            Id = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(18)), Pool = row.Pool, Caller = row.Id,
                Device = device,
            Login = login, Outcome = outcome, Destination = owner?.Id ?? row.Id, Expires = now + _life, Datasets = datasets,
            MayMergeLogins = mayMerge,
        };
        Keep(plan, now);
        return plan;
    }

    /// <summary>Does what a plan said, if that is still what it would do.</summary>
    /// <exception cref="DirectoryException">The plan is over, was made for somebody else, or conflicts.</exception>
    public async Task<IdentityRow> CommitAsync(
        string pool, IdentityId caller, string device, string planId, MergeMode mode, CancellationToken cancellationToken)
    {
        LoginPlan plan = Take(planId, pool, caller, device);
        switch (plan.Outcome)
        {
            case LoginOutcome.Conflict:
                throw new DirectoryException(DirectoryFault.Conflict, "This login belongs to another identity, and this one has "
                    + "logins of its own. Log out first, or prove both at once: plan with a fresh token of one of this "
                        + "identity's "
                    + "logins as well.");
            case LoginOutcome.Merges:
                return await merging.MergeAsync(
                    pool, caller, plan.Destination, mode, plan.Login, plan.MayMergeLogins, cancellationToken)
                        .ConfigureAwait(false);
            default:
                return await directory.LinkAsync(pool, caller, plan.Login, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Keep(LoginPlan plan, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_plans.Count >= PlansMax)
                foreach (string old in _plans.Values.Where(known => known.Expires <= now)
                    .Select(static known => known.Id).ToList())
                    _plans.Remove(old);
            if (_plans.Count >= PlansMax) _plans.Remove(_plans.Values.MinBy(static known => known.Expires)!.Id);
            _plans[plan.Id] = plan;
        }
    }

    private LoginPlan Take(string planId, string pool, IdentityId caller, string device)
    {
        lock (_gate)
        {
            if (_plans.TryGetValue(planId, out LoginPlan? plan) && plan.Pool == pool && plan.Caller == caller
                && plan.Device == device && plan.Expires > time.GetUtcNow())
            {
                _plans.Remove(planId);
                return plan;
            }
        }

        throw new DirectoryException(DirectoryFault.PlanOver, "There is no such plan, or it is over: plan the login again with a "
            + "fresh token.");
    }
}
