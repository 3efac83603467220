using SyncEngine.Datasets;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Testing;

namespace SyncEngine.Hub.Tests.Simulation;

internal sealed partial class HubWorld
{
    private const string Provider = "corp";

    /// <summary>As <c>HubClient</c> and the hub's endpoints do it: registers or follows a merge, declares replicas, and opens a
    /// session at each end.</summary>
    private void ConnectHub(Party party, Random random, bool isGood = false)
    {
        if (_links.Exists(link => link.Party == party && link.Other is null)) return;
        if (_links.Count >= LinksMax && !isGood) return;
        if (Enter(party) is not { } entered) return;
        (IdentityRow row, DeviceRow device) = entered;
        ulong[] replicas = [.. party.Identity.Opened.Select(static dataset => dataset.ReplicaId.Bits)
            .Where(static bits => bits != 0)];
        row = SimulatedHub.Wait(_hub.Directory.DeclareAsync(SimulatedHub.Pool, row.Id, device.Id, replicas, default));
        party.Declared.UnionWith(replicas);
        SyncCaller caller = _hub.CallerOf(row, row.FindDevice(device.Id)!);
        caller = caller with { Access = _plants.Weaken(caller.Access) };
        OpenSession session = _hub.Sessions.Open(SimulatedHub.Pool, row.Id, device.Id, default);
        IdentityLease lease = _hub.Lease(row.Id);
        var guard = new HubGuard(lease.Identity, caller, null, dataset => lease.NoteSender(dataset, device.Id));
        var wire = new SimulatedConnection([party.Name, "the hub"], part =>
        [
            new SyncSession(party.Identity, new SessionOptions { IsInitiator = true, TellsTime = true, PartBytes = part }),
            new SyncSession(lease.Identity, new SessionOptions { Guard = guard, PartBytes = part }),
        ], random, isGood ? SimulationFaults.None : SimulationFaults.SlowPeers, null) { MayRefuse = true };
        var link = new HubLink(wire, party, null, row.Id);
        link.Hold(session, lease);
        _links.Add(link);
        Tell(wire.Words + $" as {row.Id}");
    }

    private (IdentityRow Row, DeviceRow Device)? Enter(Party party)
    {
        IdentityId id = party.Identity.Id;
        IdentityRow? row = _hub.Resolve(id);
        DeviceRow? device = row?.FindDevice(party.Id);
        if (row is null)
        {
            if (id != party.Minted) throw new HistoryException($"The hub has forgotten identity {id} of {party.Name}.");
            if (party.IsRevoked) return null;
            (row, device) = SimulatedHub.Wait(party.SignsInto is { } login
                ? _hub.Directory.SignInAsync(SimulatedHub.Pool, LoginOf(login), party.Key, party.Name, null, default)
                : _hub.Directory.RegisterGuestAsync(SimulatedHub.Pool, party.Key, party.Name, null, default));
            Tell($"{party.Name} is let in as {row.Id}");
        }

        if (device is null) throw new HistoryException($"{party.Name} is no device of {row.Id}, which its identity became.");
        if (device.RevokedAt is not null)
        {
            Tell($"{party.Name} is let in no more");
            return null;
        }

        _ledger.NoteRow(row);
        if (row.Id != id) Follow(party, id, row.Id);
        return (row, device);
    }

    /// <summary>The device's identity becomes the one that the hub says, with all that it has.</summary>
    private void Follow(Party party, IdentityId before, IdentityId id)
    {
        Disconnect(party);
        string beside = _hub.Directory.SuffixOfAsync(SimulatedHub.Pool, before).AsTask().GetAwaiter().GetResult();
        if (_hub.Find(before) is null) _ledger.NoteSignedIn(party, Kept(party), id);
        Tell($"{party.Name} becomes {id}" + (beside.Length == 0 ? "" : $", with {beside} behind its datasets' names"));
        SimulatedHub.Wait(party.Device.Store.RebindAsync(party.Identity, id, beside.Length == 0 ? null : beside));
        NoteDurable(party);
        Check(party);
    }

    private void HubCommits()
    {
        bool lands = _hub.Journal.Gathered is not null;
        if (_hub.Journal.StepNow()) Tell($"the hub {(lands ? "commits" : "begins a commit")}");
    }

