namespace SyncEngine.Hub.Push;

/// <summary>What of one identity changed while changes are gathered.</summary>
internal sealed class PushWindow
{
    private const int DatasetsMax = 256;

    /// <summary>The only device that changed a dataset; null if there were several, or the hub.</summary>
    private readonly Dictionary<string, string?> _onlySenders = new(StringComparer.Ordinal);
    private bool _isAnything;

    public void Note(in HubChange change)
    {
        if (_onlySenders.TryGetValue(change.Dataset, out string? sender))
        {
            if (sender != change.DeviceId) _onlySenders[change.Dataset] = null;
        }
        else if (_onlySenders.Count < DatasetsMax)
        {
            _onlySenders.Add(change.Dataset, change.DeviceId);
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
        var told = _onlySenders
            .Where(dataset => dataset.Value != device && registration.Includes(dataset.Key))
            .Select(static dataset => dataset.Key).Order(StringComparer.Ordinal).ToList();
        return told.Count == 0 ? null : told;
    }
}
