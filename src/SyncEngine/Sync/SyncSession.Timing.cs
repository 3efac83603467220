using SyncEngine.Causality;

namespace SyncEngine.Sync;

internal sealed partial class SyncSession
{
    /// <summary>A hello that took longer tells a time that is over.</summary>
    private static readonly TimeSpan _helloMax = TimeSpan.FromMinutes(1);

    private readonly CorrectedClock _peerClock;
    private readonly DateTimeOffset _began;

    /// <summary>The clock by which writes that a hub refused for their times are written anew. A peer that was not chosen as a
    /// hub sets the time of these alone, which it could refuse altogether.</summary>
    private CorrectedClock HubClock => _options.TellsTime ? _identity.Clock : _peerClock;

    private void LearnTime(long unixMilliseconds)
    {
        TimeSpan waited = _identity.Time.GetUtcNow() - _began;
        if (waited >= TimeSpan.Zero && waited <= _helloMax) HubClock.Learn(unixMilliseconds);
    }

    /// <summary>Before the first change goes to a hub, what was written by a wrong clock is put right.</summary>
    /// <returns>Whether that is done, so that something may go.</returns>
    private bool TryRestamp(SessionChannel channel)
    {
        if (!_options.TellsTime || channel.IsRestamped) return true;
        return channel.IsRestamped = channel.Dataset.Restamp(channel.Peer, [], HubClock) is not null;
    }
}
