using System.Text;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Values;
using Xunit;
using Peer = SyncEngine.Hub.Tests.Syncing.GuardedPeers.Peer;

namespace SyncEngine.Hub.Tests.Syncing;

/// <summary>
/// One random history of two writers, two readers and a hub, with a model beside it: each write has a text of its own and
/// supersedes what stood in its cell where it was made. At the end the hub must read exactly the allowed writes that no
/// allowed write superseded. Readers write texts of their own, and one text in eight of a writer's is longer than the limit.
/// </summary>
internal sealed class GuardedHistory
{
    private const int TextMax = 40, RoundsMax = 12;
    private readonly Random _random;
    private readonly GuardedPeers _peers;
    private readonly Dictionary<string, Made> _byText = new(StringComparer.Ordinal);
    private readonly Dictionary<Dot, Made> _byDot = [];
    private readonly List<Peer> _readers, _writers;
    private readonly bool _hasParts;
    private long _total;
    private int _next;

    private GuardedHistory(int seed)
    {
        (_random, _peers) = (new Random(seed), new GuardedPeers((ulong)seed + 1));
        var limits = new SessionLimits { ValueBytesMax = TextMax };
        _writers = [_peers.AddWriter("w1", limits), _peers.AddWriter("w2", limits)];
        _readers = [_peers.AddReader("r1"), _peers.AddReader("r2")];
        _hasParts = seed % 3 == 0;
    }

    /// <summary>Plays one history.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">A rule was broken.</exception>
    public static void Play(int seed) => new GuardedHistory(seed).Play();

    private void Play()
    {
        for (int step = _random.Next(20, 90); step > 0; step--)
        {
            Step();
            AssertNothingDenied();
        }

        for (int round = 0; round < RoundsMax && !AreAllEqual(); round++)
            foreach (Peer device in _peers.Devices) Sync(device, int.MaxValue);
        AssertNothingDenied();
        if (!AreAllEqual()) Assert.Fail("They do not come to the same. " + string.Join("; ", _peers.Devices.Append(_peers.Hub)
            .Select(static peer => $"{peer.Name} {string.Join(' ', peer.Data.Version)} {peer.Data.Digest:x}: "
                + string.Join(',', AllTexts(peer)) + " c " + peer.Data.Counter("c").Value)));
        AssertHubReadsWhatIsAllowed();
        AssertRefusedIsKept();
    }

    private void Step()
    {
        Peer device = _peers.Devices[_random.Next(_peers.Devices.Count)];
        switch (_random.Next(12))
        {
            case 0 or 1 or 2 or 3: Write(device); break;
            case 4: Write(_peers.Hub); break;
            case 5: _peers.Meet(_readers[0], _readers[1], Cut()); break;
            case 6:
                _peers.Meet(_writers[0], _writers[1], Cut());
                NoteHandedOn();
                break;
            case 7: HandOn(_writers[_random.Next(2)], _readers[_random.Next(2)]); break;
            case 8 when _random.Next(3) == 0: device.Data.ForgetDeletes(device.Data.Version); break;
            case 9 when _random.Next(3) == 0:
                _peers.Hub.Data.ForgetDeletesThrough(_random.NextInt64(_peers.Hub.Data.Revision + 1));
                break;
            default: Sync(device, Cut()); break;
        }
    }

    private int Cut() => _random.Next(4) == 0 ? _random.Next(14) : int.MaxValue;

    private void Sync(Peer device, int messages) => _peers.Sync(device, messages, _hasParts ? 60 : 256 * 1024);

    /// <summary>One way alone: a writer that got a reader's write might bring it to the hub.</summary>
    private static void HandOn(Peer writer, Peer reader)
    {
        if (writer.Data.Version.Count == 0) return;
        reader.Data.Join(writer.Data.DeltaAsync(reader.Data.Version).AsTask().Result);
    }

    /// <summary>Until a writer that got another one's refused write has healed, it may write over what that had replaced without
    /// having it.</summary>
    private void NoteHandedOn()
    {
        foreach (string text in _writers.SelectMany(AllTexts))
        {
            if (!_byText[text].IsDenied) continue;
            foreach (Made old in _byText[text].Superseded) old.MayBeLost = true;
        }
    }

    private void Write(Peer peer)
    {
        bool isReader = _readers.Contains(peer), isLong = _writers.Contains(peer) && _random.Next(8) == 0;
        string key = "k" + _random.Next(4), field = "f" + _random.Next(3);
        string text = $"{peer.Name} {_next++}" + (isLong ? new string('x', TextMax) : "");
        bool isDelete = _random.Next(4) == 0;
        switch (_random.Next(4))
        {
            case 0:
                long amount = _random.Next(1, 9);
                if (isReader && isDelete) peer.Write(static data => data.Counter("c").Reset());
                else peer.Write(data => data.Counter("c").Add(amount));
                if (!isReader) _total += amount;
                return;
            case 1:
                Make(peer, CellKind.MapField, "m", field, isReader || (isLong && !isDelete), isDelete ? null : text, data =>
                {
                    if (isDelete) data.Map("m").Remove(field);
                    else data.Map("m")[field] = text;
                });
                return;
            default:
                Make(peer, CellKind.Register, key, null, isReader || (isLong && !isDelete), isDelete ? null : text, data =>
                {
                    if (isDelete) data.Delete(key);
                    else data[key] = text;
                });
                return;
        }
    }

