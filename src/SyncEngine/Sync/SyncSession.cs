using System.Security.Cryptography;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Wire;

namespace SyncEngine.Sync;

/// <summary>
/// The protocol's state machine between one identity here and one peer: messages in, messages out; no socket and no timer.
/// Its owner calls it from one thread at a time; only <see cref="Woken"/> comes from any thread. docs/FORMAT.md has the
/// messages.
/// </summary>
internal sealed partial class SyncSession : IDisposable
{
    private const int Protocol = 1;

    /// <summary>Messages that wait for a peer which does not read, beside a few for each dataset.</summary>
    private const int AnswersMax = 1000;

    private readonly Identity _identity;
    private readonly SessionOptions _options;
    private readonly FrameLimits _limits;
    private readonly Queue<byte[]> _control = new();
    private readonly Dictionary<string, SessionChannel> _channels = new(StringComparer.Ordinal);
    private readonly Queue<SessionChannel> _active = new();
    private readonly Queue<Dataset> _advanced = new();
    private readonly byte[] _nonce = new byte[16];
    private readonly IdentityId _told;
    private HelloMessage? _peer;
    private bool _isProven;
    private bool _isOpen;
    private bool _isClosed;
    private bool _ownTold;
    private bool _peerTold;

    public SyncSession(Identity identity, SessionOptions options)
    {
        (_identity, _options, _limits, _told) = (identity, options, identity.FrameLimits, identity.Id);
        identity.Random.Fill(_nonce);
        (_peerClock, _began) = (new CorrectedClock(identity.Time), identity.Time.GetUtcNow());
        _identity.Advanced += OnAdvanced;
        _control.Enqueue(MessageCodec.Write(new HelloMessage(Protocol, _told.ToString(), MayAdopt,
            options.IsInitiator, !options.Secret.IsEmpty, _nonce, _began.ToUnixTimeMilliseconds(),
            options.Datasets)));
    }

    /// <summary>Called on any thread, maybe under a lock, when <see cref="TryTake"/> may have more: only signal in
    /// it.</summary>
    public Action? Woken { get; set; }

    /// <summary>Where the session stands.</summary>
    public SessionProgress Progress { get; } = new();

    private bool MayAdopt => _options.Adopts && !_identity.IsPaired;

    /// <summary>Takes a message of the peer. Nothing of a bad message is applied.</summary>
    /// <exception cref="SyncException">The peer must be cut off: send what <see cref="TryTake"/> still has (the reason, for
    /// the peer's log) and close.</exception>
    public void Receive(ReadOnlyMemory<byte> message)
    {
        if (_isClosed) return;
        Progress.BytesReceived += message.Length;
        try
        {
            Take(FrameReader.Open(message, _limits, mayBePacked: false), message);
            if (_control.Count > AnswersMax + (4 * _channels.Count))
                throw Fault("The peer asks on and on, and reads no answer.");
            UpdateProgress();
        }
        catch (SyncException e)
        {
            Close(e);
            throw;
        }
    }

    /// <summary>The next message to send, if there is one now. Ask again after each message received or sent and after
    /// <see cref="Woken"/>.</summary>
    public bool TryTake(out ReadOnlyMemory<byte> message)
    {
        message = default;
        while (NextAdvanced() is { } dataset)
            if (_isOpen && Wants(dataset.Name)) Activate(SessionChannelOf(dataset));
        byte[]? next = _control.Count > 0 ? _control.Dequeue() : null;
        for (int i = _active.Count; next is null && i > 0 && !_isClosed; i--)
        {
            // In turn, so that a dataset with much to send does not hold up the others.
            SessionChannel channel = _active.Dequeue();
            channel.IsActive = false;
            next = Produce(channel);
            if (next is not null) Activate(channel);
        }

        UpdateProgress();
        if (next is null) return false;
        Progress.BytesSent += next.Length;
        message = next;
        return true;
    }

    /// <summary>Assumes that what was sent and not acknowledged is lost: tells the own versions again and sends anew what the
    /// peer lacks. The owner's timer calls it where acknowledgements stay out.</summary>
    public void Resend()
    {
        if (!_isOpen) return;
        foreach (SessionChannel channel in _channels.Values)
        {
            channel.Sent = channel.Peer;
            channel.DropHeld();
            channel.Transfer?.Rewind();
            if (!channel.IsSettled) TellVersion(channel);
            Activate(channel);
        }

        _control.Enqueue(MessageCodec.WriteTold());
    }

    /// <summary>For each dataset what the peer has for sure.</summary>
    public Dictionary<string, VersionVector> PeerVersions() =>
        _channels.ToDictionary(static channel => channel.Key, static channel => channel.Value.Peer, StringComparer.Ordinal);

