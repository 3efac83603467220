using System.Text.Json;
using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>How a pool tells the outside world of changes, as the Sync API's configuration calls say. Immutable.</summary>
internal sealed record SyncSetup
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The push applications' ARNs; null where push was never set up.</summary>
    public IReadOnlyList<string>? ApplicationArns { get; init; }

    /// <summary>The role of push, which means nothing here and is told as it was given.</summary>
    public string? PushRoleArn { get; init; }

    /// <summary>The stream's name; null where streams were never set up.</summary>
    public string? StreamName { get; init; }

    /// <summary>The role of streams, which means nothing here and is told as it was given.</summary>
    public string? StreamRoleArn { get; init; }

    /// <summary>Whether changes go to the stream.</summary>
    public bool IsStreaming { get; init; }

    /// <summary>The function that is asked before records are written; null for none.</summary>
    public string? SyncTriggerArn { get; init; }

    /// <summary>When the last publishing of everything began, in milliseconds since 1970; null for never.</summary>
    public long? BulkStartedAt { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public long? BulkEndedAt { get; init; }

    /// <summary>Why it failed; null if it did not.</summary>
    public string? BulkFailure { get; init; }

    public static SyncSetup Of(CognitoPool pool) => Of(pool.Row);

    public static SyncSetup Of(CognitoPoolRow row) => row.Sync is { } stored
        ? stored.Deserialize<SyncSetup>(_json) ?? new SyncSetup() : new SyncSetup();

    public JsonElement Encode() => JsonSerializer.SerializeToElement(this, _json);

    /// <summary>Whether an application for a platform is named: <c>arn:…:app/PLATFORM/NAME</c>.</summary>
    public bool IsPushedTo(string platform) =>
        ApplicationArns?.Any(arn => arn.Contains($":app/{platform}/", StringComparison.Ordinal)) == true;
}
