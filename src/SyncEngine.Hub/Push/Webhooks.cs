using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Push;

/// <summary>The webhooks of all pools: defines them and keeps one delivery a webhook running. Thread-safe.</summary>
internal sealed class Webhooks(
    HubRows rows, ChangeFeed feed, HttpClient http, TimeProvider time, RandomSource random, ILogger<Webhooks> logger,
    WebhookOptions? options = null) : IAsyncDisposable
{
    private const int PageRows = 256;

    private readonly WebhookOptions _options = options ?? new WebhookOptions();
    private readonly WebhookSender _sender = new(http, time);
    private readonly SemaphoreSlim _editing = new(1, 1);
    private readonly Dictionary<(string Pool, string Id), (CancellationTokenSource Stop, Task Run)> _running = [];
    private readonly ConcurrentDictionary<string, IReadOnlyList<IChangeHook>> _proposalHooks = new(StringComparer.Ordinal);

    /// <summary>Starts the deliveries of all webhooks.</summary>
    public Task StartAsync(CancellationToken cancellationToken = default) => EditAsync(async () =>
    {
        string? after = null;
        while (true)
        {
            var found = await rows.ReadRangeAsync("hook/", after, PageRows, cancellationToken).ConfigureAwait(false);
            foreach ((string key, byte[] bytes) in found)
            {
                string pool = key.Split('/')[1];
                Start(pool, PushJson.Read<WebhookDefinition>(bytes, key));
                after = key;
            }

            if (found.Count < PageRows) return true;
        }
    }, cancellationToken);

    /// <summary>The webhooks of a pool that decide on changes before they are accepted. Quick: read from memory.</summary>
    public IReadOnlyList<IChangeHook> ProposalHooks(string pool) => _proposalHooks.GetValueOrDefault(pool, []);

    /// <summary>Defines a webhook, which hears of what happens from now on. The caller may show the secret, this once.</summary>
    /// <exception cref="ArgumentException">The settings or the secret cannot be taken, or the pool has too many.</exception>
    public Task<WebhookStatus> CreateAsync(
        string pool, WebhookSettings settings, string? secret = null, CancellationToken cancellationToken = default)
    {
        Uri url = settings.Check(_options);
        secret = CheckSecret(secret);
        return EditAsync(async () =>
        {
            var others = await rows.ReadRangeAsync($"hook/{pool}/", null, _options.HooksPerPoolMax, cancellationToken)
                .ConfigureAwait(false);
            if (others.Count >= _options.HooksPerPoolMax)
                throw new ArgumentException($"The pool has {others.Count} webhooks, which is the most; delete one.");
            var definition = new WebhookDefinition(RandomNumberGenerator.GetHexString(16, lowercase: true), url,
                settings.Event, settings.Datasets, [new WebhookSecret(secret, null)], time.GetUtcNow());
            await feed.FlushAsync(pool, cancellationToken).ConfigureAwait(false);
            FeedPage end = await feed.ReadAsync(pool, FeedCursorText.Latest, 1, default, cancellationToken)
                .ConfigureAwait(false);
            var progress = new WebhookProgress(end.Cursor);
            await WriteAsync(pool, definition, progress).ConfigureAwait(false);
            Start(pool, definition);
            return new WebhookStatus(definition, progress);
        }, cancellationToken);
    }

    /// <summary>Changes a webhook; it goes on from where it was. Null if there is none.</summary>
    /// <exception cref="ArgumentException">The settings cannot be taken.</exception>
    public Task<WebhookStatus?> UpdateAsync(
        string pool, string id, WebhookSettings settings, CancellationToken cancellationToken = default)
    {
        Uri url = settings.Check(_options);
        return ReplaceAsync(pool, id, status => status with
        {
            Definition = status.Definition with { Url = url, Event = settings.Event, Datasets = settings.Datasets },
        }, cancellationToken);
    }

    /// <summary>Gives a webhook a new secret; the old one signs too for a while. Null if there is none.</summary>
    /// <exception cref="ArgumentException">The secret cannot be taken.</exception>
    public Task<WebhookStatus?> RotateSecretAsync(
        string pool, string id, string? secret = null, CancellationToken cancellationToken = default)
    {
        secret = CheckSecret(secret);
        return ReplaceAsync(pool, id, status => status with
        {
            Definition = status.Definition with
            {
                // Two at most: a second rotation ends the oldest secret at once.
                Secrets = [new WebhookSecret(secret, null),
                    status.Definition.Secrets[0] with { Until = time.GetUtcNow() + _options.SecretOverlap }],
            },
        }, cancellationToken);
    }

    /// <summary>Lets a webhook be tried again at once, disabled or not. Null if there is none.</summary>
    public Task<WebhookStatus?> EnableAsync(string pool, string id, CancellationToken cancellationToken = default) =>
        ReplaceAsync(pool, id, static status => status with
        {
            Progress = new WebhookProgress(status.Progress.Cursor, LastSuccess: status.Progress.LastSuccess),
        }, cancellationToken);

    /// <summary>Removes a webhook; false if there is none.</summary>
    public Task<bool> DeleteAsync(string pool, string id, CancellationToken cancellationToken = default) => EditAsync(async () =>
    {
        if (await FindAsync(pool, id, cancellationToken).ConfigureAwait(false) is null) return false;
        await StopAsync(pool, id).ConfigureAwait(false);
        await rows.WriteAsync([new($"hook/{pool}/{id}", null), new(WebhookDelivery.ProgressKey(pool, id), null)])
            .ConfigureAwait(false);
        return true;
    }, cancellationToken);

    /// <summary>Removes the webhooks of a deleted pool.</summary>
    public async Task DeleteAllAsync(string pool, CancellationToken cancellationToken = default)
    {
        foreach (WebhookStatus hook in await ListAsync(pool, cancellationToken).ConfigureAwait(false))
            await DeleteAsync(pool, hook.Definition.Id, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A webhook and how it fares; null if there is none.</summary>
    public Task<WebhookStatus?> ReadAsync(string pool, string id, CancellationToken cancellationToken = default) =>
        FindAsync(pool, id, cancellationToken);

    /// <summary>The webhooks of a pool and how they fare.</summary>
    public async Task<IReadOnlyList<WebhookStatus>> ListAsync(string pool, CancellationToken cancellationToken = default)
    {
        var found = await rows.ReadRangeAsync($"hook/{pool}/", null, int.MaxValue, cancellationToken).ConfigureAwait(false);
        var statuses = new List<WebhookStatus>();
        foreach ((string key, byte[] _) in found)
        {
            WebhookStatus? status = await FindAsync(pool, key.Split('/')[2], cancellationToken).ConfigureAwait(false);
            if (status is not null) statuses.Add(status);
        }

        return statuses;
    }

    /// <summary>Stops all deliveries; what is not taken yet is brought after the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await EditAsync(async () =>
        {
            foreach ((string pool, string id) in _running.Keys.ToList()) await StopAsync(pool, id).ConfigureAwait(false);
            return true;
        }, CancellationToken.None).ConfigureAwait(false);
        _editing.Dispose();
    }

    private static string CheckSecret(string? secret)
    {
        secret ??= WebhookSignature.NewSecret();
        return WebhookSignature.IsSecret(secret) ? secret : throw new ArgumentException(
            "A webhook's secret is \"whsec_\" and 24 to 64 random bytes in base64; leave it out to get one.");
    }

    private async Task<T> EditAsync<T>(Func<Task<T>> edit, CancellationToken cancellationToken)
    {
        await _editing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await edit().ConfigureAwait(false);
        }
        finally
        {
            _editing.Release();
        }
    }

    private Task<WebhookStatus?> ReplaceAsync(
        string pool, string id, Func<WebhookStatus, WebhookStatus> change, CancellationToken cancellationToken) =>
        EditAsync(async () =>
        {
            if (await FindAsync(pool, id, cancellationToken).ConfigureAwait(false) is null) return null;

            // Stopped first: while a delivery runs, it alone writes the progress.
            await StopAsync(pool, id).ConfigureAwait(false);
            WebhookStatus? status = await FindAsync(pool, id, CancellationToken.None).ConfigureAwait(false);
            if (status is null) return null;
            try
            {
                WebhookStatus changed = change(status);
                await WriteAsync(pool, changed.Definition, changed.Progress).ConfigureAwait(false);
                status = changed;
            }
            finally
            {
                Start(pool, status.Definition);
            }

            return status;
        }, cancellationToken);

    private async Task<WebhookStatus?> FindAsync(string pool, string id, CancellationToken cancellationToken)
    {
        string key = $"hook/{pool}/{id}", progressKey = WebhookDelivery.ProgressKey(pool, id);
        byte[]? definition = await rows.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        byte[]? progress = await rows.ReadAsync(progressKey, cancellationToken).ConfigureAwait(false);
        return definition is null || progress is null ? null : new WebhookStatus(
            PushJson.Read<WebhookDefinition>(definition, key), PushJson.Read<WebhookProgress>(progress, progressKey));
    }

    private Task WriteAsync(string pool, WebhookDefinition definition, WebhookProgress progress) => rows.WriteAsync([
        new($"hook/{pool}/{definition.Id}", PushJson.Write(definition)),
        new(WebhookDelivery.ProgressKey(pool, definition.Id), PushJson.Write(progress))]);

    private void Start(string pool, WebhookDefinition hook)
    {
        if (_running.ContainsKey((pool, hook.Id))) return;
        if (hook.Event == WebhookEvent.Proposal)
        {
            _proposalHooks[pool] = [.. ProposalHooks(pool), new WebhookChangeHook(pool, hook, _sender, time)];
            return;
        }

        var stop = new CancellationTokenSource();
        var delivery = new WebhookDelivery(pool, hook, feed, rows, _sender, time, random, logger, _options);
        _running.Add((pool, hook.Id), (stop, Task.Run(() => delivery.RunAsync(stop.Token))));
    }

    private async Task StopAsync(string pool, string id)
    {
        _proposalHooks[pool] = ProposalHooks(pool).Where(hook => hook is not WebhookChangeHook own || own.Id != id).ToList();
        if (!_running.Remove((pool, id), out var delivery)) return;
        await delivery.Stop.CancelAsync().ConfigureAwait(false);
        await delivery.Run.ConfigureAwait(false);
        delivery.Stop.Dispose();
    }
}
