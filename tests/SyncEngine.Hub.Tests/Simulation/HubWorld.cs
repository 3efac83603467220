using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Testing;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>The hub, the devices of some people and their connections in one history, and what steps do to them.</summary>
internal sealed partial class HubWorld : IDisposable
{
    private const int DevicesMax = 7;
    private const int LinksMax = 8;

    /// <summary>Most messages that go or come in one step.</summary>
    private const int MessagesMax = 12;
    private const long Day = 86_400_000;
    private const int KeyBytes = 65;
    private static readonly string[] _logins = ["ann", "ben"];

    private readonly HubPlants _plants;
    private readonly HubCounts _counts;
    private readonly List<string>? _words;
    private readonly ulong _seed;
    private readonly SimulatedHub _hub;
    private readonly HubLedger _ledger;
    private readonly List<Party> _parties = [];
    private readonly List<HubLink> _links = [];
    private readonly Dictionary<Dataset, (IdentityId Id, long Revision)> _checked = [];

    public HubWorld(HubPlants plants, ulong seed, HubCounts counts, List<string>? words)
    {
        (_plants, _seed, _counts, _words) = (plants, seed, counts, words);
        _ledger = new HubLedger { CountsBesideFences = plants.CountsBesideFences };
        var random = new Random(unchecked((int)seed * 7919));
        _hub = new SimulatedHub(seed);
        int devices = random.Next(2, 6);
        for (int i = 0; i < devices; i++)
        {
            byte[] key = new byte[KeyBytes];
            random.NextBytes(key);
            string? login = random.Next(3) == 0 ? _logins[random.Next(_logins.Length)] : null;
            long ahead = (((long)seed + i) % 5) switch { 0 => 150 * Day, 1 => 500 * Day, 2 => -Day, _ => 0 };
            var clock = new SimulatedClock(SimulatedHub.Begin + ahead + random.Next(-60_000, 60_000));
            var party = new Party(Open(new SimulatedDisk(), clock), key, login);
            party.Device.Store.AdoptIdentityAsync(party.Minted).AsTask().GetAwaiter().GetResult();
            _parties.Add(party);
            Tell($"{party.Name} starts as {party.Minted}" + (login is null ? "" : $" and will sign in as {login}"));
        }
    }

    public void Apply(HubStep step)
    {
        _counts.Steps++;
        var random = new Random(step.Seed);
        Party party = _parties[step.First % _parties.Count], other = _parties[step.Second % _parties.Count];
        _links.RemoveAll(static link => link.IsClosed);
        HubLink? link = _links.Count == 0 ? null : _links[step.First % _links.Count];
        switch (step.Kind)
        {
            case HubStepKind.Write: Write(party, random); break;
            case HubStepKind.Gather when party.Device.Journal.Gathered is null: GoOn(party); break;
            case HubStepKind.Commit: GoOn(party); break;
            case HubStepKind.Flush: Flush(party); break;
            case HubStepKind.Tick: Advance(random.Next(5_000)); break;
            case HubStepKind.ConnectPeer: ConnectPeer(party, other, random); break;
            case HubStepKind.Cut when link is not null: Cut(link); break;
            case HubStepKind.Restart: Restart(party); break;
            case HubStepKind.Crash: Crash(party, random); break;
            case HubStepKind.Copy when _parties.Count < DevicesMax: Copy(party); break;
            case HubStepKind.RestartHub when !_hub.IsBroken: RestartHub(); break;
            case HubStepKind.CrashHub: CrashHub(random); break;
            case HubStepKind.BreakHub when !_hub.IsBroken: _hub.Break(random.Next(4)); break;
            default: AtHub(step, party, link, random); break;
        }

        _links.RemoveAll(static closed => closed.IsClosed);
    }

    public void Dispose()
    {
        foreach (HubLink link in _links) link.Dispose();
    }

    private void Tell(string words) => _words?.Add(words);

    private SimulatedDevice Open(SimulatedDisk disk, SimulatedClock clock) =>
        new(_parties.Count, (_seed * 131) + (ulong)_parties.Count + 1, disk, clock, repeatsRandomness: false);

