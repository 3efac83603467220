using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Hub.Identities;
using SyncEngine.Identities;
using SyncEngine.Testing;
using SyncEngine.Values;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>The numbers that the hub shows in an identity's datasets of a kind, under one key or under all.</summary>
internal delegate HashSet<int> HubReading(IdentityId id, string kind, string? key);

/// <summary>
/// Knows every write and whose it is, and holds what a device or the hub shows against that. Each write to save adds its number
/// to a set and an amount to a counter in one transaction, so that at any place and time the counter must be the sum of the
/// amounts that the set tells: whatever is lost, counted twice or torn apart breaks that. It knows nothing of how things merge.
/// </summary>
internal sealed class HubLedger
{
    public const string Save = "save", Notes = "notes", Rules = "rules", Bonus = "bonus", Secret = "secret";

    /// <summary>The set in which numbers stand that nobody ever removes.</summary>
    public const string Log = "log";

    public const string Coins = "coins";

    private readonly List<Mark> _marks = [];
    private readonly Dictionary<IdentityId, IdentityId> _mergedInto = [];
    private readonly HashSet<IdentityId> _reshaped = [];

    public IReadOnlyList<Mark> Marks => _marks;

    /// <summary>Whether counters must fit also where a device of the identity was revoked.</summary>
    public bool CountsBesideFences { get; init; }

    /// <summary>Identities that have, or had, a login.</summary>
    public HashSet<IdentityId> Accounts { get; } = [];

    /// <summary>A dataset's name without what a merge put behind it.</summary>
    public static string BaseOf(string name) => name.Split('.')[0];

    public Mark Add(Mark mark)
    {
        _marks.Add(mark);
        return mark;
    }

    /// <summary>What the directory says became of an identity.</summary>
    public void NoteRow(IdentityRow row)
    {
        if (row.Logins.Count > 0) Accounts.Add(row.Id);
        if (row.State == IdentityState.Merged) _mergedInto[row.Id] = row.MergedInto;
    }

    /// <summary>A guest that never exchanged anything takes over the identity of its login, with all that it holds.</summary>
    public void NoteSignedIn(Party party, HashSet<int> held, IdentityId id)
    {
        foreach (int number in held)
        {
            _marks[number].Holders.Add(id);
            _marks[number].MayStandTwice |= party.IsCopied;
        }

        foreach (Mark mark in _marks)
        {
            if (mark.Device != party) continue;
            mark.Holders.Add(mark.Author);
            mark.Author = id;
        }
    }

    /// <summary>A merge may have written what one side showed over what the other did.</summary>
    public void NoteReshaped(IdentityId id) => _reshaped.Add(id);

    public IdentityId Resolve(IdentityId id)
    {
        while (_mergedInto.TryGetValue(id, out IdentityId into)) id = into;
        return id;
    }

    /// <summary>The numbers that a dataset shows, as winner or beside one.</summary>
    public static HashSet<int> Shown(Dataset dataset)
    {
        var shown = new HashSet<int>();
        foreach (RecordName record in dataset.Records)
        {
            if (record.Kind == RecordKind.Set) shown.UnionWith(dataset.Set(record.Key).ToArray().Select(NumberOf));
            else if (record.Kind == RecordKind.Register) shown.Add(NumberOf(dataset[record.Key]));
        }

        foreach (Conflict conflict in dataset.Conflicts) shown.UnionWith(Competing(conflict));
        return shown;
    }

    /// <summary>The numbers that stand in a set or register.</summary>
    public static HashSet<int> ShownIn(Dataset dataset, string key)
    {
        var shown = new HashSet<int>();
        if (dataset.Contains(key)) shown.Add(NumberOf(dataset[key]));
        if (dataset.Contains(key, RecordKind.Set)) shown.UnionWith(dataset.Set(key).ToArray().Select(NumberOf));
        foreach (Conflict conflict in dataset.Conflicts)
            if (conflict.Key == key) shown.UnionWith(Competing(conflict));
        return shown;
    }

    public static HashSet<int> Refused(Dataset dataset) =>
    [
        .. dataset.Refused.Where(static write => write.Kind != RecordKind.Counter && !write.Value.IsMissing)
            .Select(static write => NumberOf(write.Value)),
    ];

