using SyncEngine.Identities;
using SyncEngine.Testing;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>A device and what it proves itself with.</summary>
internal sealed class Party(SimulatedDevice device, byte[] key, string? signsInto)
{
    public SimulatedDevice Device => device;

    public string Name => device.Name;

    /// <summary>Stands for its public key: proofs are not simulated.</summary>
    public byte[] Key => key;

    /// <summary>The identity that it mints.</summary>
    public IdentityId Minted { get; } = DeviceKey.IdentityOf(key);

    /// <summary>What the hub calls it.</summary>
    public string Id => Minted.ToString();

    /// <summary>The account that it signs in to at first contact; null for a guest.</summary>
    public string? SignsInto => signsInto;

    public Identity Identity => device.Store.Identity;

    /// <summary>The replicas that the hub knows as its own.</summary>
    public HashSet<ulong> Declared { get; } = [];

    /// <summary>The hub was asked to revoke it, and may have begun.</summary>
    public bool IsRevoked { get; set; }

    /// <summary>The hub has said that it is revoked.</summary>
    public bool IsOut { get; set; }

    /// <summary>Whether its file was copied: then its writes may get new names, which no fence knows.</summary>
    public bool IsCopied { get; set; }
}
