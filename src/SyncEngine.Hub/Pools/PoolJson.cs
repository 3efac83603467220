using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace SyncEngine.Hub.Pools;

/// <summary>The two ways of reading JSON: strictly what comes from outside, with tolerance what an earlier or later hub
/// stored.</summary>
internal static class PoolJson
{
    /// <summary>Deepest nesting taken from outside.</summary>
    public const int DepthMax = 32;

    /// <summary>For requests and answers: unknown, repeated and wrongly cased members are refused.</summary>
    public static JsonSerializerOptions Outside { get; } = Freeze(new JsonSerializerOptions(JsonSerializerDefaults.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, MaxDepth = DepthMax, Encoder = JavaScriptEncoder.Default,
    });

    /// <summary>For stored rows.</summary>
    public static JsonSerializerOptions Stored { get; } = Freeze(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, MaxDepth = 2 * DepthMax,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    });

    private static JsonSerializerOptions Freeze(JsonSerializerOptions options)
    {
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver();
        options.MakeReadOnly();
        return options;
    }
}
