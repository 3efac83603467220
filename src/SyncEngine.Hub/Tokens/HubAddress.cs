namespace SyncEngine.Hub.Tokens;

/// <summary>How credentials name the hub, and whom they are for.</summary>
/// <param name="issuer">The configured issuer; null for none.</param>
/// <param name="audience">Whom credentials are for.</param>
/// <param name="bound">The address that the hub listens at, once it does. Never what a request claims.</param>
internal sealed class HubAddress(string? issuer, string audience, Func<string?> bound)
{
    private string? _issuer = issuer;

    /// <summary>The issuer as configured; null for none.</summary>
    public string? Configured { get; } = issuer;

    /// <summary>The issuer: as configured, or else the address at which the hub listens.</summary>
    public string Issuer => _issuer ?? (bound() is { } address ? _issuer = address.TrimEnd('/') : "http://localhost");

    public string Audience => audience;
}
