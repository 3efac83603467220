using MessagePack;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Sync;
using SyncEngine.Tests.Laws;
using SyncEngine.Tests.Simulation;
using SyncEngine.Wire;

namespace SyncEngine.Tests.Wire;

/// <summary>
/// Frames and messages of every type, each mutated, some with the checksum made right again: each is refused by a
/// SyncException and changes nothing, or is another good frame and joins as such.
/// </summary>
public static class FrameSoak
{
    private const int TrialsAScene = 4000;
    private const long AllocatedBytesMax = 8 << 20;

    /// <summary>Runs a number of mutations; returns what went wrong.</summary>
    public static IReadOnlyList<string> Run(int seed, int count, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var failures = new List<string>();
        int joined = 0, accepted = 0;
        for (int done = 0; done < count && failures.Count < 10; done += TrialsAScene)
        {
            var scene = new Scene(seed + (done / TrialsAScene));
            for (int i = 0; i < Math.Min(TrialsAScene, count - done); i++)
                if (scene.Try() is { } fault) failures.Add($"seed {seed}, mutation {done + i}: {fault}");
            (joined, accepted) = (joined + scene.Joined, accepted + scene.Accepted);
            scene.Dispose();
            if (done / TrialsAScene % 25 == 24)
                log($"{done + TrialsAScene} mutations: {joined} joined, {accepted} taken as messages, the others refused");
        }

        failures.ForEach(log);
        log($"{joined} joined, {accepted} taken as messages, {failures.Count} failures");
        return failures;
    }

    /// <summary>A receiver in some state, and what an honest peer sends it.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly Random _random;
        private readonly List<byte[]> _frames = [];
        private readonly List<byte[]> _messages = [];
        private readonly byte[] _hello;
        private readonly byte[] _own;
        private readonly SyncStore _sender = SyncStore.OpenInMemory();
        private SyncStore _receiver = SyncStore.OpenInMemory();
        private SyncSession? _session;
        private string _before = "";

        public Scene(int seed)
        {
            _random = new Random(seed);
            Dataset there = _sender.Identity.Dataset("save"), here = _receiver.Identity.Dataset("save");
            Fill(here, "k");
            there.Join(here.SnapshotAsync().AsTask().Result);
            VersionVector common = here.Version;
            _own = here.SnapshotAsync().AsTask().Result;
            Fill(there, "kü");
            there.Put("gone", 1);
            there.Delete("gone");
            _frames.Add(there.DeltaAsync(common).AsTask().Result);
            _frames.Add(there.DeltaAsync(common, packs: true).AsTask().Result);
            _frames.Add(there.TryEncodeHealing()!);
            _receiver.AdoptIdentityAsync(_sender.Identity.Id).AsTask().Wait();
            Capture(default);
            Capture(new byte[] { 1, 2, 3 });
            there.ForgetDeletes(there.Version);
            _frames.Add(there.DeltaAsync(common).AsTask().Result);
            _messages.AddRange(_frames);
            _messages.Add(MessageCodec.Write(new RefuseMessage("save", SyncErrorCode.LimitExceeded, "too much")));
            _messages.Add(MessageCodec.WriteFarewell(SyncErrorCode.Malformed, "why"));
            _hello = _messages[0];
            _before = Fingerprint();
        }

        public int Joined { get; private set; }

        public int Accepted { get; private set; }

        public void Dispose()
        {
            _session?.Dispose();
            _sender.Dispose();
            _receiver.Dispose();
        }

