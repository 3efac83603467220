using System.Text.Json;
using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Push;

/// <summary>The JSON of stored rows and of payloads.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(FeedRow))]
[JsonSerializable(typeof(FeedState))]
[JsonSerializable(typeof(WebhookDefinition))]
[JsonSerializable(typeof(WebhookProgress))]
[JsonSerializable(typeof(PushRegistration))]
[JsonSerializable(typeof(ApnsPayload))]
[JsonSerializable(typeof(FcmPayload))]
[JsonSerializable(typeof(GrantedToken))]
internal sealed partial class PushJson : JsonSerializerContext
{
    public static byte[] Write<T>(T row) => JsonSerializer.SerializeToUtf8Bytes(row, typeof(T), Default);

    /// <summary>Reads a stored row.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static T Read<T>(byte[] row, string key)
    {
        try
        {
            if (JsonSerializer.Deserialize(row, typeof(T), Default) is T read) return read;
        }
        catch (JsonException e)
        {
            throw Damaged(key, e);
        }

        throw Damaged(key, null);
    }

    private static InvalidDataException Damaged(string key, Exception? cause) =>
        new($"The hub's row {key} is damaged; run \"syncengine verify\" on its file, and restore a backup.", cause);
}
