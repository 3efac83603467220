using Microsoft.IdentityModel.Tokens;

namespace SyncEngine.Hub.Logins;

/// <summary>What an issuer publishes: the keys and the algorithms of its ID tokens. Immutable.</summary>
/// <param name="Keys">Its signing keys: RSA of 2,048 to 8,192 bits, and EC.</param>
/// <param name="Algorithms">The allowed algorithms that it says it uses.</param>
internal sealed record IssuerKeys(IReadOnlyList<SecurityKey> Keys, IReadOnlyList<string> Algorithms);