    /// <summary>Queues a farewell; after it is sent, close the connection.</summary>
    public void Close(SyncException? reason = null)
    {
        if (_isClosed) return;
        _isClosed = true;
        _control.Clear();
        _control.Enqueue(MessageCodec.WriteFarewell(reason?.Code ?? 0, reason?.Message ?? ""));
    }

    public void Dispose()
    {
        _identity.Advanced -= OnAdvanced;
        foreach (SessionChannel channel in _channels.Values) channel.Dataset.ReleaseTransfer(this);
    }

    private static SyncException Fault(string message) => new(SyncErrorCode.Malformed, message
        + " The connection is closed and nothing of the message was applied.", 0);

    private void Take(OpenedFrame frame, ReadOnlyMemory<byte> message)
    {
        if (frame.Type == FrameType.Farewell) TakeFarewell(frame);
        else if (_peer is null) TakeHello(frame);
        else if (!_isProven) TakeProof(frame);
        else if (frame.Type is FrameType.Delta or FrameType.Snapshot or FrameType.Part) TakeChanges(frame, message);
        else if (frame.Type == FrameType.Heal) TakeHealing(frame, message);
        else if (frame.Type == FrameType.Have) TakeHave(MessageCodec.ReadHave(frame, _limits));
        else if (frame.Type == FrameType.Told) TakeTold();
        else if (frame.Type == FrameType.Acknowledge) TakeAcknowledge(MessageCodec.ReadAcknowledge(frame, _limits));
        else if (frame.Type == FrameType.Refuse) TakeRefuse(MessageCodec.ReadRefuse(frame));
        else if (frame.Type == FrameType.Reject) TakeReject(MessageCodec.ReadReject(frame, _limits));
        else throw Fault($"A message of type {(byte)frame.Type} does not belong here.");
    }

    private void TakeFarewell(OpenedFrame frame)
    {
        (SyncErrorCode code, string reason) = MessageCodec.ReadFarewell(frame);
        (_isClosed, Progress.IsPeerGone) = (true, true);
        if (code != 0) Progress.PeerReason = new SyncException(code, $"The peer closed the connection and says: {reason}");
    }

    private void TakeHello(OpenedFrame frame)
    {
        if (frame.Type != FrameType.Hello) throw Fault("The peer did not say hello first.");
        HelloMessage hello = MessageCodec.ReadHello(frame);
        if (hello.Protocol != Protocol)
            throw new SyncException(SyncErrorCode.UnsupportedVersion,
                $"The peer speaks protocol {hello.Protocol}, this build {Protocol}. Update the older side.");
        if (hello.IsInitiator == _options.IsInitiator)
            throw Fault("Both sides claim the same end of the connection.");
        if (hello.NeedsProof == _options.Secret.IsEmpty)
            throw new SyncException(SyncErrorCode.Unauthorized,
                "One side asks for a shared secret and the other has none. Give both the same.");
        _peer = hello;
        LearnTime(hello.UnixMilliseconds);
        if (_options.Secret.IsEmpty) Open();
        else if (_options.IsInitiator) _control.Enqueue(MessageCodec.WriteProof(ProofOf(isInitiator: true)));
    }

    /// <summary>The initiator proves first, so that nobody gets the other side's proof by just connecting.</summary>
    private void TakeProof(OpenedFrame frame)
    {
        if (frame.Type != FrameType.Proof) throw Fault("The peer did not prove the shared secret.");
        if (!CryptographicOperations.FixedTimeEquals(MessageCodec.ReadProof(frame), ProofOf(!_options.IsInitiator)))
            throw new SyncException(SyncErrorCode.Unauthorized, "The two sides do not have the same shared secret.");
        if (!_options.IsInitiator) _control.Enqueue(MessageCodec.WriteProof(ProofOf(isInitiator: false)));
        Open();
    }

    private byte[] ProofOf(bool isInitiator)
    {
        using var hmac = new HMACSHA256(_options.Secret.ToArray());
        byte[] theirs = _peer!.Nonce;
        byte[] identity = System.Text.Encoding.UTF8.GetBytes(
            isInitiator == _options.IsInitiator ? _identity.Id.ToString() : _peer.Identity);
        byte[] initiator = _options.IsInitiator ? _nonce : theirs, responder = _options.IsInitiator ? theirs : _nonce;
        return hmac.ComputeHash([(byte)(isInitiator ? 1 : 2), .. _options.ChannelBinding.ToArray(), .. initiator,
            .. responder, .. identity]);
    }

