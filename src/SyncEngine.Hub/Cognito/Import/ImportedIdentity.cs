using System.Text.Json;

namespace SyncEngine.Hub.Cognito.Import;

/// <summary>A pool of another service, as its own calls describe it.</summary>
internal sealed record ImportedPool
{
    /// <summary>The pool's id there, which it keeps here.</summary>
    public required string IdentityPoolId { get; init; }

    /// <summary>What DescribeIdentityPool answers.</summary>
    public required JsonElement Definition { get; init; }

    /// <summary>What GetIdentityPoolRoles answers.</summary>
    public JsonElement? Roles { get; init; }
}

/// <summary>An identity of another service with its data.</summary>
internal sealed record ImportedIdentity
{
    /// <summary>The users of the developer provider.</summary>
    public IReadOnlyList<string> DeveloperUsers { get; init; } = [];

    /// <summary>Other logins of which it is known whose they are.</summary>
    public IReadOnlyList<ImportedLogin> Logins { get; init; } = [];

    /// <summary>Providers of logins of which that is not known: whoever first shows a login of one of them together with the
    /// identity's id is that identity.</summary>
    public IReadOnlyList<string> AwaitedProviders { get; init; } = [];

    /// <summary>Its datasets.</summary>
    public IReadOnlyList<ImportedDataset> Datasets { get; init; } = [];
}

/// <summary>A login: the provider as clients name it, and whom it says that it is.</summary>
internal sealed record ImportedLogin(string Provider, string Subject);

/// <summary>A dataset; clients that know a sync count of it go on from there.</summary>
internal sealed record ImportedDataset
{
    public required string Name { get; init; }

    public required long SyncCount { get; init; }

    public required IReadOnlyList<ImportedRecord> Records { get; init; }
}

/// <summary>A record; one without a value was deleted.</summary>
internal sealed record ImportedRecord
{
    public required string Key { get; init; }

    public string? Value { get; init; }

    public required long SyncCount { get; init; }

    /// <summary>When a device wrote it, in milliseconds since 1970; null if that is not known.</summary>
    public long? DeviceMilliseconds { get; init; }
}

/// <summary>What became of an identity.</summary>
/// <param name="Written">Datasets that were written.</param>
/// <param name="Same">Datasets that were there already.</param>
/// <param name="Changed">Names of datasets that were written to here meanwhile, and left as they are.</param>
internal sealed record ImportAnswer(int Written, int Same, IReadOnlyList<string> Changed);
