using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;

namespace SyncEngine.Cli.Demo;

/// <summary>What happens in the demo: one save game, edited offline on three devices.</summary>
internal sealed class DemoStory(
    DemoDevice laptop, DemoDevice phone, DemoDevice tablet, DemoClock clock, WriteLedger ledger, DemoMail mail)
{
    private const string Hero = "hero";
    private const string Coins = "coins";
    private const string Best = "best score";
    private const string Lap = "fastest lap";
    private const string Badges = "badges";
    private const string Inventory = "inventory";
    private const string Settings = "settings";
    private const string Checkpoint = "checkpoint";
    private const string Tutorial = "tutorial";
    private VersionVector _laptopSent = VersionVector.Empty;
    private VersionVector _start = VersionVector.Empty;

    /// <summary>The records in the order in which the tables show them, each with how it merged.</summary>
    public static IReadOnlyList<(RecordName Name, string Why)> Records { get; } =
    [
        (new RecordName(Hero, RecordKind.Register), "two names at once: the later is shown, the other is kept"),
        (new RecordName(Coins, RecordKind.Counter), "100 + 10 + 20: everybody's coins count"),
        (new RecordName(Best, RecordKind.Max), "the best of all"),
        (new RecordName(Lap, RecordKind.Min), "the fastest of all"),
        (new RecordName(Badges, RecordKind.Set), "earned again while another took it off: earning wins"),
        (new RecordName(Inventory, RecordKind.List), "insertions stay together, the move and the removal hold"),
        (new RecordName(Settings, RecordKind.Map), "each field merges on its own"),
        (new RecordName(Checkpoint, RecordKind.Register), "changed while another deleted it: the change wins"),
        (new RecordName(Tutorial, RecordKind.Register), "deleted, and nobody minded"),
    ];

    public const string ConflictKey = Hero;

    /// <summary>The laptop starts a game and gives it to the others.</summary>
    public async Task StartAsync()
    {
        await ledger.WriteAsync(laptop, Hero, "names the hero", static w => w[Hero] = "Ann");
        await ledger.AddAsync(laptop, Coins, 100, "finds 100 coins");
        await ledger.WriteAsync(laptop, Best, "scores 9001", static w => w.Max(Best).Raise(9001));
        await ledger.WriteAsync(laptop, Lap, "drives a lap", static w => w.Min(Lap).Lower(74.5));
        await ledger.WriteAsync(laptop, Badges, "earns a badge", static w => w.Set(Badges).Add("first-win"));
        await ledger.InsertAsync(laptop, Inventory, 0, ["sword", "shield", "bow"], "packs");
        await ledger.WriteAsync(laptop, Settings, "sets up", static w =>
        {
            w.Map(Settings)["volume"] = 0.8;
            w.Map(Settings)["language"] = "en";
        });
        await ledger.WriteAsync(laptop, Checkpoint, "reaches the bridge", static w => w[Checkpoint] = "bridge");
        await ledger.WriteAsync(laptop, Tutorial, "is at lesson 3", static w => w[Tutorial] = "lesson 3");
        _start = _laptopSent = await mail.PackAsync(laptop, "laptop-0", VersionVector.Empty);
        foreach (DemoDevice other in (DemoDevice[])[laptop, phone, tablet])
        {
            // The laptop adopts what it has, which marks its identity as shared: no other file can then take its place.
            await other.Store.AdoptIdentityAsync(laptop.Store.Identity.Id);
            if (other != laptop) await mail.DeliverAsync("laptop-0", other, JoinOutcome.Joined, "the new game");
        }

        mail.Deliveries.Clear();
        ledger.TakeStory();
        clock.Pass(TimeSpan.FromMinutes(10));
    }

    /// <summary>All three play on without a network; the laptop packs two parcels, the others one each.</summary>
    public async Task PlayOfflineAsync()
    {
        await ledger.WriteAsync(laptop, Hero, "renames the hero: Ann the Brave", static w => w[Hero] = "Ann the Brave");
        await ledger.AddAsync(laptop, Coins, 10, "finds 10 coins");
        await ledger.WriteAsync(laptop, Best, "scores 9400", static w => w.Max(Best).Raise(9400));
        await ledger.WriteAsync(laptop, Badges, "earns first-win again", static w => w.Set(Badges).Add("first-win"));
        _laptopSent = await mail.PackAsync(laptop, "laptop-1", _laptopSent);
        await ledger.InsertAsync(
            laptop, Inventory, 1, ["potion", "map"], "puts potion, map behind the sword");
        await ledger.WriteAsync(laptop, Settings, "turns the volume to 0.5", static w => w.Map(Settings)["volume"] = 0.5);
        await ledger.WriteAsync(laptop, Checkpoint, "reaches the castle", static w => w[Checkpoint] = "castle");
        await mail.PackAsync(laptop, "laptop-2", _laptopSent);
        clock.Pass(TimeSpan.FromMinutes(5));

        await ledger.WriteAsync(tablet, Lap, "drives a lap in 71.2 s", static w => w.Min(Lap).Lower(71.2));
        await ledger.WriteAsync(tablet, Badges, "earns night-owl", static w => w.Set(Badges).Add("night-owl"));
        await ledger.InsertAsync(tablet, Inventory, 1, ["rope", "lamp"], "puts rope, lamp behind the sword");
        await ledger.RemoveAsync(tablet, Inventory, "shield", "drops the shield");
        await ledger.WriteAsync(tablet, Settings, "switches subtitles on", static w => w.Map(Settings)["subtitles"] = true);
        await ledger.WriteAsync(tablet, Tutorial, "deletes the tutorial", static w => w.Delete(Tutorial));
        await mail.PackAsync(tablet, "tablet-1", _start);
        clock.Pass(TimeSpan.FromMinutes(5));

        await ledger.WriteAsync(phone, Hero, "renames the hero: Captain Ann", static w => w[Hero] = "Captain Ann");
        await ledger.AddAsync(phone, Coins, 20, "finds 20 coins");
        await ledger.WriteAsync(phone, Best, "scores 9900", static w => w.Max(Best).Raise(9900));
        await ledger.WriteAsync(phone, Badges, "takes off first-win", static w => w.Set(Badges).Remove("first-win"));
        await ledger.WriteAsync(phone, Inventory, "moves the bow to the front", static w => w.List(Inventory).Move(2, 0));
        await ledger.WriteAsync(phone, Settings, "switches to French", static w => w.Map(Settings)["language"] = "fr");
        await ledger.WriteAsync(phone, Checkpoint, "deletes the checkpoint", static w => w.Delete(Checkpoint));
        await mail.PackAsync(phone, "phone-1", _start);
        clock.Pass(TimeSpan.FromMinutes(5));
    }

    /// <summary>The parcels arrive late, twice and in the wrong order.</summary>
    public async Task DeliverAsync()
    {
        await mail.DeliverAsync("laptop-2", phone, JoinOutcome.Gap, "refused whole: laptop-1 is missing, nothing changed");
        await mail.DeliverAsync("phone-1", laptop, JoinOutcome.Joined, "merged");
        await mail.DeliverAsync("laptop-1", phone, JoinOutcome.Joined, "merged, late");
        await mail.DeliverAsync("laptop-2", phone, JoinOutcome.Joined, "merged: nothing is missing any more");
        await mail.DeliverAsync("laptop-1", phone, JoinOutcome.AlreadyKnown, "known already, a repetition is harmless");
        await mail.DeliverAsync("tablet-1", phone, JoinOutcome.Joined, "merged");
        await mail.PackAsync(phone, "phone-2", tablet.Save.Version);
        await mail.DeliverAsync("phone-2", tablet, JoinOutcome.Joined, "merged: brings the laptop's changes along");
        await mail.DeliverAsync("phone-1", tablet, JoinOutcome.AlreadyKnown, "known already, though it never came before");
        await mail.DeliverAsync("tablet-1", laptop, JoinOutcome.Joined, "merged, last of all");
    }
}