    /// <summary>Holds a dataset against what it may show.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="id">Whose it is.</param>
    /// <param name="who">Where it is, in words.</param>
    /// <param name="isHub">Whether that is the hub.</param>
    /// <exception cref="HistoryException">It shows what it may not, or what does not fit together.</exception>
    public void Check(Dataset dataset, IdentityId id, string who, bool isHub)
    {
        string kind = BaseOf(dataset.Name);
        foreach (int number in Shown(dataset))
        {
            Mark mark = _marks[number];
            string where = $"{who} shows {mark} in {dataset.Name} of {id}";
            if (mark.Dataset != kind) throw new HistoryException($"{where}, another dataset.");
            if (mark.IsDead) throw new HistoryException($"{where}, which died with its process before it was durable.");
            if (!WasEver(mark.Author, id) && !mark.Holders.Any(held => WasEver(held, id)))
                throw new HistoryException($"{where}, though it was written by {mark.Author}.");
            if (!isHub) continue;
            if (mark.IsFenced) throw new HistoryException($"{where}, which was written after its device was revoked.");
            if (mark.IsLarge)
                throw new HistoryException($"{where}, which is longer than the pool allows.");
            if (kind is Rules or Secret || (kind == Bonus && !Accounts.Contains(id)))
                throw new HistoryException($"{where}, which the policy forbids.");
        }

        // Who got a fenced addition past the hub lacks what it had replaced until that heals, and in about one history of 500
        // writes on without it; the others are played with the counters held.
        if (kind == Save && (CountsBesideFences
            || !_marks.Exists(mark => mark.Device.IsRevoked && Resolve(mark.Author) == Resolve(id))))
        {
            long told = ShownIn(dataset, Log).Sum(number => _marks[number].Amount), counted = dataset.Counter(Coins).Value;
            if (told != counted)
                throw new HistoryException($"{who} counts {counted} coins in {dataset.Name} of {id}; its log tells {told}.");
        }

        bool isMerged = _mergedInto.ContainsValue(id);
        if (isHub && !isMerged && dataset.Count > SimulatedHub.RecordsMax)
            throw new HistoryException($"{who} has {dataset.Count} records in {dataset.Name} of {id}.");
    }

    /// <summary>Whatever a device was told that the hub has must be there.</summary>
    public void CheckAcknowledged(IEnumerable<Mark> marks, HubReading hub)
    {
        foreach (Mark mark in marks)
        {
            if (mark.IsAcknowledged && !mark.MayBeRemoved && !hub(Resolve(mark.Author), mark.Dataset, Log).Contains(mark.Number))
                throw new HistoryException($"The hub has lost {mark}, though it said that it has it.");
        }
    }

    /// <summary>In the end every write must stand at the hub, or aside on a device, or be replaced by one that saw it.</summary>
    /// <param name="hub">What the hub shows.</param>
    /// <param name="refused">What stands aside on all devices.</param>
    public void CheckNothingLost(HubReading hub, HashSet<int> refused)
    {
        foreach (Mark mark in _marks)
        {
            if (mark.IsDead || mark.MayBeDead || mark.MayBeRemoved || mark.Device.IsRevoked || mark.Dataset == Secret) continue;
            IdentityId id = Resolve(mark.Author);
            bool isReshaped = _reshaped.Contains(id);
            if (!hub(id, mark.Dataset, null).Contains(mark.Number))
            {
                if (mark.Dataset != Save && refused.Contains(mark.Number)) continue;
                if (mark.Dataset == Notes && (isReshaped || IsFollowed(mark))) continue;
                throw new HistoryException($"{mark} is lost: the hub does not show it"
                    + (mark.Dataset == Save ? "." : ", and no device keeps it aside."));
            }

            // The register that came with an entry of the log stands unless one that came, too, has replaced it.
            if (mark.Dataset != Save || mark.Key is null || isReshaped) continue;
            bool isReplaced = _marks.Exists(later => !later.IsDead && later.Supersedes.Contains(mark.Number));
            if (!isReplaced && !hub(id, Save, mark.Key).Contains(mark.Number))
                throw new HistoryException($"{mark} to {mark.Key} is lost: nobody who saw it wrote over it.");
        }
    }

    private bool IsFollowed(Mark mark) => _marks.Exists(later => later.Number > mark.Number && later.Dataset == mark.Dataset
        && later.Key == mark.Key && Resolve(later.Author) == Resolve(mark.Author));

    private bool WasEver(IdentityId author, IdentityId id)
    {
        while (author != id && _mergedInto.TryGetValue(author, out IdentityId into)) author = into;
        return author == id;
    }

    private static IEnumerable<int> Competing(Conflict conflict) => conflict.Losers.Append(conflict.Winner)
        .Where(static write => !write.IsDeleted).Select(static write => NumberOf(write.Value));

    private static int NumberOf(Value value) =>
        value.Kind == ValueKind.String ? Mark.NumberOf(value.AsString()) : (int)value.AsInteger();
}
