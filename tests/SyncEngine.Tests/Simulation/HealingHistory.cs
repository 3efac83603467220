namespace SyncEngine.Tests.Simulation;

/// <summary>
/// A random history of copies, rollbacks and lost messages with the first defence (the file's fingerprint) switched off, and
/// an oracle that knows writes by name and not by dot: a write supersedes the writes to its key that its writer knew, a join
/// hands over all that the sender knew.
/// </summary>
internal sealed class HealingHistory : IDisposable
{
    private static readonly (string Name, int Weight)[] _operations =
    [
        ("put", 22), ("del", 8), ("add", 14), ("collect", 5), ("meet", 18), ("mail", 9), ("deliver", 12), ("reopen", 4),
        ("copy", 2), ("save", 4), ("restore", 3),
    ];

    private readonly List<HealingSite> _sites = [];
    private readonly List<(int From, Func<HealingSite> Open, HashSet<int> Known)> _saves = [];
    private readonly List<(int To, Func<HealingSite, bool> Apply, HashSet<int> Known)> _mail = [];
    private readonly Dictionary<int, (string Key, string Kind, long Amount, HashSet<int> Supersedes)> _writes = [];
    private int _copies;

    /// <summary>How many replicas the history began with.</summary>
    public int Count { get; private init; }

    public SortedDictionary<string, string> View { get; private set; } = [];

    public HashSet<int> Known => _sites.SelectMany(site => site.Known).ToHashSet();

    /// <summary>Runs the history that a seed names.</summary>
    /// <returns>The history, with the first broken promise or null.</returns>
    public static (HealingHistory History, string? Fault) Run(int seed, Func<int, HealingSite> make)
    {
        var random = new Random(seed);
        int count = random.Next(2, 6);
        var history = new HealingHistory { Count = count };
        for (int i = 0; i < count; i++) history._sites.Add(make(i));
        int steps = random.Next(5, 121);
        for (int step = 0; step < steps; step++) history.Step(step, random);
        return (history, history.Settle());
    }

    public void Dispose()
    {
        foreach (HealingSite site in _sites) site.Dispose();
    }

    private void Step(int step, Random random)
    {
        int pick = random.Next(_operations.Sum(operation => operation.Weight)), i = random.Next(60), j = random.Next(60);
        int k = random.Next(4), amount = new[] { -1, 1, 2, 4 }[random.Next(4)], skew = new[] { 0, 0, 1000, -500 }[random.Next(4)];
        string operation = "";
        foreach ((string name, int weight) in _operations)
        {
            operation = name;
            if ((pick -= weight) < 0) break;
        }

        int a = i % _sites.Count, b = j % _sites.Count;
        long now = 1_700_000_000_000 + step + skew;
        HealingSite site = _sites[a];
        string key = operation == "add" ? $"#{k % 2}" : $"k{k}";
        bool wrote = true;
        switch (operation)
        {
            case "put": site.Put(key, $"v{step}", now); break;
            case "del": wrote = site.Delete(key, now); break;
            case "add": site.Add(key, amount, now); break;
            default:
                wrote = false;
                Move(operation, a, b, j, k);
                break;
        }

        if (!wrote) return;
        _writes[step] = (key, operation, amount,
            operation == "add" ? [] : site.Known.Where(write => _writes[write].Key == key).ToHashSet());
        site.Known.Add(step);
    }

    private void Move(string operation, int a, int b, int j, int k)
    {
        HealingSite site = _sites[a];
        if (operation == "collect") site.Collect(j % 2 == 1 ? site : _sites[b]);
        else if (operation == "reopen") site.Reopen();
        else if (operation == "meet" && a != b) Meet(a, b, k == 0, k == 1);
        else if (operation == "mail" && a != b)
        {
            _mail.Add((b, site.Delta(k > 0 ? _sites[j % _sites.Count] : null), [.. site.Known]));
        }
        else if (operation == "deliver" && _mail.Count > 0)
        {
            (int to, Func<HealingSite, bool> apply, HashSet<int> known) = _mail[j % _mail.Count];
            if (apply(_sites[to])) _sites[to].Known.UnionWith(known);
        }
        else if (operation == "copy" && _sites.Count < 8)
        {
            Add(site.Save()(), site.Known);
        }
        else if (operation == "save")
        {
            _saves.Add((a, site.Save(), [.. site.Known]));
        }
        else if (operation == "restore" && _saves.Count > 0)
        {
            (int from, Func<HealingSite> open, HashSet<int> known) = _saves[j % _saves.Count];
            if (k == 0 && _sites.Count < 8)
            {
                Add(open(), known);
                return;
            }

            int at = k < 3 ? from : a;
            _copies++;
            _sites[at].Dispose();
            _sites[at] = open();
            _sites[at].Known = [.. known];
        }
    }

    private void Add(HealingSite site, HashSet<int> known)
    {
        _copies++;
        site.Known = [.. known];
        _sites.Add(site);
    }

    private bool Meet(int a, int b, bool losesFirst, bool losesSecond)
    {
        bool renamed = _sites[a].Reconcile(_sites[b]);
        if (!losesFirst) Hand(a, b);
        if (!losesSecond) Hand(b, a);
        return renamed;
    }

    private void Hand(int from, int to)
    {
        if (!_sites[from].Delta(_sites[to])(_sites[to])) throw new InvalidOperationException("A gap right after meeting.");
        _sites[to].Known.UnionWith(_sites[from].Known);
    }

    private string? Settle()
    {
        for (int round = 0; round < 4; round++) MeetAll();
        List<string> quiet = _sites.Select(site => site.State()).ToList();
        if (MeetAll()) return "still renaming after it was quiet";
        if (!quiet.SequenceEqual(_sites.Select(site => site.State()))) return "does not come to rest";
        if (quiet.Distinct().Count() > 1) return "replicas differ:\n" + string.Join("\n---\n", quiet);
        View = _sites[0].View();
        HashSet<int> known = Known;
        HashSet<int> dead = known.SelectMany(write => _writes[write].Supersedes).ToHashSet();
        foreach (IGrouping<string, int> key in known.GroupBy(write => _writes[write].Key))
        {
            string want = key.Key[0] == '#' ? $"{key.Sum(write => _writes[write].Amount)}"
                : string.Join(' ', key.Where(write => !dead.Contains(write) && _writes[write].Kind == "put")
                    .Select(write => $"v{write}").Order(StringComparer.Ordinal));
            string have = View.GetValueOrDefault(key.Key, key.Key[0] == '#' ? "0" : "");
            if (have != want) return $"{key.Key} has [{have}] and should have [{want}]";
        }

        int ids = _sites.SelectMany(site => site.Ids()).Distinct().Count();
        return ids > Count + _copies ? $"{ids} ids from {Count} replicas and {_copies} copies" : null;
    }

    private bool MeetAll()
    {
        bool renamed = false;
        for (int a = 0; a < _sites.Count; a++)
            for (int b = 0; b < _sites.Count; b++)
                if (a != b) renamed |= Meet(a, b, false, false);
        return renamed;
    }
}
