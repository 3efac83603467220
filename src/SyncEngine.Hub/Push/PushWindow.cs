namespace SyncEngine.Hub.Push;

/// <summary>What of one identity changed while changes are gathered.</summary>
internal sealed class PushWindow
{
    private const int DatasetsMax = 256;

    /// <summary>The only device that changed a dataset, null if there were several or the hub; and the last
    /// revision.</summary>
    private readonly Dictionary<string, (string? Sender, long Revision)> _changed = new(StringComparer.Ordinal);
    private bool _isAnything;

    public void Note(in HubChange change)
    {
        if (_changed.TryGetValue(change.Dataset, out (string? Sender, long Revision) known))
        {
            _changed[change.Dataset] = (
                known.Sender == change.DeviceId ? known.Sender : null, Math.Max(known.Revision, change.Revision));
        }
        else if (_changed.Count < DatasetsMax)
        {
            _changed.Add(change.Dataset, (change.DeviceId, change.Revision));
        }
        else
        {
            _isAnything = true;
        }
    }

    /// <summary>What a device is to be told of: some datasets, none (anything changed), or null (nothing did).</summary>
    public IReadOnlyList<string>? For(string device, PushRegistration registration)
    {
        if (_isAnything) return [];
        var told = _changed
            .Where(dataset => dataset.Value.Sender != device && registration.Includes(dataset.Key))
            .Select(static dataset => dataset.Key).Order(StringComparer.Ordinal).ToList();
        return told.Count == 0 ? null : told;
    }

    /// <summary>The last revision of a dataset; 0 if it is not known.</summary>
    public long RevisionOf(string dataset) => _changed.GetValueOrDefault(dataset).Revision;
}