    private void Open()
    {
        IdentityId theirs;
        try
        {
            theirs = IdentityId.Parse(_peer!.Identity);
        }
        catch (FormatException)
        {
            throw Fault("The peer names no identity.");
        }

        if (_options.Guard is not null && theirs != _identity.Id)
            throw new SyncException(SyncErrorCode.Unauthorized, $"The credential is of identity {_identity.Id}, the data of "
                + $"{theirs}. Ask the hub for credentials of that identity, or log in.");
        if (_identity.Id != _told)
            throw new SyncException(SyncErrorCode.ConnectionFailed, $"This side belonged to identity {_told} when it said "
                + $"hello, and belongs to {_identity.Id} now. Connect again.");
        if (theirs != _identity.Id && !AdoptsHere(theirs) && !_peer.MayAdopt)
            throw new SyncException(SyncErrorCode.Unauthorized, $"One side belongs to identity {_identity.Id}, "
                + $"the other to {theirs}. If they are one person's and one is a guest that never exchanged anything, let it "
                + "adopt the other's identity: SyncOptions.Adopts there.");
        if (AdoptsHere(theirs)) _identity.Pair(theirs);
        (_isProven, _isOpen, Progress.IsOpen) = (true, true, true);
        foreach (string name in _identity.DatasetNames)
            if (Wants(name)) TellVersion(SessionChannelOf(_identity.OpenForJoin(name)));
        _control.Enqueue(MessageCodec.WriteTold());
        foreach (SessionChannel channel in _channels.Values) channel.Target = channel.Told;
        _ownTold = true;
    }

    /// <summary>Both sides come to the same answer: where both may, the initiator adopts.</summary>
    private bool AdoptsHere(IdentityId theirs) =>
        theirs != _identity.Id && MayAdopt && (_options.IsInitiator || !_peer!.MayAdopt);

    private bool Wants(string name) => SyncOptions.Matches(_options.Datasets, name)
        && SyncOptions.Matches(_peer!.Datasets, name) && _options.Guard?.MayRead(name) != false;

    private SessionChannel SessionChannelOf(Dataset dataset)
    {
        if (_channels.TryGetValue(dataset.Name, out SessionChannel? channel)) return channel;
        channel = new SessionChannel(dataset) { IsPeerKnown = _peerTold };
        _channels.Add(dataset.Name, channel);
        return channel;
    }

    private void Activate(SessionChannel channel)
    {
        if (channel.IsActive) return;
        channel.IsActive = true;
        _active.Enqueue(channel);
    }

    private void TellVersion(SessionChannel channel, bool isStuck = false)
    {
        (channel.ToldRenames, channel.ToldParts) = (channel.Dataset.Renames, channel.Dataset.PartsTaken);
        Lineage told = channel.Dataset.Tell(out ulong? digest);
        channel.Told = told.ToVector();
        TransferMark? mark = channel.Dataset.MarkFor(this);
        if (isStuck && mark is not null) mark = mark with { IsStuck = true };
        _control.Enqueue(MessageCodec.Write(new HaveMessage(channel.Dataset.Name, told, digest, mark)));
    }

    private void TakeHave(HaveMessage have)
    {
        if (RefusesDataset(have.Dataset) || !Wants(have.Dataset)) return;
        SessionChannel channel = SessionChannelOf(_identity.OpenForJoin(have.Dataset));
        if (TryReconcile(channel, have) is not { } isRenamed) return;
        VersionVector own = channel.Dataset.Version, theirs = have.Version.ToVector();
        TakeMark(channel, have.Mark, isRenamed, channel.Peer, theirs);
        (channel.Peer, channel.IsPeerKnown) = (theirs, true);
        if (channel.PeerMissesChanges) Progress.Refusals.Remove(have.Dataset);
        (channel.PeerMissesChanges, channel.MissesChanges) = (false, false);
        if (channel.PeerTarget is not null) channel.PeerTarget = theirs;
        CompareDigests(channel, have);
        if (!channel.IsExpected)
            foreach (Dot dot in theirs) Progress.ChangesExpected += Math.Max(0, dot.Counter - own[dot.Replica]);
        channel.IsExpected = true;
        Activate(channel);
    }

    /// <summary>Equal versions mean equal data. Where they do not, each side sends all it has and both heal.</summary>
    private void CompareDigests(SessionChannel channel, HaveMessage have)
    {
        if (have.Digest is null || !channel.Peer.Equals(channel.Dataset.Version)) return;
        if (!channel.Dataset.Tell(out ulong? digest).IsSameAs(have.Version)) return;
        if (digest is null || digest == have.Digest) return;
        channel.ExpectsHealing = true;
        if (channel.Dataset.TryEncodeHealing() is { } frame) _control.Enqueue(frame);
    }