    private void HubFlushes()
    {
        Tell("the hub makes all durable");
        _hub.Journal.RunNow();
    }

    private void Sweep()
    {
        int before = _hub.Store.OpenedCount;
        SimulatedHub.Wait(_hub.Store.SweepAsync());
        if (_hub.Store.OpenedCount < before) Tell($"the hub puts {before - _hub.Store.OpenedCount} identities away");
    }

    /// <summary>As the hub does it with what is old, or with what is too much.</summary>
    private void Forget(Party party, Random random)
    {
        if (_hub.Resolve(party.Identity.Id) is not { } row) return;
        using IdentityLease lease = _hub.Lease(row.Id);
        foreach (string name in lease.Identity.DatasetNames)
        {
            Dataset dataset = lease.Identity.OpenForJoin(name);
            int forgotten = random.Next(2) == 0 ? dataset.ForgetSurplusDeletes(random.Next(4), random.Next(40))
                : dataset.ForgetDeletesThrough(random.NextInt64(dataset.Revision + 1));
            if (forgotten > 0) Tell($"the hub forgets {forgotten} deletes of {name} of {row.Id}");
        }
    }

    private void RestartHub()
    {
        Tell("the hub stops and starts again");
        DisconnectHub();
        _hub.Restart();
        CheckAfterStart();
    }

    private void CrashHub(Random random)
    {
        bool lands = random.Next(2) == 0;
        Tell("the hub crashes" + (_hub.Journal.Gathered is null ? "" : lands ? " after a commit that nobody was told of"
            : " before its commit"));
        _counts.HubCrashes++;
        DisconnectHub();
        _hub.Crash(lands, _plants.ForgetsCommits);
        CheckAfterStart();
    }

    private void DisconnectHub()
    {
        foreach (HubLink link in _links)
            if (link.Other is null) link.Dispose();
        _links.RemoveAll(static link => link.IsClosed);
    }

    /// <summary>What was under way when it died has happened or not, but whole.</summary>
    private void CheckAfterStart()
    {
        IReadOnlyList<IdentityRow> rows = Rows();
        foreach (IdentityRow row in rows) _ledger.NoteRow(row);
        foreach (IdentityRow row in rows) CheckHub(row.Id);

        _ledger.CheckAcknowledged(_ledger.Marks, ShownAtHub);
    }

    private IReadOnlyList<IdentityRow> Rows() =>
        _hub.Directory.ListAsync(SimulatedHub.Pool, null, 1000).AsTask().GetAwaiter().GetResult();

    private HashSet<int> ShownAtHub(IdentityId id, string kind, string? key)
    {
        using IdentityLease lease = _hub.Lease(id);
        var shown = new HashSet<int>();
        foreach (string name in lease.Identity.DatasetNames.Where(name => HubLedger.BaseOf(name) == kind))
        {
            Dataset dataset = lease.Identity.OpenForJoin(name);
            HashSet<int> here = key is null ? HubLedger.Shown(dataset) : HubLedger.ShownIn(dataset, key);
            if (kind == HubLedger.Save && here.Any(number => shown.Contains(number) && !_ledger.Marks[number].MayStandTwice))
                throw new HistoryException($"The hub has writes of {id} in two datasets, one of which is {name}.");
            shown.UnionWith(here);
        }

        return shown;
    }

    /// <summary>Links a login to a device's identity, or merges that into the one which the login belongs to.</summary>
    private void LogIn(Party party, Random random)
    {
        IdentityRow? row = _hub.Resolve(party.Identity.Id);
        if (row?.FindDevice(party.Id) is not { RevokedAt: null }) return;
        LoginRow login = LoginOf(_logins[random.Next(_logins.Length)]);
        IdentityRow? owner = _hub.Directory.FindByLoginAsync(SimulatedHub.Pool, Provider, login.Subject).AsTask()
            .GetAwaiter().GetResult();
        var mode = (MergeMode)random.Next(4);
        if (owner is null)
        {
            Tell($"{party.Name} links {login.Subject} to {row.Id}");
            _ledger.NoteRow(SimulatedHub.Wait(_hub.Directory.LinkAsync(SimulatedHub.Pool, row.Id, login, default)));
        }
        else if (owner.Id != row.Id && (row.IsGuest || random.Next(3) == 0))
        {
            Merge(party, row.Id, owner.Id, mode, login);
        }
        else
        {
            return;
        }

        // Sometimes the device hears of it only when it connects the next time.
        if (random.Next(3) == 0) Enter(party);
    }

