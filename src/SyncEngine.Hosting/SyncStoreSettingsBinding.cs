using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace SyncEngine.Hosting;

/// <summary>Reads the settings of the store of one name from the configuration, if the app has one.</summary>
internal sealed class SyncStoreSettingsBinding(string store, IConfiguration? configuration)
    : IConfigureNamedOptions<SyncStoreSettings>
{
    public void Configure(SyncStoreSettings options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, SyncStoreSettings options)
    {
        if (name != store || configuration is null) return;
        string section = SyncStoreSettings.SectionOf(store);
        try
        {
            // A misspelt setting would otherwise do nothing, and nobody would know.
            configuration.GetSection(section).Bind(options, static binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            string reason = e.InnerException is null ? e.Message : $"{e.Message} {e.InnerException.Message}";
            throw new OptionsValidationException(store, typeof(SyncStoreSettings),
                [$"The configuration section {section} is not usable: {reason} Mend it, or leave the setting out."]);
        }
    }
}
