using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Testing;

namespace SyncEngine.Hub.Tests.Simulation;

internal sealed partial class HubWorld
{
    private const int RoundsMax = 14;
    private const int MeetingStepsMax = 20_000;

    /// <summary>The dust settles: the hub works, and every device that it lets in meets it until nothing moves. Then all must
    /// read alike, and nothing may be lost.</summary>
    public void Heal()
    {
        Tell("all faults end, everybody meets the hub");
        if (_hub.IsBroken) CrashHub(new Random(0));
        foreach (HubLink link in _links) link.Dispose();
        _links.Clear();
        foreach (Party party in _parties.FindAll(static party => party is { IsRevoked: true, IsOut: false })) Revoke(party);
        MeetUntilQuiet();
        _checked.Clear();
        foreach (IdentityRow row in Rows()) CheckHub(row.Id);
        foreach (Party party in Present()) CheckEquality(party);
        _ledger.CheckAcknowledged(_ledger.Marks, ShownAtHub);
        HashSet<int> refused = [.. _parties.SelectMany(static party => party.Device.Datasets()).SelectMany(HubLedger.Refused)];
        _counts.Refused += refused.Count;
        _ledger.CheckNothingLost(ShownAtHub, refused);
        CheckSecrets();
    }

    private IEnumerable<Party> Present() => _parties.Where(static party => !party.IsRevoked);

    private void MeetUntilQuiet()
    {
        string before = "";
        for (int round = 0; round < RoundsMax; round++)
        {
            foreach (Party party in Present()) Meet(party, round);
            string now = string.Join('\n', Present().Select(party => $"{party.Name} {party.Identity.Id} "
                + string.Join(", ", party.Device.Datasets().Select(static set => $"{set.Name} {set.Digest:x} {set.Seen}"))));
            if (now == before) return;
            before = now;
        }

        throw new HistoryException("The devices do not come to rest: they go on changing each other.");
    }

    private void Meet(Party party, int round)
    {
        var random = new Random(round);
        party.Device.Flush();
        NoteDurable(party);
        ConnectHub(party, random, isGood: true);
        HubLink link = _links.Find(link => link.Party == party)
            ?? throw new HistoryException($"{party.Name} is not let in, though nobody revoked it.");
        for (int step = 0; step < MeetingStepsMax; step++)
        {
            bool isIdle = link.Wire.IsQuiet;
            Transmit(link, random);
            _hub.Journal.RunNow();
            party.Device.Journal.RunNow();
            if (!isIdle || !link.Wire.IsQuiet) continue;
            link.Dispose();
            _links.Remove(link);
            return;
        }

        throw new HistoryException($"{party.Name} and the hub meet over a good connection and do not finish: {link.Wire.State}");
    }

    private void CheckEquality(Party party)
    {
        using IdentityLease lease = _hub.Lease(party.Identity.Id);
        IEnumerable<string> names = lease.Identity.DatasetNames.Concat(party.Identity.DatasetNames).Distinct()
            .Where(static name => HubLedger.BaseOf(name) != HubLedger.Secret);
        foreach (string name in names)
        {
            string here = DatasetReading.Read(party.Device.Dataset(name));
            string there = DatasetReading.Read(lease.Identity.OpenForJoin(name));
            if (here != there)
                throw new HistoryException($"{name} reads differently on {party.Name}:\n{here}\nthan at the hub:\n{there}");
        }
    }

    /// <summary>What the hub may not have stays where it was written.</summary>
    private void CheckSecrets()
    {
        foreach (Mark mark in _ledger.Marks.Where(static mark => mark is { Dataset: HubLedger.Secret, IsDead: false,
            MayBeDead: false }))
        {
            if (!Kept(mark.Device).Contains(mark.Number))
                throw new HistoryException($"{mark} is lost where it was written.");
        }
    }
}
