using System.Text.Json;
using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Pools;

/// <summary>Enumerations as their names in camelCase, never as numbers.</summary>
internal sealed class CamelCaseNames<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
