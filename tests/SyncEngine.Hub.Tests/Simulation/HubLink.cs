using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Testing;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>A connection of a device with the hub, or with another device.</summary>
internal sealed class HubLink(SimulatedConnection wire, Party party, Party? other, IdentityId id) : IDisposable
{
    private readonly List<IDisposable> _held = [];
    private readonly Dictionary<Dataset, (long Revision, VersionVector Told)> _told = [];

    public SimulatedConnection Wire => wire;

    public Party Party => party;

    /// <summary>The device at the other end; null for the hub.</summary>
    public Party? Other => other;

    /// <summary>Whose data it is.</summary>
    public IdentityId Id => id;

    public bool IsClosed { get; private set; }

    /// <summary>Whether a dataset of the device, or what the hub told of it, is other than when it was asked last.</summary>
    public bool IsNews(Dataset dataset, VersionVector told)
    {
        bool isNews = !_told.TryGetValue(dataset, out (long Revision, VersionVector Told) known)
            || known.Revision != dataset.Revision || !known.Told.Equals(told);
        _told[dataset] = (dataset.Revision, told);
        return isNews;
    }

    /// <summary>Has the hub's side end with the connection, and the connection when the hub cuts it.</summary>
    public void Hold(OpenSession session, IdentityLease lease)
    {
        _held.Add(session);
        _held.Add(lease);
        session.Token.Register(Dispose);
    }

    public void Dispose()
    {
        if (IsClosed) return;
        IsClosed = true;
        wire.Dispose();
        foreach (IDisposable held in _held) held.Dispose();
    }
}
