using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using SyncEngine.Hubs;

namespace SyncEngine.Hosting;

/// <summary>Puts stores into an app with dependency injection, with or without a host.</summary>
public static class SyncStoreServices
{
    /// <summary>
    /// Adds the app's store: as <see cref="SyncStore"/>, as <see cref="HubClient"/> where it syncs with a hub, and as
    /// <see cref="HostedSyncStore"/>, which opens it asynchronously. Settings come from the configuration section
    /// <see cref="SyncStoreSettings.Section"/>, if the app has a configuration, and from the delegate after it. A host opens the
    /// store before it starts anything, and closes it after everything has stopped; without a host it is opened when first asked
    /// for and closed with the service provider. Called again, it changes the settings of the same store.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Changes the settings.</param>
    public static SyncStoreBuilder AddSyncStore(
        this IServiceCollection services, Action<SyncStoreSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return Add(services, Options.DefaultName, configure);
    }

    /// <summary>
    /// Adds a store among several, each a keyed service under its name and with its own section in
    /// <see cref="SyncStoreSettings.NamedSection"/>; else as above.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="name">The store's name.</param>
    /// <param name="configure">Changes the settings.</param>
    public static SyncStoreBuilder AddSyncStore(
        this IServiceCollection services, string name, Action<SyncStoreSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (string.IsNullOrEmpty(name) || name.Contains(':', StringComparison.Ordinal))
            throw new ArgumentException("A store's name has a character at least, and no colon.", nameof(name));
        return Add(services, name, configure);
    }

    /// <summary>Adds a check that a store can make changes durable. Being offline is healthy; it is degraded where a person
    /// must act before it can sync.</summary>
    /// <param name="builder">The app's checks.</param>
    /// <param name="store">The store's name; empty for the one without a name.</param>
    /// <param name="name">The check's name; null for <c>sync-store</c>, with a colon and the store's name where it has
    /// one.</param>
    /// <param name="failureStatus">What a failure is reported as; null for unhealthy.</param>
    /// <param name="tags">Tags to choose checks by.</param>
    public static IHealthChecksBuilder AddSyncStore(
        this IHealthChecksBuilder builder, string store = "", string? name = null, HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(store);
        return builder.Add(new HealthCheckRegistration(
            name ?? (store.Length == 0 ? "sync-store" : "sync-store:" + store),
            services => new SyncStoreHealth(Find(services, store)), failureStatus, tags));
    }

    private static SyncStoreBuilder Add(IServiceCollection services, string name, Action<SyncStoreSettings>? configure)
    {
        object? key = name.Length == 0 ? null : name;
        OptionsBuilder<SyncStoreSettings> options = services.AddOptions<SyncStoreSettings>(name);
        bool isNew = !services.Any(known => known.ServiceType == typeof(HostedSyncStore) && Equals(known.ServiceKey, key));
        if (isNew)
        {
            services.AddSingleton<IConfigureOptions<SyncStoreSettings>>(provider =>
                new SyncStoreSettingsBinding(name, provider.GetService<IConfiguration>()));
            services.AddSingleton<IValidateOptions<SyncStoreSettings>>(new SyncStoreSettingsCheck(name));
            options.ValidateOnStart();
            AddOne(services, key, provider => new HostedSyncStore(provider, name));
            AddOne(services, key, provider => Find(provider, name).Store);
            AddOne(services, key, provider => Find(provider, name).Hub ?? throw new InvalidOperationException(
                $"This store syncs with no hub: call ConnectToHub, or set {SyncStoreSettings.SectionOf(name)}:Hub:Address."));
            services.AddSingleton<IHostedService>(provider => new SyncStoreLifetime(Find(provider, name)));
        }

        if (configure is not null) options.Configure(configure);
        return new SyncStoreBuilder(options);
    }

    private static void AddOne<T>(IServiceCollection services, object? key, Func<IServiceProvider, T> make)
        where T : class
    {
        if (key is null) services.AddSingleton(make);
        else services.AddKeyedSingleton(key, (provider, _) => make(provider));
    }

    private static HostedSyncStore Find(IServiceProvider services, string name) => name.Length == 0
        ? services.GetRequiredService<HostedSyncStore>() : services.GetRequiredKeyedService<HostedSyncStore>(name);
}