    private void TakeHealing(OpenedFrame opened, ReadOnlyMemory<byte> message)
    {
        using DecodedFrame frame = FrameReader.Read(opened, _limits);
        if (!Wants(frame.Dataset)) throw Fault($"Dataset {frame.Dataset} was not asked for.");
        SessionChannel channel = SessionChannelOf(_identity.OpenForJoin(frame.Dataset));

        // Only where this side has found the difference itself: a later have brings it up again. A hub lets the peer heal, whose
        // share then comes as changes that its guard sees.
        if (!channel.ExpectsHealing || _options.Guard is not null) return;
        channel.ExpectsHealing = false;
        if (channel.Dataset.Heal(frame, message)) Activate(channel);
    }

    private void TakeTold()
    {
        _peerTold = true;
        foreach (SessionChannel channel in _channels.Values)
        {
            channel.IsPeerKnown = true;
            channel.PeerTarget ??= channel.Peer;
            Activate(channel);
        }
    }

    private void TakeAcknowledge(AcknowledgeMessage message)
    {
        if (!_channels.TryGetValue(message.Dataset, out SessionChannel? channel))
            throw Fault($"Dataset {message.Dataset} was acknowledged, of which nothing was sent.");
        VersionVector peer = channel.Peer.Join(message.Advanced);
        if (peer.Count > _limits.ReplicasMax) throw Fault($"The peer names {peer.Count:N0} replicas, too many.");
        channel.Peer = peer;
        channel.Sent = channel.Sent.Join(message.Advanced);
        channel.Rejections = 0;
        Activate(channel);
    }

    private void TakeRefuse(RefuseMessage message)
    {
        if (!_channels.TryGetValue(message.Dataset, out SessionChannel? channel)) return;

        // A peer that misses changes gives nothing until somebody has brought them; it takes what comes.
        if (message.Code == SyncErrorCode.Damaged) channel.PeerMissesChanges = true;
        else channel.IsRefused = true;
        Progress.Refusals[message.Dataset] = new SyncException(message.Code, "The peer refused: " + message.Reason);
    }

    private void TakeChanges(OpenedFrame opened, ReadOnlyMemory<byte> message)
    {
        using DecodedFrame frame = FrameReader.Read(opened, _limits);
        if (RefusesDataset(frame.Dataset)) return;
        if (!Wants(frame.Dataset)) throw Fault($"Dataset {frame.Dataset} was not asked for.");
        SessionChannel channel = SessionChannelOf(_identity.OpenForJoin(frame.Dataset));
        CellColumns columns = frame.Columns;
        PartOutcome outcome;
        try
        {
            if (frame.Part is not null) outcome = channel.Dataset.TakePart(frame, message, this, JudgeOf(channel));
            else if (Merge(channel, frame) is { } merged) outcome = merged;
            else return;
        }
        catch (SyncException e) when (e.Code is not (SyncErrorCode.Malformed or SyncErrorCode.UnsupportedVersion))
        {
            channel.IsRefused = true;
            Progress.Refusals[frame.Dataset] = e;
            _control.Enqueue(MessageCodec.Write(new RefuseMessage(frame.Dataset, e.Code, e.Message)));
            return;
        }

        channel.IsKeptWaiting |= outcome == PartOutcome.Busy;
        if (outcome == PartOutcome.Gap) TellVersion(channel, isStuck: true);
        if (outcome is PartOutcome.Gap or PartOutcome.Busy) return;
        Progress.ChangesReceived += columns.EntryCount;
        var to = new VersionVector(columns.Replicas.Select((replica, i) => new Dot(replica, columns.To[i]))
            .Where(static dot => dot.Counter > 0));
        if (outcome == PartOutcome.Taken) Activate(channel);
        if (outcome == PartOutcome.Taken || !to.IsAtMost(channel.Dataset.Seen)) return;
        channel.Peer = channel.Peer.Join(to);
        channel.Sent = channel.Sent.Join(to);
        channel.OwesAcknowledgement = true;
        Activate(channel);
    }

    private void UpdateProgress()
    {
        bool isLive = _ownTold && _peerTold, awaits = false, isRound = isLive;
        foreach (SessionChannel channel in _channels.Values)
        {
            if (channel.IsRefused) continue;
            isLive &= channel.IsSettled;
            awaits |= !channel.Sent.IsAtMost(channel.Peer) || channel.Transfer is { IsInFlight: true };
            isRound &= channel.IsRoundDone;
        }

        Progress.IsLive = isLive;
        Progress.AwaitsAcknowledgement = awaits;
        Progress.IsRoundComplete |= isRound && _control.Count == 0;
    }
}
