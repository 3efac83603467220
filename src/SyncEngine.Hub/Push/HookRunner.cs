using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using SyncEngine.Datasets;

namespace SyncEngine.Hub.Push;

/// <summary>Asks the hooks on changes, one after the other. The first refusal counts. Thread-safe.</summary>
/// <param name="hooks">Hooks for every pool.</param>
/// <param name="ofPool">Further hooks of a pool; null for none.</param>
/// <param name="time">Clock of the time limit.</param>
/// <param name="logger">Hears of failures.</param>
/// <param name="options">Time limit, and what follows a failure.</param>
internal sealed class HookRunner(IEnumerable<IChangeHook> hooks, Func<string, IReadOnlyList<IChangeHook>>? ofPool,
    TimeProvider time, ILogger<HookRunner> logger, HookOptions options)
{
    private readonly IChangeHook[] _hooks = [.. hooks];

    /// <summary>Whether anybody wants to see the changes of a pool; if not, they need not be collected.</summary>
    public bool HasHooks(string pool) => _hooks.Length > 0 || ofPool?.Invoke(pool).Count > 0;

    /// <summary>Asks the hooks; throws only when cancelled.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A hook is foreign code: whatever it throws is a failed hook.")]
    public async ValueTask<HookDecision> RunAsync(ProposedChanges changes, CancellationToken cancellationToken)
    {
        if (!HasHooks(changes.Pool)) return HookDecision.Accept;
        using var limit = new CancellationTokenSource(options.TimeLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            // On a thread of its own and not waited for beyond the limit: a hook may block, or not look at its token.
            return await Task.Run(() => AskAllAsync(changes, either.Token), either.Token)
                .WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            PushLog.HookTimedOut(logger, options.TimeLimit, Outcome);
            return AfterFailure("The hub could not check the change in time. It will be sent again.");
        }
        catch (Exception e)
        {
            PushLog.HookFailed(logger, Outcome, e);
            return AfterFailure("The hub could not check the change. It will be sent again.");
        }
    }

    private string Outcome => options.AcceptsOnFailure ? "accepted" : "refused";

    private HookDecision AfterFailure(string reason) =>
        options.AcceptsOnFailure ? HookDecision.Accept : HookDecision.RefuseForNow(reason);

    /// <summary>A record that is not among the changes is a mistake, after which what was meant would go through.</summary>
    private static HookDecision Check(HookDecision refusal, ProposedChanges changes)
    {
        if (refusal.RefusedRecords.Count == 0) return refusal;
        var changed = changes.Changes.Select(static change => change.Record).ToHashSet();
        foreach (RecordName record in refusal.RefusedRecords)
        {
            if (!changed.Contains(record))
                throw new InvalidOperationException($"A hook refused {record}, which is not among the changes.");
        }

        return refusal;
    }

    private async Task<HookDecision> AskAllAsync(ProposedChanges changes, CancellationToken cancellationToken)
    {
        var additions = new List<RecordAddition>();
        foreach (IChangeHook hook in (IEnumerable<IChangeHook>)[.. _hooks, .. ofPool?.Invoke(changes.Pool) ?? []])
        {
            HookDecision decision = await hook.OnChangesAsync(changes, cancellationToken).ConfigureAwait(false)
                ?? throw new InvalidOperationException($"{hook.GetType()} returned null; return HookDecision.Accept.");
            if (decision.IsRefused) return Check(decision, changes);
            additions.AddRange(decision.Additions);
        }

        return additions.Count == 0 ? HookDecision.Accept : HookDecision.AcceptWith(additions);
    }
}
