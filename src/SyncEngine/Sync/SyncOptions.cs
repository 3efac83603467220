namespace SyncEngine.Sync;

/// <summary>How to sync with a peer.</summary>
public sealed record SyncOptions
{
    private const int SecretBytesMin = 16;

    /// <summary>Whether a guest here that never exchanged anything takes the peer's identity. Default: false.</summary>
    public bool Adopts { get; init; }

    /// <summary>
    /// Shared with the peer beforehand; both prove that they know it, neither sends it. Whoever listens to the connection
    /// can try guesses, so use at least 16 random bytes. Empty (the default): no proof is asked.
    /// </summary>
    /// <exception cref="ArgumentException">Fewer than 16 bytes.</exception>
    public ReadOnlyMemory<byte> Secret
    {
        get;
        init => field = value.Length is 0 or >= SecretBytesMin ? value
            : throw new ArgumentException($"A secret has at least {SecretBytesMin} random bytes.", nameof(value));
    }

    /// <summary>Names, or prefixes that end in an asterisk, of the datasets to sync; null (the default) for all.</summary>
    public IReadOnlyList<string>? Datasets { get; init; }

    /// <summary>After how long without an acknowledgement everything unacknowledged is sent again. Default 5 s. A peer that
    /// is silent for 18 times as long counts as gone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not above zero, or more than an hour.</exception>
    public TimeSpan ResendAfter
    {
        get;
        init => field = value > TimeSpan.Zero && value <= TimeSpan.FromHours(1) ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "It must be above zero and at most an hour.");
    } = TimeSpan.FromSeconds(5);

    /// <summary>What a hub allows this peer; null where peers trust each other.</summary>
    internal SessionGuard? Guard { get; init; }

    internal bool Wants(string dataset) => Matches(Datasets, dataset);

    internal static bool Matches(IReadOnlyList<string>? interest, string dataset) => interest is null || interest.Any(wanted =>
        wanted.EndsWith('*') ? dataset.StartsWith(wanted[..^1], StringComparison.Ordinal) : wanted == dataset);
}