    /// <summary>What needs the hub's disk: where that fails meanwhile, the hub's process dies.</summary>
    private void AtHub(HubStep step, Party party, HubLink? link, Random random)
    {
        try
        {
            switch (step.Kind)
            {
                case HubStepKind.ConnectHub: ConnectHub(party, random); break;
                case HubStepKind.Transmit when link is not null:
                    for (int i = random.Next(1, MessagesMax); i > 0; i--) Transmit(link, random);
                    break;
                case HubStepKind.HubCommit: HubCommits(); break;
                case HubStepKind.HubFlush: HubFlushes(); break;
                case HubStepKind.Sweep: Sweep(); break;
                case HubStepKind.Forget: Forget(party, random); break;
                case HubStepKind.LogIn: LogIn(party, random); break;
                case HubStepKind.Revoke: Revoke(party); break;
            }
        }
        catch (Exception) when (_hub.Store.Failure is not null)
        {
            Tell("the hub's disk fails");
        }

        if (_hub.Store.Failure is not null) CrashHub(random);
    }

    private void Write(Party party, Random random)
    {
        string name = random.Next(10) switch
        {
            < 5 => HubLedger.Save, < 7 => HubLedger.Notes, 7 => HubLedger.Rules, 8 => HubLedger.Bonus, _ => HubLedger.Secret,
        };
        Dataset dataset = party.Identity.OpenForJoin(name);
        string? key = name == HubLedger.Save && random.Next(2) == 0 ? "r" + random.Next(3)
            : name == HubLedger.Notes ? "n" + random.Next(12) : null;
        bool deletes = name == HubLedger.Notes && random.Next(4) == 0, isLarge = name == HubLedger.Notes && random.Next(8) == 0;
        Mark mark = _ledger.Add(new Mark(_ledger.Marks.Count, party, name)
        {
            Author = party.Identity.Id, Key = key, Amount = random.Next(1, 1000), IsLarge = isLarge, MayBeDead = deletes,
            Supersedes = key is null ? [] : HubLedger.ShownIn(dataset, key),
        });
        dataset.Write(write =>
        {
            if (deletes) write.Delete(key!);
            else if (key is not null) write[key] = mark.Number + (isLarge ? new string('.', SimulatedHub.ValueBytesMax) : ".");
            if (name != HubLedger.Notes) write.Set(HubLedger.Log).Add(mark.Number);
            if (name == HubLedger.Save) write.Counter(HubLedger.Coins).Add(mark.Amount);
        });
        mark.Replica = dataset.ReplicaId.Bits;
        mark.IsFenced = party is { IsOut: true, IsCopied: false } && !deletes && party.Declared.Contains(mark.Replica);
        _counts.Writes++;
        Tell($"{party.Name} {(deletes ? "deletes" : "writes")} {mark.Number} to {name}" + (key is null ? "" : $" {key}"));
        Check(party);
    }

    private void GoOn(Party party)
    {
        bool lands = party.Device.Journal.Gathered is not null;
        if (party.Device.Journal.StepNow()) Tell($"{party.Name} {(lands ? "commits" : "begins a commit")}");
    }

    private void Flush(Party party)
    {
        Tell($"{party.Name} waits until all is durable");
        party.Device.Flush();
        NoteDurable(party);
    }

    private void Advance(int milliseconds)
    {
        Tell($"{milliseconds} ms go by");
        foreach (Party party in _parties) party.Device.Clock.Advance(milliseconds);
        _hub.Clock.Advance(milliseconds);
    }

    /// <summary>Devices of one person meet without the hub: what one of them was refused comes along.</summary>
    private void ConnectPeer(Party left, Party right, Random random)
    {
        if (left == right || left.Identity.Id != right.Identity.Id || _links.Count >= LinksMax
            || _links.Exists(link => link.Other is not null && (link.Party == left || link.Party == right))) return;
        var wire = new SimulatedConnection(left.Device, right.Device, random, SimulationFaults.All, null) { MayRefuse = true };
        Tell(wire.Words);
        _links.Add(new HubLink(wire, left, right, left.Identity.Id));
    }

    private void Transmit(HubLink link, Random random)
    {
        (int changed, string? words) = link.Wire.Step(random, _counts.Wire);
        if (words is not null) Tell(words);
        if (link.Other is null && changed == 1) CheckHub(link.Id);
        else if (changed >= 0) Check(changed == 0 ? link.Party : link.Other!);
        if (link.Other is null && changed == 0) NoteAcknowledged(link);
    }

    private void Cut(HubLink link)
    {
        Tell($"the connection of {link.Party.Name} with {link.Other?.Name ?? "the hub"} breaks");
        link.Dispose();
    }

    private void Disconnect(Party party)
    {
        foreach (HubLink link in _links.FindAll(link => link.Party == party || link.Other == party)) link.Dispose();
        _links.RemoveAll(static link => link.IsClosed);
    }

