using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Syncing;

/// <summary>What a device said itself of a replica of its own: how far it has written, and what of that still stands.</summary>
/// <param name="To">Its last counter.</param>
/// <param name="Standing">By counter the SHA-256, cut to 128 bits, of each of its values that stands and is new to the
/// hub.</param>
internal sealed record Attestation(long To, IReadOnlyDictionary<long, UInt128> Standing);

/// <summary>
/// What devices attested in frames that were refused because of what others wrote, where a pool allows no relays: devices that
/// met each other hold each other's changes, so neither's frame could ever come first. In memory and bounded: a device attests
/// anew whenever it connects and is refused.
/// </summary>
internal sealed class Attestations
{
    private const int WeightMax = 1_000_000;
    private readonly Dictionary<(string Pool, IdentityId Id, string Dataset, ReplicaId Replica), Attestation> _known = [];
    private readonly Queue<(string, IdentityId, string, ReplicaId)> _order = new();
    private long _weight;

    public void Note(string pool, IdentityId id, string dataset, ReplicaId replica, Attestation attestation)
    {
        lock (_known)
        {
            if (_known.Remove((pool, id, dataset, replica), out Attestation? before)) _weight -= WeightOf(before);
            else _order.Enqueue((pool, id, dataset, replica));
            _known.Add((pool, id, dataset, replica), attestation);
            _weight += WeightOf(attestation);
            while (_weight > WeightMax)
                if (_known.Remove(_order.Dequeue(), out Attestation? oldest)) _weight -= WeightOf(oldest);
        }
    }

    public Attestation? Find(string pool, IdentityId id, string dataset, ReplicaId replica)
    {
        lock (_known) return _known.GetValueOrDefault((pool, id, dataset, replica));
    }

    private static int WeightOf(Attestation attestation) => 1 + attestation.Standing.Count;
}
