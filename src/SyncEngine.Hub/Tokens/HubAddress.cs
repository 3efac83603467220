namespace SyncEngine.Hub.Tokens;

/// <summary>How credentials name the hub and whom they are for.</summary>
internal sealed class HubAddress(string? issuer, string audience)
{
    private string? _issuer = issuer;

    /// <summary>The issuer: as configured, or else the address at which the hub was first reached.</summary>
    public string Issuer => _issuer ?? "http://localhost";

    public string Audience => audience;

    /// <summary>Takes the address of a request as the issuer where none is configured.</summary>
    public void Note(string reachedAt) => Interlocked.CompareExchange(ref _issuer, reachedAt, null);
}
