using System.Collections.Frozen;
using System.Text.Json;

namespace SyncEngine.Hub.Pools;

/// <summary>What the roles of a pool may do while nobody says otherwise.</summary>
internal static class DefaultPolicies
{
    public const string GuestRole = "guest";
    public const string AuthenticatedRole = "authenticated";

    /// <summary>Reads and writes the datasets of one's own identity, and nothing else.</summary>
    public static JsonElement OwnDatasets { get; } = JsonElement.Parse(
        """
        {"version":1,"statements":[{"effect":"allow","action":["dataset:read","dataset:write"],
          "resource":"identity/${identity.id}/dataset/*"}]}
        """);

    public static IReadOnlyDictionary<string, JsonElement> Roles { get; } = new Dictionary<string, JsonElement>
    {
        [GuestRole] = OwnDatasets, [AuthenticatedRole] = OwnDatasets,
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
