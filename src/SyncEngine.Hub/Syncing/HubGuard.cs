using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Wire;

namespace SyncEngine.Hub.Syncing;

/// <summary>
/// What the hub allows one device: which datasets it sees and writes, how much fits in, and whose changes it may bring. A
/// frame that brings no value and takes none away passes the policy and the limits, so that a device can take refused writes
/// back.
/// </summary>
internal sealed partial class HubGuard(Identity identity, SyncCaller caller, FrameReview? review, Action<string> allowed)
    : SessionGuard
{
    /// <summary>No device makes so many changes between two syncs: who claims them would use up a replica's counters.</summary>
    private const long AdvanceMax = 1L << 32;

    /// <summary>What a merge of identities brought beyond a limit may still be updated, up to this many times the
    /// limit.</summary>
    private const int UpdateFactor = 2;

    private readonly SessionAccess _access = caller.Access;
    private ReviewVerdict _verdict;

    /// <summary>The session that it guards: nothing is taken once the hub ends it, for what the device may do may have
    /// changed.</summary>
    public OpenSession? Session { get; init; }

    public override bool Considers => Session?.IsCut == true || review?.IsWanted(caller.Pool) == true;

    /// <summary>Shows the changes of a frame to whoever wants to review them.</summary>
    public override async ValueTask ConsiderAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        _verdict = default;
        if (Session?.IsCut == true)
            throw new SyncException(SyncErrorCode.ConnectionFailed, "The hub ends this session. Connect again.");
        OpenedFrame opened = FrameReader.Open(message, identity.FrameLimits, mayBePacked: false);
        if (opened.Type is not (FrameType.Delta or FrameType.Snapshot)) return;
        string name;
        using (DecodedFrame frame = FrameReader.Read(opened, identity.FrameLimits)) name = frame.Dataset;
        if (!MayRead(name)) return;
        Dataset dataset = identity.OpenForJoin(name);
        var any = new DatasetContext { FrameLimits = new FrameLimits { ClockAheadMax = TimeSpan.MaxValue } };
        Dataset before = new(name, 1, any), after = new(name, 1, any);
        byte[] now = dataset.EncodeAll();
        before.JoinContent(now);
        after.JoinContent(now);
        foreach (ReadOnlyMemory<byte> part in dataset.StagedParts)
        {
            using DecodedFrame decoded = FrameReader.Read(part, identity.FrameLimits);
            after.TakePart(decoded, part, this);
        }

        if (after.JoinContent(message).Outcome != JoinOutcome.Joined) return;
        List<RecordChange> changes = RecordChange.Between(before, after);
        if (changes.Count == 0) return;
        _verdict = await review!.DecideAsync(caller, name, changes, cancellationToken).ConfigureAwait(false);
        if (_verdict is { Refusal: { } reason, IsTemporary: true })
            throw new SyncException(SyncErrorCode.ConnectionFailed, reason);
    }

    public override bool MayRead(string dataset) => DatasetNames.IsValid(dataset) && _access.Allows("dataset:read", dataset);

    public override string ReasonHidden(string dataset) => DatasetNames.IsValid(dataset) ? base.ReasonHidden(dataset)
        : "On a hub a dataset's name has 1 to 128 of the characters A-Z a-z 0-9 _ . : - and does not begin with a dot. Move "
        + "the data to a dataset with such a name, or keep it on this device alone.";

    public override FrameRefusal? Judge(Dataset dataset, FrameInspection inspection)
    {
        FrameRefusal? refusal = JudgeReplicas(inspection) ?? JudgeDataset(dataset, inspection)
            ?? JudgePolicy(dataset, inspection) ?? JudgeRelays(dataset, inspection) ?? JudgeSizes(inspection)
            ?? JudgeRecords(inspection) ?? JudgeBytes(inspection) ?? JudgeReview(dataset, inspection);
        if (refusal is null) allowed(dataset.Name);
        return refusal;
    }

    public override FrameRefusal? JudgeRenames(Dataset dataset, CellState state, IReadOnlyList<Rename> renames) =>
        MayWrite(dataset) || !renames.Any(state.HoldsLive) ? null : new FrameRefusal(SyncErrorCode.Unauthorized, "What this "
            + "device knows of the dataset would rename what others wrote, and the hub's policy lets this identity only read "
            + $"dataset {dataset.Name}. Sync the device that wrote first.", []);

    public override void OnTaken(Dataset dataset, long revision)
    {
        DatasetRoom.TrimDeletes(dataset, _access.Limits);
        if (_verdict.Addition is not { } addition) return;
        _verdict = default;
        dataset.Write(addition);
    }

    private FrameRefusal? JudgeReview(Dataset dataset, FrameInspection inspection)
    {
        if (_verdict.Refusal is not { } reason) return null;
        List<CellProposal> refused = [.. inspection.Changes.Where(change => change.ChangesValues
            && (_verdict.Records is not { Count: > 0 } named || named.Contains(dataset.NameOf(change.Cell))))];
        return refused.Count == 0 ? null : new FrameRefusal(SyncErrorCode.Unauthorized, reason, refused);
    }

    private FrameRefusal? JudgeReplicas(FrameInspection inspection)
    {
        long farthest = inspection.Advances.Select(static advance => advance.To - advance.From).DefaultIfEmpty().Max();
        if (farthest > AdvanceMax)
            return new FrameRefusal(SyncErrorCode.LimitExceeded, $"A replica would advance by {farthest:N0} changes "
                + "at once, which no device makes. Nothing was taken.", []);
        int replicas = inspection.State.Replicas.Count + inspection.NewReplicas;
        if (_access.Limits.ReplicasMax is { } allowed && inspection.NewReplicas > 0 && replicas > allowed)
            return new FrameRefusal(SyncErrorCode.LimitExceeded,
                $"The dataset would know {replicas:N0} replicas; {allowed:N0} are "
                + "allowed. Ask the hub's operator to raise the pool's limit.", []);

        // Beyond a fence only what stands in cells matters: who took such changes back still covers them.
        List<CellProposal> fenced = [.. inspection.Changes.Where(change => HasDot(inspection, change, IsFenced))];
        return fenced.Count == 0 ? null : new FrameRefusal(SyncErrorCode.Unauthorized,
            "These changes were made by a device that was revoked, after that. They are not taken from anyone.", fenced,
            (_, entry) => IsFenced(entry.Dot));
    }

    private bool MayWrite(Dataset dataset) => _access.Allows("dataset:write", dataset.Name);

    private bool IsFenced(Dot dot) => _access.Fence(dot.Replica) is { } last && dot.Counter > last;

    /// <summary>Whether a change is another device's to bring: who may not write takes back what nobody may.</summary>
    private bool IsForeign(Dataset dataset, Dot dot) => _access.IsForeign(dot.Replica) && !IsFenced(dot)
        && (MayWrite(dataset) || _access.ForeignMayWrite(dot.Replica, dataset.Name));

    private bool AdvancesForeign(Dataset dataset, FrameInspection inspection) =>
        inspection.Advances.Any(advance => IsForeign(dataset, new Dot(advance.Replica, advance.To)));

    private static bool HasDot(FrameInspection inspection, CellProposal change, Predicate<Dot> predicate) =>
        inspection.EntriesOf(change).Any(entry => predicate(entry.Dot));

    private static bool BringsValue(CellProposal change, ProposedEntry entry) => entry.ValueLength > 0;

    private FrameRefusal? JudgeDataset(Dataset dataset, FrameInspection inspection)
    {
        if (inspection.State.LiveRecords > 0) return null;
        bool isFilled = inspection.Changes.Any(static change => change.MakesRecord);
        if (!isFilled && inspection.State.Revision > 0) return null;
        return DatasetRoom.Judge(identity, dataset.Name, isFilled, _access.Limits.DatasetsMax) is not { } reason ? null
            : new FrameRefusal(SyncErrorCode.LimitExceeded, $"{reason}, or ask the hub's operator to raise the pool's limit: "
                + $"until then {dataset.Name} stays on this device alone, and is sent with the next connection after that.", []);
    }

    private FrameRefusal? JudgePolicy(Dataset dataset, FrameInspection inspection)
    {
        if (MayWrite(dataset)) return null;
        bool isRelayed = AdvancesForeign(dataset, inspection);

        // What another device may have been allowed to write is not this one's to take back.
        List<CellProposal> denied = [.. inspection.Changes.Where(change => change.ChangesValues && (!isRelayed
            || (HasDot(inspection, change, static _ => true) && !HasDot(inspection, change, dot => IsForeign(dataset, dot)))))];
        return denied.Count == 0 ? null : new FrameRefusal(SyncErrorCode.Unauthorized, "The hub's policy lets this identity only "
            + $"read dataset {dataset.Name}.", denied);
    }

    private FrameRefusal? JudgeSizes(FrameInspection inspection)
    {
        bool IsTooLarge(CellProposal change, ProposedEntry entry) => entry.ValueLength > _access.Limits.ValueBytesMax
            || (entry.ValueLength > 0 && change.MakesLive
                && change.Frame.Cells[change.Column].KeyLength > _access.Limits.KeyBytesMax);
        List<CellProposal> tooLarge = [.. inspection.Changes.Where(change =>
            inspection.EntriesOf(change).Any(entry => IsTooLarge(change, entry)))];
        return tooLarge.Count == 0 ? null : new FrameRefusal(SyncErrorCode.LimitExceeded,
            "A key or a value is longer than the pool "
            + $"allows: {_access.Limits.KeyBytesMax:N0} and {_access.Limits.ValueBytesMax:N0} bytes.", tooLarge, IsTooLarge);
    }

    private FrameRefusal? JudgeRecords(FrameInspection inspection)
    {
        if (_access.Limits.RecordsMax is not { } allowed) return null;
        int room = allowed - inspection.State.LiveRecords + inspection.RecordsDropped;
        List<CellProposal> surplus = inspection.Changes.Where(static change => change.MakesRecord).Skip(Math.Max(0, room))
            .ToList();
        return surplus.Count == 0 ? null : new FrameRefusal(SyncErrorCode.LimitExceeded, $"The dataset has "
            + $"{inspection.State.LiveRecords:N0} records on the hub, and {allowed:N0} are allowed: new ones are not taken, "
            + "changes and deletes are. Delete some, or ask the hub's operator to raise the pool's limit.", surplus, BringsValue);
    }

    private FrameRefusal? JudgeBytes(FrameInspection inspection)
    {
        if (_access.Limits.DatasetBytesMax is not { } allowed) return null;
        long bytes = inspection.State.LiveBytes;
        bool isBeyond = bytes > allowed;
        foreach (CellProposal change in inspection.Changes) bytes += Math.Min(0, change.GrowthBytes);
        bytes += Math.Min(0, inspection.BytesGrown - inspection.Changes.Sum(static change => change.GrowthBytes));
        var surplus = new List<CellProposal>();
        foreach (CellProposal change in inspection.Changes)
        {
            if (change.GrowthBytes <= 0) continue;
            bool isUpdate = isBeyond && !change.MakesLive && !change.MakesRecord;
            if (bytes + change.GrowthBytes <= (isUpdate ? UpdateFactor * allowed : allowed)) bytes += change.GrowthBytes;
            else if (change.ChangesValues) surplus.Add(change);
        }

        return surplus.Count == 0 ? null : new FrameRefusal(SyncErrorCode.LimitExceeded, $"The dataset takes "
            + $"{inspection.State.LiveBytes:N0} bytes on the hub, and {allowed:N0} are allowed. Delete something, or ask the "
            + "hub's operator to raise the pool's limit.", surplus, BringsValue);
    }
}
