using System.Buffers.Binary;
using System.Security.Cryptography;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Sync;

namespace SyncEngine.Hub.Syncing;

internal sealed partial class HubGuard
{
    private const int HashBytes = 32;

    /// <summary>Whose changes a device may hand on, be it that it only claims that there were some. As a whole: the writes
    /// stay at the device that brings them, and their own device brings them too, or attests to them.</summary>
    private FrameRefusal? JudgeRelays(Dataset dataset, FrameInspection inspection)
    {
        bool mayWrite = MayWrite(dataset);
        if ((_access.TakesRelays && mayWrite) || !AdvancesForeign(dataset, inspection)) return null;
        if (mayWrite)
        {
            Attest(dataset, inspection);
            if (inspection.Advances.All(advance => !IsForeign(dataset, new Dot(advance.Replica, advance.To))
                || IsAttested(dataset, inspection, advance))) return null;
        }

        return new FrameRefusal(SyncErrorCode.Unauthorized, $"Dataset {dataset.Name} holds changes of another device, which the "
            + "hub takes from that device alone. Let that one connect, and then this one again. If it is gone for good, revoke "
            + "it at the hub.", []);
    }

    private void Attest(Dataset dataset, FrameInspection inspection)
    {
        foreach (ReplicaAdvance advance in inspection.Advances.Where(advance => _access.IsOwn(advance.Replica)))
        {
            // Parts of a bad transfer may name a write twice.
            var standing = new Dictionary<long, UInt128>();
            foreach ((long counter, UInt128 hash) in ValuesOf(inspection, advance.Replica)) standing[counter] = hash;
            _access.Attest(dataset.Name, advance.Replica, new Attestation(advance.To, standing));
        }
    }

    /// <summary>Whether the device of a replica said that it wrote what is brought of it. What it has written over since is gone
    /// once it comes itself.</summary>
    private bool IsAttested(Dataset dataset, FrameInspection inspection, ReplicaAdvance advance) =>
        _access.Attested(dataset.Name, advance.Replica) is { } attested && advance.To <= attested.To
        && ValuesOf(inspection, advance.Replica).All(value =>
            !attested.Standing.TryGetValue(value.Counter, out UInt128 hash) || hash == value.Hash);

    private static IEnumerable<(long Counter, UInt128 Hash)> ValuesOf(FrameInspection inspection, ReplicaId replica)
    {
        foreach (CellProposal change in inspection.Changes)
        {
            foreach (ProposedEntry proposed in inspection.EntriesOf(change))
                if (proposed.Dot.Replica == replica && proposed.ValueLength > 0)
                    yield return (proposed.Dot.Counter, HashOf(change, proposed.Entry));
        }
    }

    /// <summary>Of what a write is and where it stands; lengths before texts, so that nothing shifts between them.</summary>
    private static UInt128 HashOf(CellProposal change, in EntryColumn entry)
    {
        CellColumn column = change.Frame.Cells[change.Column];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> head = stackalloc byte[17];
        head[0] = (byte)column.Kind;
        BinaryPrimitives.WriteUInt64LittleEndian(head[1..], entry.Clock);
        BinaryPrimitives.WriteInt32LittleEndian(head[9..], column.KeyLength);
        BinaryPrimitives.WriteInt32LittleEndian(head[13..], column.FieldLength);
        hash.AppendData(head);
        hash.AppendData(change.Frame.Bytes(column.KeyAt, column.KeyLength));
        hash.AppendData(change.Frame.Bytes(column.FieldAt, column.FieldLength));
        hash.AppendData(change.Frame.Bytes(entry.ValueAt, entry.ValueLength));
        Span<byte> result = stackalloc byte[HashBytes];
        hash.GetHashAndReset(result);
        return BinaryPrimitives.ReadUInt128LittleEndian(result);
    }
}