        /// <summary>Tries one mutation; null if all is well.</summary>
        public string? Try()
        {
            bool isMessage = _random.Next(2) == 0;
            List<byte[]> pool = isMessage ? _messages : _frames;
            byte[] original = pool[_random.Next(pool.Count)], mutated = Mutate(original);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            bool refused = false;
            try
            {
                if (isMessage) Receive(mutated);
                else Joined += _receiver.Identity.Dataset("save").Join(mutated).Outcome != JoinOutcome.Gap ? 1 : 0;
            }
            catch (SyncException)
            {
                refused = true;
                if (isMessage && !HasFarewell()) return Named("refused without a farewell", mutated);
            }
            catch (Exception e)
            {
                return Named(e.ToString(), mutated);
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            if (allocated > AllocatedBytesMax) return Named($"{allocated} bytes were allocated", mutated);
            if (isMessage && !refused) Accepted++;
            string now = Fingerprint();
            if (now == _before) return null;
            if (refused) return Named($"refused, and yet changed from {_before} to {now}", mutated);
            try
            {
                CellReader.AssertFiguresAreRight(_receiver.Identity.Dataset("save"));
                KindOperations.Read(_receiver.Identity.Dataset("save"));
            }
            catch (Exception e)
            {
                return Named(e.ToString(), mutated);
            }

            Renew();
            return null;
        }

        private static string Named(string what, byte[] mutated) => $"{what}\n{Convert.ToHexString(mutated)}";

        private void Fill(Dataset dataset, string key)
        {
            foreach (KindOperations operations in KindOperations.All)
                for (int i = 0; i < 3; i++) operations.Operate(dataset, key + (i % 2), _random);
        }

        /// <summary>What an honest session says, its first sync in parts.</summary>
        private void Capture(ReadOnlyMemory<byte> secret)
        {
            using SyncStore empty = SyncStore.OpenInMemory();
            empty.AdoptIdentityAsync(_sender.Identity.Id).AsTask().Wait();
            using var sender = new SyncSession(
                _sender.Identity, new SessionOptions { IsInitiator = true, PartBytes = 60, Secret = secret });
            using var other = new SyncSession(empty.Identity, new SessionOptions { Secret = secret });
            for (int i = 0; i < 40; i++)
            {
                while (sender.TryTake(out ReadOnlyMemory<byte> message))
                {
                    _messages.Add(message.ToArray());
                    other.Receive(message.ToArray());
                }

                // The receiver's answers are messages of the same kinds, but for its hello.
                while (other.TryTake(out ReadOnlyMemory<byte> message))
                {
                    if (message.Span[2] != 7) _messages.Add(message.ToArray());
                    sender.Receive(message.ToArray());
                }
            }
        }

        private void Receive(byte[] message)
        {
            if (_session is null)
            {
                _session = new SyncSession(_receiver.Identity, new SessionOptions { PartBytes = 60 });
                if (_random.Next(4) > 0) _session.Receive(_hello);
            }

            _session.Receive(message);
            for (int i = 0; i < 100 && _session.TryTake(out _); i++)
            {
            }

            if (_session.Progress.IsPeerGone || _random.Next(8) == 0) EndSession();
        }

        private bool HasFarewell()
        {
            bool has = false;
            while (_session!.TryTake(out ReadOnlyMemory<byte> message)) has = message.Span[2] == (byte)FrameType.Farewell;
            EndSession();
            return has;
        }

        private void EndSession()
        {
            _session?.Dispose();
            _session = null;
        }

        /// <summary>All that a refused frame must leave as it was; other datasets may be asked for, but stay empty.</summary>
        private string Fingerprint() => CellReader.Fingerprint(_receiver.Identity.Dataset("save"))
            + string.Join(',', _receiver.Identity.DatasetNames);

        private void Renew()
        {
            EndSession();
            _receiver.Dispose();
            _receiver = SyncStore.OpenInMemory();
            _receiver.AdoptIdentityAsync(_sender.Identity.Id).AsTask().Wait();
            _receiver.Identity.Dataset("save").Join(_own);
            _before = Fingerprint();
        }

        private byte[] Mutate(byte[] original)
        {
            byte[] bytes = [.. original];
            int rounds = 1 + (_random.Next(4) == 0 ? _random.Next(6) : 0);
            for (int i = 0; i < rounds; i++) bytes = MutateOnce(bytes);
            if (_random.Next(4) == 0) return bytes;
            if (_random.Next(3) == 0 && original[2] is 1 or 2 or 5 or 6) return TryOperate(original) ?? bytes;
            return bytes.Length > 12 ? FrameSurgeon.Resealed(bytes) : bytes;
        }

        private byte[] MutateOnce(byte[] bytes)
        {
            if (bytes.Length < 4) return [.. bytes, (byte)_random.Next(256)];
            int at = _random.Next(bytes.Length);
            switch (_random.Next(8))
            {
                case 0: bytes[at] = (byte)_random.Next(256); break;
                case 1: bytes[at] = (byte)(0xC0 + _random.Next(64)); break;
                case 2: bytes.AsSpan(at, Math.Min(_random.Next(1, 9), bytes.Length - at)).Fill(0xFF); break;
                case 3: return bytes[..at];
                case 4: return [.. bytes[..at], (byte)_random.Next(256), .. bytes[at..]];
                case 5: return [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + _random.Next(1, 5))..]];
                case 6:
                    byte[] other = _messages[_random.Next(_messages.Count)];
                    int from = _random.Next(other.Length);
                    other.AsSpan(from, Math.Min(other.Length - from, Math.Min(16, bytes.Length - at))).CopyTo(bytes.AsSpan(at));
                    break;
                default: bytes[at] ^= (byte)(1 << _random.Next(8)); break;
            }

            return bytes;
        }

        /// <summary>Exchanges whole parts of a frame's body or columns for others.</summary>
        private byte[]? TryOperate(byte[] frame)
        {
            try
            {
                return _random.Next(2) == 0
                    ? FrameSurgeon.WithBody(frame, body => Exchange(body))
                    : FrameSurgeon.WithColumns(frame, columns => Exchange(columns));
            }
            catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or InvalidOperationException)
            {
                // A packed body, or one that a part has too few of.
                return null;
            }
        }

        private void Exchange(byte[][] parts)
        {
            int at = _random.Next(parts.Length);
            parts[at] = _random.Next(5) switch
            {
                0 => [0xC0],
                1 => parts[_random.Next(parts.Length)],
                2 => FrameSurgeon.Encode(_random.Next(5), _random.Next(5)),
                3 => FrameSurgeon.Encode(_random.NextInt64() >> _random.Next(64), 1 + _random.Next(40)),
                _ => MutateOnce([.. parts[at]]),
            };
        }
    }
}
