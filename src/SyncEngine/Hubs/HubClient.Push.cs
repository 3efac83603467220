using SyncEngine.Causality;

namespace SyncEngine.Hubs;

public sealed partial class HubClient
{
    /// <summary>Has this device woken by a push service when another one changes a dataset while this one is not connected. What
    /// was asked for before is replaced.</summary>
    /// <param name="platform">The push service as the hub's operator named it, such as <c>apns</c> or <c>fcm</c>.</param>
    /// <param name="token">What the push service calls this device: 1 to 4,096 visible ASCII characters.</param>
    /// <param name="datasets">Names of datasets, or patterns with <c>*</c>, at most 32; none for all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SyncException">The hub has no such push service, a pattern or the token is malformed, or the hub cannot
    /// be reached.</exception>
    public async Task RegisterPushAsync(string platform, string token, IReadOnlyCollection<string>? datasets = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(platform);
        ArgumentNullException.ThrowIfNull(token);
        await SendOwnAsync(HttpMethod.Put, "/identity/push", HubHttp.Write(json =>
        {
            json.WriteString("platform", platform);
            json.WriteString("token", token);
            if (datasets is null) return;
            json.WriteStartArray("datasets");
            foreach (string dataset in datasets) json.WriteStringValue(dataset);
            json.WriteEndArray();
        }), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Has this device not woken any more.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SyncException">The hub cannot be reached.</exception>
    public async Task UnregisterPushAsync(CancellationToken cancellationToken = default) =>
        await SendOwnAsync(HttpMethod.Delete, "/identity/push", null, cancellationToken).ConfigureAwait(false);
}