    private void Restart(Party party)
    {
        Disconnect(party);
        Tell($"{party.Name} closes and opens again");
        party.Device.Restart();
        NoteDurable(party);
        Check(party);
    }

    private void Crash(Party party, Random random)
    {
        Disconnect(party);
        bool lands = random.Next(2) == 0;
        Tell($"{party.Name} crashes");
        HashSet<int> before = Kept(party);
        party.Device.Crash(lands, forgets: false);
        HashSet<int> after = Kept(party);
        foreach (Mark mark in _ledger.Marks.Where(mark => mark.Device == party && !after.Contains(mark.Number)))
        {
            if (mark.IsDurable && before.Contains(mark.Number) && mark.Dataset != HubLedger.Notes)
                throw new HistoryException($"{party.Name} lost {mark} in a crash, though it was durable.");
            if (mark.IsDurable) continue;

            // Numbers in a set are never replaced, so that one which is missing now never got to the disk.
            if (before.Contains(mark.Number) && mark.Dataset != HubLedger.Notes) mark.IsDead = true;
            else mark.MayBeDead = true;
        }

        NoteDurable(party);
        Check(party);
    }

    /// <summary>A copy of the file starts on another device and does not know that it is one.</summary>
    private void Copy(Party party)
    {
        var clock = new SimulatedClock(party.Device.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        var copy = new Party(Open(party.Device.CopyFile(), clock), party.Key, null)
        {
            IsCopied = true, IsRevoked = party.IsRevoked, IsOut = party.IsOut,
        };
        party.IsCopied = true;
        _parties.Add(copy);
        Tell($"the file of {party.Name} is copied to {copy.Name}");
        Check(copy);
    }

    private void NoteDurable(Party party)
    {
        HashSet<int> kept = Kept(party);
        foreach (Mark mark in _ledger.Marks)
            if (mark.Device == party && kept.Contains(mark.Number)) mark.IsDurable = true;
    }

    /// <summary>What a device shows, or keeps aside because it was refused.</summary>
    private static HashSet<int> Kept(Party party)
    {
        var kept = new HashSet<int>();
        foreach (Dataset dataset in party.Device.Datasets())
        {
            kept.UnionWith(HubLedger.Shown(dataset));
            kept.UnionWith(HubLedger.Refused(dataset));
        }

        return kept;
    }

    private void Check(Party party)
    {
        _counts.Checks++;
        foreach (Dataset dataset in party.Device.Datasets()) Check(dataset, party.Identity.Id, party.Name, isHub: false);
    }

    /// <summary>What has not changed since it was looked at is as good as it was.</summary>
    private void Check(Dataset dataset, IdentityId id, string who, bool isHub)
    {
        if (_checked.TryGetValue(dataset, out (IdentityId Id, long Revision) known) && known == (id, dataset.Revision)) return;
        _ledger.Check(dataset, id, who, isHub);
        _checked[dataset] = (id, dataset.Revision);
    }

    private void CheckHub(IdentityId id)
    {
        _counts.Checks++;
        using IdentityLease lease = _hub.Lease(id);
        foreach (string name in lease.Identity.DatasetNames)
            Check(lease.Identity.OpenForJoin(name), id, "the hub", isHub: true);
    }

    /// <summary>The device has been told that the hub has all that it shows. Of a file that was copied that may be another
    /// file's writes under the same names, which only the next exchange tells apart.</summary>
    private void NoteAcknowledged(HubLink link)
    {
        if (link.Party.IsCopied) return;
        foreach ((string name, Causality.VersionVector version) in link.Wire.PeerVersions(0))
        {
            string kind = HubLedger.BaseOf(name);
            Dataset dataset = link.Party.Identity.OpenForJoin(name);
            if (kind != HubLedger.Save || !link.IsNews(dataset, version) || !dataset.Seen.IsAtMost(version)) continue;
            var told = new List<Mark>();
            foreach (int number in HubLedger.ShownIn(dataset, HubLedger.Log))
            {
                // The hub knows also of writes of revoked devices which others took back.
                Mark mark = _ledger.Marks[number];
                if (mark.IsAcknowledged || mark.Device.IsRevoked) continue;
                mark.IsAcknowledged = true;
                told.Add(mark);
            }

            _counts.Acknowledged += told.Count;
            _ledger.CheckAcknowledged(told, ShownAtHub);
        }
    }
}