    private void Make(
        Peer peer, CellKind kind, string key, string? field, bool isDenied, string? text, Action<Dataset> write)
    {
        List<(Dot Dot, string? Text)> before = Entries(peer, kind, key, field);
        var made = new Made(text, isDenied, _writers.Contains(peer));
        foreach ((Dot dot, string? seen) in before)
        {
            if (Find(dot, seen) is not { } old) continue;
            made.Superseded.Add(old);

            // Who writes over a denied write that it saw has seen what that had superseded.
            if (old.IsDenied) made.Superseded.UnionWith(old.Superseded);
        }

        peer.Write(write);
        List<(Dot Dot, string? Text)> after = Entries(peer, kind, key, field);
        if (after.Count != 1 || before.Exists(entry => entry.Dot == after[0].Dot)) return;
        _byDot[after[0].Dot] = made;
        if (text is not null) _byText[text] = made;
        if (isDenied && made.IsOfWriter)
        {
            // What had not come to the hub when a refused write replaced it is nowhere any more but in its own device.
            HashSet<string?> there = [.. Entries(_peers.Hub, kind, key, field).Select(static entry => entry.Text)];
            foreach (Made old in made.Superseded.Where(old => !there.Contains(old.Text))) old.MayBeLost = true;

            // So does what such a write had replaced come back. And where the refused write was handed on, what it had replaced
            // comes back by healing, as a write of its own.
            foreach (Made old in made.Superseded) old.NoteReturn();
        }
    }

    private Made? Find(Dot dot, string? text) => text is null ? _byDot.GetValueOrDefault(dot) : _byText.GetValueOrDefault(text);

    private void AssertNothingDenied()
    {
        CellState state = _peers.Hub.Data.State;
        for (int cell = 0; cell < state.Table.Bound; cell++)
        {
            if (!state.Table.IsInUse(cell) || CellKinds.IsHeader(state.Table[cell].Kind)) continue;
            foreach (EntryData entry in state.EntriesOf(cell))
            {
                if (entry.IsDeleted) continue;
                Assert.DoesNotContain(_readers, reader => reader.Replicas.Contains(state.Replicas.Id(entry.Replica)));
                if (state.Table[cell].Kind == CellKind.Counter) continue;
                string text = state.Table.ValueOf(entry).AsString();
                Assert.False(_byText[text].IsDenied, $"The hub holds {text}.");
            }
        }
    }

    private bool AreAllEqual() => _peers.Devices.All(device => device.Data.Digest == _peers.Hub.Data.Digest
        && device.Data.Version.Equals(_peers.Hub.Data.Version));

    private void AssertHubReadsWhatIsAllowed()
    {
        var superseded = new HashSet<Made>(_byDot.Values.Concat(_byText.Values).Where(static made => !made.IsDenied)
            .SelectMany(static made => made.Superseded));
        HashSet<string> expected = [.. _byText.Values.Where(made => !made.IsDenied && !superseded.Contains(made))
            .Select(static made => made.Text!)];
        HashSet<string> held = [.. AllTexts(_peers.Hub)];
        HashSet<string> refused = [.. _peers.Devices.SelectMany(static device => device.Data.Refused)
            .Where(static write => write.Value.Kind == ValueKind.String).Select(static write => write.Value.AsString())];
        foreach (string text in held)
        {
            Made made = _byText[text];
            Assert.True(expected.Contains(text) || made.MayReturn, $"{text} was superseded and is back.");
        }

        foreach (string text in expected)
            Assert.True(held.Contains(text) || refused.Contains(text) || _byText[text].MayBeLost, $"{text} is lost.");
        Assert.Equal(_total, _peers.Hub.Data.Counter("c").Value);
    }

    private void AssertRefusedIsKept()
    {
        var superseded = new HashSet<Made>(_byDot.Values.Concat(_byText.Values).SelectMany(static made => made.Superseded));
        HashSet<string> refused = [.. _peers.Devices.SelectMany(static device => device.Data.Refused)
            .Where(static write => write.Value.Kind == ValueKind.String).Select(static write => write.Value.AsString())];
        foreach (Made made in _byText.Values)
            if (made.IsDenied && !superseded.Contains(made)) Assert.Contains(made.Text!, refused);
    }

    private static IEnumerable<string> AllTexts(Peer peer)
    {
        CellState state = peer.Data.State;
        for (int cell = 0; cell < state.Table.Bound; cell++)
        {
            if (!state.Table.IsInUse(cell) || state.Table[cell].Kind is not (CellKind.Register or CellKind.MapField)) continue;
            foreach (EntryData entry in state.EntriesOf(cell))
                if (!entry.IsDeleted) yield return state.Table.ValueOf(entry).AsString();
        }
    }

    private static List<(Dot Dot, string? Text)> Entries(Peer peer, CellKind kind, string key, string? field)
    {
        CellState state = peer.Data.State;
        int owner = 0;
        string text = key;
        if (field is not null)
        {
            if (state.Table.FindContainer(CellKinds.RecordOf(kind), Encoding.UTF8.GetBytes(key)) is not { } map) return [];
            (owner, text) = (map.Number + 1, field);
        }

        int cell = state.Table.Find(kind, owner, Encoding.UTF8.GetBytes(text));
        var entries = new List<(Dot, string?)>();
        if (cell < 0) return entries;
        foreach (EntryData entry in state.EntriesOf(cell))
        {
            entries.Add((new Dot(state.Replicas.Id(entry.Replica), entry.Counter),
                entry.IsDeleted ? null : state.Table.ValueOf(entry).AsString()));
        }

        return entries;
    }

    /// <summary>One write of the history.</summary>
    private sealed class Made(string? text, bool isDenied, bool isOfWriter)
    {
        public string? Text => text;

        public bool IsDenied => isDenied;

        public bool IsOfWriter => isOfWriter;

        public bool MayBeLost { get; set; }

        public bool MayReturn { get; private set; }

        public HashSet<Made> Superseded { get; } = [];

        public void NoteReturn()
        {
            if (MayReturn) return;
            MayReturn = true;
            foreach (Made old in Superseded) old.NoteReturn();
        }
    }
}