    private void Merge(Party party, IdentityId source, IdentityId target, MergeMode mode, LoginRow login)
    {
        Tell($"{party.Name} logs in as {login.Subject}: {source} is merged into {target}, {mode}");
        if (mode is MergeMode.KeepSource or MergeMode.KeepDestination) NoteReshaping(source, target, mode);
        SimulatedHub.Wait(_hub.Merging.MergeAsync(
            SimulatedHub.Pool, source, target, mode, login, mayHaveLogins: true, default));
        _links.RemoveAll(static link => link.IsClosed);
        _counts.Merges++;
        if (_plants.CountsTwice) CountTwice(source, target);
        if (_plants.MixesIdentities) Mix(source, target);
        foreach (IdentityRow row in Rows()) _ledger.NoteRow(row);
        CheckHub(target);
        ShownAtHub(target, HubLedger.Save, null);
    }

    /// <summary>What one side shows alone goes, where the other side's reading is kept; told before, for the hub may die
    /// meanwhile.</summary>
    private void NoteReshaping(IdentityId source, IdentityId target, MergeMode mode)
    {
        using IdentityLease left = _hub.Lease(source), right = _hub.Lease(target);
        foreach (string name in left.Identity.DatasetNames)
        {
            HashSet<int> from = HubLedger.Shown(left.Identity.OpenForJoin(name));
            HashSet<int> to = right.Identity.DatasetNames.Contains(name)
                ? HubLedger.Shown(right.Identity.OpenForJoin(name)) : [];
            foreach (int number in mode == MergeMode.KeepSource ? to.Except(from) : from.Except(to))
                _ledger.Marks[number].MayBeRemoved = true;
        }

        _ledger.NoteReshaped(source);
        _ledger.NoteReshaped(target);
    }

    private void CountTwice(IdentityId source, IdentityId target)
    {
        using IdentityLease left = _hub.Lease(source), right = _hub.Lease(target);
        if (!left.Identity.DatasetNames.Contains(HubLedger.Save)) return;
        right.Identity.OpenForJoin(HubLedger.Save).Counter(HubLedger.Coins)
            .Add(left.Identity.OpenForJoin(HubLedger.Save).Counter(HubLedger.Coins).Value);
    }

    private void Mix(IdentityId source, IdentityId target)
    {
        IdentityRow? third = Rows().FirstOrDefault(row => row.Id != source && row.Id != target && row.MergedInto == default);
        if (third is null) return;
        using IdentityLease left = _hub.Lease(source), right = _hub.Lease(third.Id);
        foreach (string name in left.Identity.DatasetNames)
            right.Identity.OpenForJoin(name).JoinContent(left.Identity.OpenForJoin(name).EncodeAll());
        CheckHub(third.Id);
    }

    /// <summary>At most every third device is revoked, so that somebody goes on.</summary>
    private void Revoke(Party party)
    {
        IdentityRow? row = _hub.Resolve(party.Identity.Id);
        if (row?.FindDevice(party.Id) is null || (!party.IsRevoked
            && 3 * _parties.Count(static known => known.IsRevoked) >= _parties.Count)) return;
        Tell($"{party.Name} is revoked");
        foreach (Party copy in Copies(party)) copy.IsRevoked = true;
        SimulatedHub.Wait(_hub.Fences.RevokeAsync(SimulatedHub.Pool, row.Id, party.Id, default));
        foreach (Party copy in Copies(party)) copy.IsOut = true;
        _links.RemoveAll(static link => link.IsClosed);
        _counts.Revocations++;
    }

    private IEnumerable<Party> Copies(Party party) => _parties.Where(known => known.Id == party.Id);

    private LoginRow LoginOf(string subject) =>
        new(Provider, subject, _hub.Clock.GetUtcNow(), new Dictionary<string, IReadOnlyList<string>>());
}
