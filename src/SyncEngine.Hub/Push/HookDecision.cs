namespace SyncEngine.Hub.Push;

/// <summary>What a hook says of changes: take them, take them and add records, or refuse them all. Immutable.</summary>
public sealed class HookDecision
{
    /// <summary>Most records that all hooks together may add to one batch of changes.</summary>
    public const int AdditionsMax = 1024;

    /// <summary>Longest reason, in characters; longer ones are cut.</summary>
    public const int ReasonLengthMax = 512;

    private HookDecision(string? reason, bool isTemporary, IReadOnlyList<RecordAddition> additions) =>
        (Reason, IsTemporary, Additions) = (reason, isTemporary, additions);

    /// <summary>Take the changes as they are.</summary>
    public static HookDecision Accept { get; } = new(null, false, []);

    /// <summary>Whether the changes are refused.</summary>
    public bool IsRefused => Reason is not null;

    /// <summary>Why they are refused, for the device's user; null if they are not.</summary>
    public string? Reason { get; }

    /// <summary>Whether they are refused only because a hook gave no answer: sent again later, they may be taken.</summary>
    public bool IsTemporary { get; }

    /// <summary>Records that the hub writes along with the changes; none if they are refused.</summary>
    public IReadOnlyList<RecordAddition> Additions { get; }

    /// <summary>Refuses the changes, all of them.</summary>
    /// <param name="reason">Why, for the device's user.</param>
    public static HookDecision Refuse(string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return new HookDecision(Cut(reason), false, []);
    }

    /// <summary>Takes the changes and adds records, which the hub writes as its own changes right after.</summary>
    /// <exception cref="ArgumentException">There are more than 1,024.</exception>
    public static HookDecision AcceptWith(params IReadOnlyList<RecordAddition> additions)
    {
        ArgumentNullException.ThrowIfNull(additions);
        if (additions.Count > AdditionsMax)
            throw new ArgumentException($"A hook adds at most {AdditionsMax} records; it added {additions.Count}.");
        return new HookDecision(null, false, [.. additions]);
    }

    internal static HookDecision RefuseForNow(string reason) => new(reason, true, []);

    private static string Cut(string reason) => reason.Length <= ReasonLengthMax ? reason : reason[..ReasonLengthMax];
}
