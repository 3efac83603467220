using SyncEngine.Datasets;
using SyncEngine.LiteDB;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Hosting;

/// <summary>
/// How a store of the app is opened. Bound to a configuration section, so that appsettings and environment variables such as
/// <c>SyncStore__Hub__Address</c> set it; checked when the host starts, or else when the store is opened, and not read again.
/// </summary>
public sealed class SyncStoreSettings
{
    /// <summary>The configuration section of the store without a name.</summary>
    public const string Section = "SyncStore";

    /// <summary>The configuration section in which each named store has a section of its own.</summary>
    public const string NamedSection = "SyncStores";

    /// <summary>The store's file; its folder is made if it is missing. A relative path begins at the current folder. Needed,
    /// unless <see cref="IsInMemory"/> or <see cref="OpenStorage"/>.</summary>
    public string? Path { get; set; }

    /// <summary>Whether the store lives in memory and ends with the process, for tests. Default false.</summary>
    public bool IsInMemory { get; set; }

    /// <summary>Opens a storage of the app's own instead of a file of LiteDB; see <see cref="SyncStore.OpenAsync"/>. Null (the
    /// default) for none.</summary>
    public Func<ISyncStorage>? OpenStorage { get; set; }

    /// <summary>The hub to sync with; null (the default) for none.</summary>
    public HubSettings? Hub { get; set; }

    /// <summary>Limits on local writes; what is set is copied. Default: none but the format's.</summary>
    public DatasetLimits Limits
    {
        get;
        set => field = (value ?? throw new ArgumentNullException(nameof(value))) with { };
    } = new();

    /// <summary>Bounds on received frames.</summary>
    public FrameLimits FrameLimits { get; set; } = new();

    /// <summary>See <see cref="SyncStoreOptions.ChangeQueueMax"/>. Default 65,536, at least 2.</summary>
    public int ChangeQueueMax { get; set; } = 1 << 16;

    /// <summary>How the file is kept.</summary>
    public LiteDbStorageOptions Storage { get; set; } = new();

    /// <summary>See <see cref="SyncStoreBuilder.WhenOpened"/>.</summary>
    internal List<Func<IServiceProvider, SyncStore, IAsyncDisposable?>> Opened { get; } = [];

    internal static string SectionOf(string name) => name.Length == 0 ? Section : $"{NamedSection}:{name}";
}
