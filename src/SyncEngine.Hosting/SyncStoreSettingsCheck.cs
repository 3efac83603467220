using Microsoft.Extensions.Options;

namespace SyncEngine.Hosting;

/// <summary>Finds what is wrong with the settings of the store of one name, all of it at once.</summary>
internal sealed class SyncStoreSettingsCheck(string store) : IValidateOptions<SyncStoreSettings>
{
    private const int DeviceNameCharactersMax = 100;

    public ValidateOptionsResult Validate(string? name, SyncStoreSettings options)
    {
        if (name != store) return ValidateOptionsResult.Skip;
        var faults = new List<string>();
        bool hasFile = options.Path is not null, hasOther = options.IsInMemory || options.OpenStorage is not null;
        if (hasFile ? string.IsNullOrWhiteSpace(options.Path) : !hasOther)
            Add("Path", "name the store's file, such as save.db, or set IsInMemory");
        if ((hasFile && hasOther) || (options.IsInMemory && options.OpenStorage is not null))
            Add(hasFile ? "Path" : "IsInMemory", "give one of Path, IsInMemory and OpenStorage");
        if (options.ChangeQueueMax < 2) Add("ChangeQueueMax", "give 2 or more");
        if (options.Hub is { } hub)
        {
            if (hub.Address is not { IsAbsoluteUri: true } address || address.Scheme is not ("http" or "https"))
                Add("Hub:Address", "give the hub's address for devices, such as https://sync.example.com/sync");
            if (string.IsNullOrWhiteSpace(hub.Pool)) Add("Hub:Pool", "name the identity pool");
            if (hub.DeviceName is { Length: > DeviceNameCharactersMax })
                Add("Hub:DeviceName", $"give at most {DeviceNameCharactersMax} characters");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Add(string setting, string advice) =>
            faults.Add($"{SyncStoreSettings.SectionOf(store)}:{setting} is not usable: {advice}.");
    }
}
