using SyncEngine.Datasets;

namespace SyncEngine.Hub.Push;

/// <summary>What a hook says of changes: take them, take them and add records, refuse some, or refuse them all.
/// Immutable.</summary>
public sealed class HookDecision
{
    /// <summary>Most records that all hooks together may add to one batch of changes.</summary>
    public const int AdditionsMax = 1024;

    /// <summary>Longest reason, in characters; longer ones are cut.</summary>
    public const int ReasonLengthMax = 512;

    private HookDecision(string? reason, bool isTemporary, IReadOnlyList<RecordAddition> additions,
        IReadOnlyList<RecordName> refusedRecords) =>
        (Reason, IsTemporary, Additions, RefusedRecords) = (reason, isTemporary, additions, refusedRecords);

    /// <summary>Take the changes as they are.</summary>
    public static HookDecision Accept { get; } = new(null, false, [], []);

    /// <summary>Whether changes are refused, all or some.</summary>
    public bool IsRefused => Reason is not null;

    /// <summary>Why they are refused, for the device's user; null if they are not.</summary>
    public string? Reason { get; }

    /// <summary>Whether they are refused only because a hook gave no answer: sent again later, they may be taken.</summary>
    public bool IsTemporary { get; }

    /// <summary>The records whose changes alone are refused; none if all are, or no change is.</summary>
    public IReadOnlyList<RecordName> RefusedRecords { get; }

    /// <summary>Records that the hub writes along with the changes; none if they are refused.</summary>
    public IReadOnlyList<RecordAddition> Additions { get; }

    /// <summary>Refuses the changes, all of them.</summary>
    /// <param name="reason">Why, for the device's user.</param>
    public static HookDecision Refuse(string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return new HookDecision(Cut(reason), false, [], []);
    }

    /// <summary>Refuses the changes of some records. The device takes those back and sends the others again, without them, to be
    /// decided on anew; a call of a client of the Cognito-wire-compatible API, which is taken as a whole or not at all, is
    /// refused as a whole.</summary>
    /// <param name="reason">Why, for the device's user.</param>
    /// <param name="records">Records that are among the changes; one that is not counts as a hook that failed.</param>
    /// <exception cref="ArgumentException">No record is named.</exception>
    public static HookDecision Refuse(string reason, params IReadOnlyList<RecordName> records)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        ArgumentNullException.ThrowIfNull(records);
        if (records.Count == 0)
            throw new ArgumentException("Name the records, or refuse all by the reason alone.", nameof(records));
        return new HookDecision(Cut(reason), false, [], [.. records]);
    }

    /// <summary>Takes the changes and adds records, which the hub writes as its own changes right after.</summary>
    /// <exception cref="ArgumentException">There are more than 1,024.</exception>
    public static HookDecision AcceptWith(params IReadOnlyList<RecordAddition> additions)
    {
        ArgumentNullException.ThrowIfNull(additions);
        if (additions.Count > AdditionsMax)
            throw new ArgumentException($"A hook adds at most {AdditionsMax} records; it added {additions.Count}.");
        return new HookDecision(null, false, [.. additions], []);
    }

    internal static HookDecision RefuseForNow(string reason) => new(reason, true, [], []);

    private static string Cut(string reason) => reason.Length <= ReasonLengthMax ? reason : reason[..ReasonLengthMax];
}
