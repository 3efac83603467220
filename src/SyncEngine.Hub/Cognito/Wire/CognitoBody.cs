using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Pools;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace SyncEngine.Hub.Cognito.Wire;

/// <summary>Reads bodies, bounded in bytes and slowness, and takes JSON apart, bounded in depth.</summary>
internal static class CognitoBody
{
    private const int FirstBufferBytes = 4096;

    /// <summary>An object without members: what a request without a body says.</summary>
    public static JsonElement Empty { get; } = JsonElement.Parse("{}");

    /// <exception cref="CognitoException">It is too large, too slow or broken.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpContext context, JsonBodyReader bounds, int bytesMax)
    {
        if (context.Request.ContentLength > bytesMax) throw TooLarge(bytesMax);
        bounds.Bound(context, bytesMax);
        byte[] buffer = new byte[context.Request.ContentLength is { } told and > 0 ? told + 1 : FirstBufferBytes];
        int length = 0;
        try
        {
            while (true)
            {
                int read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted)
                    .ConfigureAwait(false);
                if (read == 0) return buffer.AsMemory(0, length);
                length += read;
                if (length > bytesMax) throw TooLarge(bytesMax);
                if (length == buffer.Length) Array.Resize(ref buffer, 2 * buffer.Length);
            }
        }
        catch (BadHttpRequestException e)
        {
            throw e.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => TooLarge(bytesMax),
                StatusCodes.Status408RequestTimeout => new CognitoException("RequestTimeoutException", 400,
                    "The body came too slowly: send it again."),
                _ => CognitoException.Serialization("The body ended early or is framed wrongly: send the request again."),
            };
        }
    }

    /// <summary>The body as a JSON object.</summary>
    /// <exception cref="CognitoException">It is none.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> utf8)
    {
        if (JsonBodyReader.FindMalformed(utf8.Span) is not null)
            throw CognitoException.Serialization("The body is not well-formed JSON in UTF-8, or nests deeper than "
                + $"{PoolJson.DepthMax}.");
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, new JsonDocumentOptions
            {
                MaxDepth = PoolJson.DepthMax, AllowDuplicateProperties = false,
            });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw CognitoException.Serialization("An object in the body has a member twice: leave one out.");
        }

        throw CognitoException.Serialization("The body is JSON, but no object.");
    }

    private static CognitoException TooLarge(int bytesMax) => new("RequestEntityTooLargeException", 413,
        FormattableString.Invariant($"The body is too large: at most {bytesMax} bytes are taken."));
}
