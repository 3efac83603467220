using System.Text.Json;
using System.Text.Json.Serialization;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Identities;

/// <summary>Whether an identity is in use.</summary>
internal enum IdentityState
{
    Active,

    /// <summary>An operator has shut it out; its data stays.</summary>
    Disabled,

    /// <summary>It was merged into another one and is frozen.</summary>
    Merged,
}

/// <summary>How datasets of one name become one when identities are merged.</summary>
internal enum MergeMode
{
    /// <summary>All writes of both sides count: nothing is lost on either side.</summary>
    Union,

    /// <summary>As a union, and then what the destination showed is written again wherever it shows something else.</summary>
    KeepDestination,

    /// <summary>As a union, and then what the source showed is written again.</summary>
    KeepSource,

    /// <summary>The source's datasets stand beside the destination's, named <c>name.oldId</c>, until the app removes
    /// them.</summary>
    Manual,
}

/// <summary>What the hub knows of an identity beside its datasets: one row.</summary>
internal sealed record IdentityRow
{
    public const int LoginsMax = 20;

    public required string Pool { get; init; }

    [JsonConverter(typeof(IdentityIdJson))]
    public required IdentityId Id { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public IdentityState State { get; init; }

    /// <summary>Where its data went; set while it is merged.</summary>
    [JsonConverter(typeof(IdentityIdJson))]
    public IdentityId MergedInto { get; init; }

    public MergeMode MergedBy { get; init; }

    public IReadOnlyList<LoginRow> Logins { get; init; } = [];

    public IReadOnlyList<DeviceRow> Devices { get; init; } = [];

    /// <summary>What is not taken of revoked devices, from anyone.</summary>
    public IReadOnlyList<FenceRow> Fences { get; init; } = [];

    /// <summary>Identities that were merged into this one.</summary>
    public IReadOnlyList<MergeRow> Merges { get; init; } = [];

    /// <summary>Made by the Cognito-wire-compatible API: while it is a guest, whoever knows its id is that guest. Never true of
    /// one that a device's key minted.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Came from another service, which did not say whose its logins are: the first login of one of these providers that
    /// is shown together with its id belongs to it.</summary>
    public IReadOnlyList<string> AwaitedProviders { get; init; } = [];

    [JsonIgnore]
    public bool IsGuest => Logins.Count == 0;

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, RowJson.Options);

    public static IdentityRow Decode(byte[] bytes) => JsonSerializer.Deserialize<IdentityRow>(bytes, RowJson.Options)
        ?? throw new InvalidDataException("An identity's row is empty.");

    public static string KeyOf(string pool, IdentityId id) => $"id/{pool}/{id}";

    public DeviceRow? FindDevice(string device) => Devices.FirstOrDefault(known => known.Id == device);
}

/// <summary>A login that is linked to an identity.</summary>
/// <param name="Provider">The pool's name of the provider.</param>
/// <param name="Subject">Who the provider says it is.</param>
/// <param name="LinkedAt">Since when.</param>
/// <param name="Claims">The claims that the pool carries, of the last login.</param>
internal sealed record LoginRow(
    string Provider, string Subject, DateTimeOffset LinkedAt, IReadOnlyDictionary<string, IReadOnlyList<string>> Claims);

/// <summary>A device of an identity.</summary>
/// <param name="Id">The first 16 bytes of its public key's SHA-256, in hexadecimal digits.</param>
/// <param name="PublicKey">Its P-256 key as a SubjectPublicKeyInfo.</param>
/// <param name="Name">What its app calls it.</param>
/// <param name="RegisteredAt">Since when.</param>
internal sealed record DeviceRow(string Id, byte[] PublicKey, string? Name, DateTimeOffset RegisteredAt)
{
    public DateTimeOffset LastSeen { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The replicas under which it writes, as it says.</summary>
    public IReadOnlyList<ulong> Declared { get; init; } = [];
}

/// <summary>The last change of a revoked device's replica that was taken.</summary>
internal sealed record FenceRow(ulong Replica, long Counter);

/// <summary>A merge of another identity into this one.</summary>
internal sealed record MergeRow(
    string Id, [property: JsonConverter(typeof(IdentityIdJson))] IdentityId Source, MergeMode Mode, DateTimeOffset At,
    DateTimeOffset UndoUntil)
{
    public bool IsUndone { get; init; }

    /// <summary>The names of the source's datasets, in the order in which what undoing needs is kept.</summary>
    public IReadOnlyList<string> Datasets { get; init; } = [];
}
