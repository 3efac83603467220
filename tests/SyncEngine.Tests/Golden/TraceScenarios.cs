using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Wire;

namespace SyncEngine.Tests.Golden;

/// <summary>What happens in each golden trace. Nothing in it is random: either side can replay it.</summary>
internal static class TraceScenarios
{
    public static readonly IdentityId Guest = new(0x1111111111111111, 0x1111111111111111);
    public static readonly IdentityId Owner = new(0x0123456789abcdef, 0xfedcba9876543210);
    public static readonly byte[] Secret = [1, 2, 3, 4, 5, 6, 7, 8];
    public static readonly byte[] ChannelBinding = [0xB1, 0xB2, 0xB3, 0xB4];

    public static IReadOnlyDictionary<string, Action<Trace>> All { get; } =
        new Dictionary<string, Action<Trace>>(StringComparer.Ordinal)
        {
            ["trace-first-sync"] = FirstSync,
            ["trace-transfer"] = trace => Transfer(trace, isSnapshot: false),
            ["trace-transfer-snapshot"] = trace => Transfer(trace, isSnapshot: true),
            ["trace-heal"] = Heal,
            ["trace-refuse"] = Refuse,
            ["trace-reject"] = Reject,
        };

    private static void FirstSync(Trace trace)
    {
        trace.Note("The first sync of two devices that share a secret. The left one opens the connection, is a guest and");
        trace.Note("takes the right one's identity. It does not want cache.");
        trace.Open(trace.Left, Guest, seed: 1, isPaired: false);
        trace.Open(trace.Right, Owner, seed: 2);
        trace.Do(trace.Left, "writes player = Ann and adds 3 to coins in save", static own => own.Dataset("save").Write(
            static save =>
            {
                save["player"] = "Ann";
                save.Counter("coins").Add(3);
            }));
        trace.Do(trace.Right, "adds 4 to coins in save", static own => own.Dataset("save").Counter("coins").Add(4));
        trace.Do(trace.Right, "writes theme = dark in prefs", static own => own.Dataset("prefs")["theme"] = "dark");
        trace.Do(trace.Right, "writes x = 1 in cache", static own => own.Dataset("cache")["x"] = 1);
        var options = new SessionOptions { Secret = Secret, ChannelBinding = ChannelBinding };
        trace.Connect(options with { Adopts = true, Datasets = ["save", "pre*"] }, options);
        trace.Exchange();
        trace.Do(trace.Left, "writes level = 7 in save", static own => own.Dataset("save")["level"] = 7);
        trace.Exchange();
        trace.Do(trace.Right, "deletes player in save", static own => own.Dataset("save").Delete("player"));
        trace.Exchange();
        trace.Leave(trace.Left);
        TellBoth(trace, "save");
        TellBoth(trace, "prefs");
    }

    private static void Transfer(Trace trace, bool isSnapshot)
    {
        trace.Note("A first sync in parts. It breaks off, the sender changes something meanwhile, and a new connection");
        string deletes = isSnapshot ? "forgotten: the parts are those of a snapshot" : "kept";
        trace.Note($"goes on from the mark. Deletes were {deletes}.");
        trace.Open(trace.Left, Owner, seed: 3);
        trace.Open(trace.Right, Owner, seed: 4);
        trace.Do(trace.Right, "writes k0 to k9 in save and deletes k9", static own =>
        {
            for (int i = 0; i < 10; i++) own.Dataset("save")[$"k{i}"] = $"the value number {i} of a few words";
            own.Dataset("save").Delete("k9");
        });
        if (isSnapshot)
            trace.Do(trace.Right, "forgets deletes in save", static own =>
                own.Dataset("save").ForgetDeletes(own.Dataset("save").Version));
        var options = new SessionOptions { PartBytes = 80 };
        trace.Connect(options, options);
        trace.Exchange(messages: 9);
        trace.Do(trace.Right, "changes k0 and k8 in save and deletes k1", static own => own.Dataset("save").Write(
            static save =>
            {
                save["k0"] = "changed";
                save["k8"] = "changed too";
                save.Delete("k1");
            }));
        trace.Connect(options, options);
        trace.Exchange();
        trace.Leave(trace.Right);
        TellBoth(trace, "save");
    }

    private static void Heal(Trace trace)
    {
        trace.Note("Two clones of one process wrote different things under the same dots: vectors and lines are equal,");
        trace.Note("digests are not. Both heal.");
        trace.Open(trace.Left, Owner, seed: 5);
        trace.Open(trace.Right, Owner, seed: 5);
        Dictionary<TraceSide, string> players = new() { [trace.Left] = "Ann", [trace.Right] = "Bea" };
        foreach ((TraceSide side, string player) in players)
        {
            trace.Time.Jump(-trace.Time.WallMilliseconds + 1_700_000_000_000);
            trace.Do(side, $"writes same = 1 and player = {player} in save", own => own.Dataset("save").Write(save =>
            {
                save["same"] = 1;
                save["player"] = player;
            }));
        }

        trace.Do(trace.Right, "draws other random bits from here on", static own => own.Random.Fill(new byte[1]));
        trace.Connect(new SessionOptions(), new SessionOptions());
        trace.Exchange();
        trace.Leave(trace.Left);
        TellBoth(trace, "save");
    }

    private static void Refuse(Trace trace)
    {
        trace.Note("The left side allows 250 bytes of parts: it refuses save, which takes more, and takes prefs. Then it");
        trace.Note("connects with another secret than the right side's, and is cut off.");
        trace.Open(trace.Left, Owner, seed: 6, limits: new FrameLimits { TransferBytesMax = 250 });
        trace.Open(trace.Right, Owner, seed: 7);
        trace.Do(trace.Right, "writes k0 to k9 in save", static own =>
        {
            for (int i = 0; i < 10; i++) own.Dataset("save")[$"k{i}"] = $"the value number {i} of a few words";
        });
        trace.Do(trace.Right, "writes theme = dark in prefs", static own => own.Dataset("prefs")["theme"] = "dark");
        var options = new SessionOptions { PartBytes = 80 };
        trace.Connect(options, options);
        trace.Exchange();
        trace.Leave(trace.Right);
        trace.Connect(options with { Secret = ChannelBinding }, options with { Secret = Secret });
        trace.Exchange();
        TellBoth(trace, "save");
        TellBoth(trace, "prefs");
    }

    private static void Reject(Trace trace)
    {
        trace.Note("The right side is a hub that lets nobody write to rules: the left side takes its writes back, and its other");
        trace.Note("dataset goes through.");
        trace.Open(trace.Left, Owner, seed: 8);
        trace.Open(trace.Right, Owner, seed: 9);
        trace.Do(trace.Right, "writes gold = 1 in rules", static own => own.Dataset("rules")["gold"] = 1);
        var options = new SessionOptions();
        trace.Connect(options, options with { Guard = new ReadOnlyGuard("rules") });
        trace.Exchange();
        trace.Do(trace.Left, "writes gold = 9 and adds 5 to gems in rules", static own => own.Dataset("rules").Write(
            static rules =>
            {
                rules["gold"] = 9;
                rules.Counter("gems").Add(5);
            }));
        trace.Do(trace.Left, "writes level = 2 in save", static own => own.Dataset("save")["level"] = 2);
        trace.Exchange();
        trace.Leave(trace.Left);
        TellBoth(trace, "rules");
        TellBoth(trace, "save");
    }

    private static void TellBoth(Trace trace, string dataset)
    {
        trace.Tell(trace.Left, dataset);
        trace.Tell(trace.Right, dataset);
    }
}
