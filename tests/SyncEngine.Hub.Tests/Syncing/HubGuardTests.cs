using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using Xunit;
using Peer = SyncEngine.Hub.Tests.Syncing.GuardedPeers.Peer;

namespace SyncEngine.Hub.Tests.Syncing;

/// <summary>What the hub's guard lets through, and what becomes of the rest on the device.</summary>
public sealed class HubGuardTests
{
    private const int PartBytes = 300;

    [Fact]
    public void A_snapshot_in_parts_is_judged_as_one()
    {
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), hub = peers.Hub;
        hub.Write(data => Fill(data, "k", 60));
        peers.Sync(reader);

        // Deletes that were forgotten have the device send everything.
        reader.Write(static data => data["own"] = 1);
        reader.Write(static data => data.Delete("own"));
        reader.Data.ForgetDeletes(reader.Data.Version);
        peers.Sync(reader, partBytes: PartBytes);
        Assert.Empty(peers.Refusals);
        Assert.Equal(60, hub.Data.Count);
        Assert.Equal(reader.Data.Version, hub.Data.Version);
    }

    [Fact]
    public void A_limit_of_records_holds_for_a_snapshot_in_parts()
    {
        var peers = new GuardedPeers();
        Peer writer = peers.AddWriter("writer", new SessionLimits { RecordsMax = 70 }), hub = peers.Hub;
        hub.Write(data => Fill(data, "k", 60));
        peers.Sync(writer);
        writer.Write(static data => Fill(data, "more", 40));
        writer.Write(static data => data["gone"] = 1);
        writer.Write(static data => data.Delete("gone"));
        writer.Data.ForgetDeletes(writer.Data.Version);
        peers.Sync(writer, partBytes: PartBytes);
        Assert.Equal(70, hub.Data.Count);
        Assert.Equal(70, writer.Data.Count);
        Assert.Equal(30, writer.Data.Refused.Count);
    }

    [Fact]
    public void A_denied_value_cannot_hide_beneath_the_one_that_reads()
    {
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), hub = peers.Hub;
        reader.Write(static data => data["gold"] = 9);
        hub.Write(static data => data["gold"] = 1);
        peers.Sync(reader);
        Assert.Equal(1, hub.Values);
        Assert.Equal(1, reader.Values);
        Assert.Equal(9, Assert.Single(reader.Data.Refused).Value);
        hub.Write(static data => data.Delete("gold"));
        peers.Sync(reader);
        Assert.True(reader.Data["gold"].IsMissing);
    }

    [Fact]
    public void Denied_additions_that_cancel_out_are_denied()
    {
        var peers = new GuardedPeers();
        Peer one = peers.AddReader("one"), two = new GuardedPeers(9).Hub, hub = peers.Hub;
        two.Write(static data => data.Counter("gems").Add(5));
        peers.Meet(one, two);
        one.Write(static data => data.Counter("gems").Add(-5));
        peers.Sync(one);
        Assert.Equal(0, hub.Values);
        Assert.Equal(0, one.Values);
    }

    [Fact]
    public void A_value_that_is_the_same_is_denied_too_and_outlives_no_delete()
    {
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), writer = peers.AddWriter("writer"), hub = peers.Hub;
        hub.Write(static data => data["gold"] = 1);
        peers.Sync(reader);
        peers.Sync(writer);
        reader.Write(static data => data["gold"] = 1);
        writer.Write(static data => data.Delete("gold"));
        peers.Sync(reader);
        Assert.Single(reader.Data.Refused);
        peers.Sync(writer);
        Assert.True(hub.Data["gold"].IsMissing);
        peers.Sync(reader);
        Assert.True(reader.Data["gold"].IsMissing);
    }

    [Fact]
    public void A_refused_write_that_was_taken_back_does_not_outlive_a_delete()
    {
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), writer = peers.AddWriter("writer"), hub = peers.Hub;
        hub.Write(static data =>
        {
            data["gold"] = 1;
            data.Set("badges").Add("first");
        });
        peers.Sync(reader);
        peers.Sync(writer);
        reader.Write(static data =>
        {
            data["gold"] = 9;
            data.Set("badges").Remove("first");
        });
        peers.Sync(reader);
        Assert.Equal(1, reader.Data["gold"]);
        Assert.True(reader.Data.Set("badges").Contains("first"));
        Assert.Equal(2, reader.Data.Refused.Count);
        writer.Write(static data =>
        {
            data.Delete("gold");
            data.Set("badges").Remove("first");
        });
        peers.Sync(writer);
        Assert.Equal(0, hub.Data.Count);
        peers.Sync(reader);
        Assert.Equal(0, reader.Data.Count);
    }

    [Fact]
    public void A_refused_reset_of_a_counter_counts_nothing_twice()
    {
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), writer = peers.AddWriter("writer"), hub = peers.Hub;
        hub.Write(static data => data.Counter("gems").Add(3));
        writer.Write(static data => data.Counter("gems").Add(4));
        peers.Sync(writer);
        peers.Sync(reader);
        reader.Write(static data => data.Counter("gems").Reset());
        writer.Write(static data => data.Counter("gems").Add(5));
        peers.Sync(reader);
        Assert.Equal(7, reader.Data.Counter("gems").Value);
        peers.Sync(writer);
        Assert.Equal(12, hub.Data.Counter("gems").Value);
        peers.Sync(reader);
        Assert.Equal(12, reader.Data.Counter("gems").Value);
    }

    [Fact]
    public void What_others_wrote_stays_when_a_write_is_taken_back()
    {
        var peers = new GuardedPeers();
        var limits = new SessionLimits { ValueBytesMax = 100 };
        Peer one = peers.AddWriter("one", limits), two = peers.AddWriter("two", limits), hub = peers.Hub;
        two.Write(static data => data["note"] = "short");
        one.Write(static data => data["note"] = new string('x', 500));
        peers.Sync(two);

        // Both stand at the device, and only its own one is refused.
        peers.Sync(one, messages: 8);
        peers.Sync(one);
        Assert.Equal("short", hub.Data["note"]);
        Assert.Equal("short", one.Data["note"]);
        Assert.Equal(1, one.Values);
        Assert.Single(one.Data.Refused);
        Assert.Equal(hub.Data.Digest, one.Data.Digest);
    }

    [Fact]
    public void An_addition_passes_beside_one_of_a_revoked_device()
    {
        var peers = new GuardedPeers();
        Peer revoked = peers.AddWriter("revoked"), hub = peers.Hub;
        revoked.Write(static data => data.Counter("coins").Add(1));
        peers.Sync(revoked);
        long fence = revoked.Data.Version[revoked.Data.ReplicaId];
        Peer phone = peers.Add("phone", new SessionAccess
        {
            Allows = static (_, _) => true, Fence = replica => revoked.Replicas.Contains(replica) ? fence : null,
        });
        revoked.Write(static data => data.Counter("coins").Add(100));
        phone.Write(static data => data.Counter("coins").Add(5));
        peers.Meet(phone, revoked);
        Assert.Equal(106, phone.Data.Counter("coins").Value);
        peers.Sync(phone);
        Assert.Equal(6, hub.Data.Counter("coins").Value);
        Assert.Equal(6, phone.Data.Counter("coins").Value);
        Assert.Equal(101, Assert.Single(phone.Data.Refused).Value);
        Assert.Equal(hub.Data.Digest, phone.Data.Digest);
    }

    [Fact]
    public void A_write_passes_beside_a_refused_one_and_what_it_had_superseded_stays_gone()
    {
        var peers = new GuardedPeers();
        var limits = new SessionLimits { ValueBytesMax = 100 };
        Peer one = peers.AddWriter("one", limits), two = peers.AddWriter("two", limits), hub = peers.Hub;
        hub.Write(static data => data["note"] = "old");
        peers.Sync(one);
        one.Write(static data => data["note"] = "new");
        two.Write(static data => data["note"] = new string('x', 500));
        peers.Meet(one, two);
        peers.Sync(one);
        Assert.Equal(("new", "new"), (hub.Data["note"].AsString(), one.Data["note"].AsString()));
        Assert.Equal((1, 1), (hub.Values, one.Values));
        Assert.Equal(500, Assert.Single(one.Data.Refused).Value.AsString().Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_refused_write_had_superseded_comes_back_beside_one_that_may_not_have_seen_it(bool isOwn)
    {
        var peers = new GuardedPeers();
        var limits = new SessionLimits { ValueBytesMax = 100 };
        Peer one = peers.AddWriter("one", limits), two = peers.AddWriter("two", limits), hub = peers.Hub;
        hub.Write(static data => data["note"] = "old");
        peers.Sync(one);
        one.Write(static data => data["note"] = new string('x', 500));
        two.Write(static data => data["note"] = "new");
        peers.Meet(one, two);
        peers.Sync(isOwn ? one : two);
        Assert.Equal("new", hub.Data["note"]);
        Assert.Equal("old", Assert.Single(Assert.Single(hub.Data.Conflicts).Losers).Value);
        Assert.Single((isOwn ? one : two).Data.Refused);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_delete_that_took_a_write_back_supersedes_nothing_else(bool isOwn)
    {
        const int CutsMax = 40;
        var peers = new GuardedPeers();
        var limits = new SessionLimits { ValueBytesMax = 100 };
        Peer one = peers.AddWriter("one", limits), two = peers.AddWriter("two", limits), hub = peers.Hub;
        Peer three = peers.AddWriter("three", limits);
        one.Write(static data => data["note"] = "old");
        foreach (Peer device in peers.Devices) peers.Sync(device);

        // The hub does not get the delete yet.
        one.Write(static data => data["note"] = new string('x', 500));
        for (int cut = 1; one.Data.Refused.Count == 0 && cut < CutsMax; cut++) peers.Sync(one, cut);
        Assert.False(one.Data.Version.IsAtMost(hub.Data.Version));
        if (!isOwn) peers.Meet(three, one);
        two.Write(static data => data["note"] = new string('y', 500));
        Peer relay = isOwn ? one : three;
        peers.Meet(relay, two);
        peers.Sync(relay);
        Assert.Equal("old", hub.Data["note"]);
        Assert.Equal("old", relay.Data["note"]);
    }

    [Fact]
    public void What_is_deleted_and_forgotten_without_leave_comes_back()
    {
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), hub = peers.Hub;
        hub.Write(data => Fill(data, "k", 5));
        hub.Write(static data => data.Map("m")["f"] = 1);
        peers.Sync(reader);
        reader.Write(static data =>
        {
            data.Delete("k1");
            data.Map("m").Remove("f");
        });
        reader.Data.ForgetDeletes(reader.Data.Version);
        peers.Sync(reader);
        Assert.Equal(6, hub.Data.Count);
        Assert.Equal(6, reader.Data.Count);
        Assert.Equal(hub.Data.Digest, reader.Data.Digest);
        Assert.Equal(hub.Data.Version, reader.Data.Version);
        hub.Write(static data => data["k1"] = "news");
        peers.Sync(reader);
        Assert.Equal("news", reader.Data["k1"]);
    }

    [Fact]
    public void A_refusal_is_told_a_megabyte_at_a_time()
    {
        const int Count = 40;
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), hub = peers.Hub;
        hub.Write(static data =>
        {
            for (int i = 0; i < Count; i++) data["k" + i] = new byte[100_000];
        });
        peers.Sync(reader);
        reader.Write(static data =>
        {
            for (int i = 0; i < Count; i++) data["k" + i] = i;
        });
        peers.Sync(reader);
        Assert.Equal(Count, reader.Data.Refused.Count);
        Assert.Equal(hub.Data.Digest, reader.Data.Digest);
        Assert.InRange(peers.LargestTold, 100_000, 1_300_000);
    }

    [Fact]
    public void Refusals_do_not_pile_up_in_the_hubs_memory()
    {
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), hub = peers.Hub;
        byte[] large = new byte[100_000];
        for (int i = 0; i < 50; i++)
        {
            reader.Write(data => data.Map(new string('m', 3000) + i)["f"] = large);
            peers.Sync(reader);
            reader.Data.ForgetDeletes(reader.Data.Version);
            hub.Data.ForgetDeletes(hub.Data.Version);
        }

        Assert.Equal(0, hub.Data.Count);
        Assert.InRange(hub.Data.State.Table.Slab.UsedBytes, 0, 200_000);
    }

    [Fact]
    public void Refusals_of_which_the_device_never_hears_do_not_pile_up_either()
    {
        const int Attempts = 100, KeyLength = 3000, CutsMax = 40;
        int refusal = 0;
        for (bool isTold = false; !isTold; isTold = SendRefused(++refusal, 1).Data.Refused.Count > 0)
            Assert.InRange(refusal, 0, CutsMax);
        Peer hub = SendRefused(refusal - 1, Attempts);
        Assert.Empty(hub.Data.Version);
        Assert.InRange(hub.Data.State.Table.Slab.UsedBytes, 0, Attempts * KeyLength / 2);

        // Gives the device where it sends once, else the hub.
        static Peer SendRefused(int cut, int attempts)
        {
            var peers = new GuardedPeers();
            Peer reader = peers.AddReader("reader");
            reader.Write(static data => data.Map(new string('m', KeyLength))["f"] = 1);
            for (int i = 0; i < attempts; i++) peers.Sync(reader, cut);
            return attempts == 1 ? reader : peers.Hub;
        }
    }

    [Fact]
    public void A_key_that_is_too_long_stays_out_also_the_second_time()
    {
        var peers = new GuardedPeers();
        Peer writer = peers.AddWriter("writer", new SessionLimits { KeyBytesMax = 20 }), hub = peers.Hub;
        for (int i = 1; i <= 2; i++)
        {
            writer.Write(static data => data[new string('k', 30)] = 1);
            peers.Sync(writer);
            Assert.Equal(0, hub.Data.Count);
            Assert.Equal(i, writer.Data.Refused.Count);
        }
    }

    private static void Fill(Dataset data, string prefix, int count)
    {
        for (int i = 0; i < count; i++) data[prefix + i] = $"a value of a few words, the {i}th";
    }
}
