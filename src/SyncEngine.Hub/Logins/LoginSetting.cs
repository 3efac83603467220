using System.Security.Cryptography;
using System.Text;

namespace SyncEngine.Hub.Logins;

/// <summary>What every provider of a pool checks with.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="HubIssuer">The hub's own issuer, to which assertions are addressed.</param>
/// <param name="Nonces">The hub's nonces.</param>
/// <param name="Uses">What was used before.</param>
/// <param name="Time">The hub's clock.</param>
internal sealed record LoginSetting(string Pool, string HubIssuer, INonces Nonces, ISingleUse Uses, TimeProvider Time)
{
    /// <summary>Uses up text of any length: false if it was used before in this pool with this provider.</summary>
    public ValueTask<bool> UseOnceAsync(
        string provider, string text, DateTimeOffset expires, CancellationToken cancellationToken)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        return Uses.TryUseAsync($"{Pool}/{provider}/{hash}", expires + SignedToken.Skew, cancellationToken);
    }
}
