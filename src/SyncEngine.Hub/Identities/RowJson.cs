using System.Text.Json;
using System.Text.Json.Serialization;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Identities;

/// <summary>How rows are written: camelCase JSON; members that a later build added are passed over.</summary>
internal static class RowJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };
}

/// <summary>An identity id as its 32 hexadecimal digits.</summary>
internal sealed class IdentityIdJson : JsonConverter<IdentityId>
{
    public override IdentityId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return IdentityId.Parse(reader.GetString() ?? "");
        }
        catch (FormatException e)
        {
            throw new JsonException(e.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, IdentityId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
