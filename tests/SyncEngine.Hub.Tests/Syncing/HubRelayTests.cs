using SyncEngine.Hub.Syncing;
using Xunit;
using Peer = SyncEngine.Hub.Tests.Syncing.GuardedPeers.Peer;

namespace SyncEngine.Hub.Tests.Syncing;

/// <summary>Whose changes the guard takes from whom: a reader's and, where a pool allows no relays, a writer's.</summary>
public sealed class HubRelayTests
{
    [Fact]
    public void A_reader_neither_takes_back_nor_uses_up_what_another_device_may_write()
    {
        var peers = new GuardedPeers();
        Peer reader = peers.AddReader("reader"), writer = peers.AddWriter("writer"), hub = peers.Hub;
        writer.Write(static data => data["gold"] = 5);
        peers.Meet(reader, writer);
        peers.Sync(reader);
        Assert.Contains(GuardedPeers.Name, peers.Refusals);
        Assert.Empty(hub.Data.Version);
        Assert.Equal(5, reader.Data["gold"]);

        // Neither does a frame without cells, which only claims to have seen what the writer wrote.
        reader.Write(static data => data.Delete("gold"));
        reader.Data.ForgetDeletes(reader.Data.Version);
        Assert.Equal(0, reader.Values);
        peers.Sync(reader);
        Assert.Contains(GuardedPeers.Name, peers.Refusals);
        Assert.Empty(hub.Data.Version);
        peers.Sync(writer);
        Assert.Equal(5, hub.Data["gold"]);
        peers.Sync(reader);
        Assert.Equal(5, reader.Data["gold"]);
        peers.Sync(reader);
        Assert.Empty(peers.Refusals);
    }

    [Fact]
    public void Where_relays_are_off_a_writer_does_not_use_up_another_devices_counters()
    {
        var peers = new GuardedPeers();
        Peer one = peers.AddWriter("one", takesRelays: false), two = peers.AddWriter("two", takesRelays: false), hub = peers.Hub;
        two.Write(static data => data["gold"] = 5);
        peers.Meet(one, two);
        one.Write(static data => data["gold"] = 6);
        peers.Sync(one);
        Assert.Empty(hub.Data.Version);
        peers.Sync(two);
        peers.Sync(one);
        Assert.Equal(6, hub.Data["gold"]);
        Assert.Empty(one.Data.Refused);
    }

    [Fact]
    public void Where_relays_are_off_devices_that_met_go_on_once_each_has_come()
    {
        var peers = new GuardedPeers();
        Peer[] devices = [.. Enumerable.Range(0, 3).Select(i => peers.AddWriter("d" + i, takesRelays: false))];
        foreach (Peer device in devices) device.Write(data => data["of " + device.Name] = 1);
        foreach (Peer device in devices) device.Write(data => data.Counter("coins").Add(1));
        for (int i = 0; i < 3; i++) peers.Meet(devices[i], devices[(i + 1) % 3]);

        // What another one wrote and what they wrote over is among it.
        devices[0].Write(static data => data["of d1"] = 2);
        devices[1].Write(static data => data["of d1"] = 3);
        foreach (Peer device in devices)
        {
            peers.Sync(device);
            Assert.Empty(device.Data.Refused);
            Assert.Equal(device != devices[2], peers.Refusals.ContainsKey(GuardedPeers.Name));
        }

        foreach (Peer device in devices.Concat(devices)) peers.Sync(device);
        Assert.Empty(peers.Refusals);
        Assert.Equal(3, peers.Hub.Data.Counter("coins").Value);
        Assert.Equal(4, peers.Hub.Data.Count);
        Assert.Equal(3, peers.Hub.Data["of d1"]);
        Assert.All(devices, device => Assert.Equal(peers.Hub.Data.Digest, device.Data.Digest));
        Assert.All(devices, static device => Assert.Empty(device.Data.Refused));
    }

    [Fact]
    public void Where_relays_are_off_a_device_that_never_comes_again_is_revoked()
    {
        var peers = new GuardedPeers();
        Peer lost = peers.AddWriter("lost", takesRelays: false);
        Peer phone = peers.Add("phone", new SessionAccess
        {
            Allows = static (_, _) => true, TakesRelays = false, Fence = replica => lost.Replicas.Contains(replica) ? 0 : null,
        });
        lost.Write(static data => data["theirs"] = 1);
        phone.Write(static data => data["mine"] = 2);
        peers.Meet(phone, lost);
        peers.Sync(phone);
        Assert.Equal(2, peers.Hub.Data["mine"]);
        Assert.Equal(1, Assert.Single(phone.Data.Refused).Value);
        Assert.Equal(peers.Hub.Data.Digest, phone.Data.Digest);
    }

    [Fact]
    public async Task Where_relays_are_off_what_a_device_attests_to_cannot_be_forged()
    {
        // The same device twice: what it writes has the same dots.
        var peers = new GuardedPeers();
        var others = new GuardedPeers();
        Peer one = peers.AddWriter("one", takesRelays: false), two = peers.AddWriter("two", takesRelays: false), hub = peers.Hub;
        others.AddWriter("one");
        Peer twin = others.AddWriter("two");
        two.Write(static data => data["gold"] = 5);
        twin.Write(static data => data["gold"] = 500);
        one.Write(static data => data["mine"] = 1);
        two.Data.Join(await one.Data.SnapshotAsync());
        one.Data.Join(await twin.Data.SnapshotAsync());
        Assert.Equal(two.Data.Version, one.Data.Version);
        peers.Sync(two);
        peers.Sync(one);
        Assert.Contains(GuardedPeers.Name, peers.Refusals);
        Assert.Empty(hub.Data.Version);

        // Nor may anybody bring more than was attested.
        two.Write(static data => data["gold"] = 6);
        Peer three = peers.AddWriter("three", takesRelays: false);
        three.Data.Join(await two.Data.SnapshotAsync());
        peers.Sync(three);
        Assert.Contains(GuardedPeers.Name, peers.Refusals);
        Assert.Empty(hub.Data.Version);
        peers.Sync(two);
        Assert.Empty(peers.Refusals);
        Assert.Equal(6, hub.Data["gold"]);
    }
}
