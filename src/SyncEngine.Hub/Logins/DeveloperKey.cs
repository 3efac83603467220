using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Logins;

/// <summary>A public key of an app's backend, as a JSON Web Key (RFC 7517) on the curve P-256.</summary>
internal sealed record DeveloperKey
{
    /// <summary>The key's name, which assertions give as <c>kid</c>; 1 to 64 characters, unique in its provider.</summary>
    public string? Kid { get; init; }

    /// <summary>The key's type: <c>EC</c>.</summary>
    public string? Kty { get; init; }

    /// <summary>The key's curve: <c>P-256</c>.</summary>
    public string? Crv { get; init; }

    /// <summary>The x coordinate: 32 bytes as base64url.</summary>
    public string? X { get; init; }

    /// <summary>The y coordinate: 32 bytes as base64url.</summary>
    public string? Y { get; init; }

    /// <summary><c>ES256</c>, or nothing.</summary>
    public string? Alg { get; init; }

    /// <summary><c>sig</c>, or nothing.</summary>
    public string? Use { get; init; }

    /// <summary>The private part, which must never be sent here: a key that has it is refused.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? D { get; init; }

    /// <summary>The key's name only.</summary>
    public override string ToString() => $"developer key {Kid}";
}
