using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using SyncEngine.Hub.Pools;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace SyncEngine.Hub.Endpoints;

/// <summary>
/// Reads a request's JSON strictly: bounded in bytes, depth and slowness, and with no member that is unknown or repeated. Keeps
/// nothing between requests; thread-safe.
/// </summary>
internal sealed class JsonBodyReader(IOptions<SyncHubOptions> options)
{
    /// <summary>Largest body taken, in bytes, where an endpoint does not say otherwise.</summary>
    public const int BytesMaxDefault = 256 * 1024;

    private const int FirstBufferBytes = 4096;

    /// <summary>The body as a value, or why it is refused.</summary>
    public async ValueTask<JsonBody<T>> ReadAsync<T>(HttpContext context, int bytesMax = BytesMaxDefault)
        where T : class
    {
        if (!IsJson(context.Request)) return Problems.UnsupportedMediaType();
        if (context.Request.ContentLength > bytesMax) return Problems.TooLarge(bytesMax);
        Bound(context, bytesMax);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        try
        {
            int length = 0;
            while (true)
            {
                int read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted)
                    .ConfigureAwait(false);
                length += read;
                if (read == 0) return Parse<T>(buffer.AsMemory(0, length));
                if (length > bytesMax) return Problems.TooLarge(bytesMax);
                if (length == buffer.Length) buffer = Grow(buffer);
            }
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => Problems.TooLarge(bytesMax),
                StatusCodes.Status408RequestTimeout => Problems.SlowSender(),
                _ => Problems.BadRequest("broken-body", "The body ended early or is framed wrongly: send the request again."),
            };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>The bytes of a body as a value, or why they are refused.</summary>
    public static JsonBody<T> Parse<T>(ReadOnlyMemory<byte> utf8)
        where T : class
    {
        if (FindMalformed(utf8.Span) is { } malformed) return malformed;
        try
        {
            var documentOptions = new JsonDocumentOptions { MaxDepth = PoolJson.DepthMax, AllowDuplicateProperties = false };
            using JsonDocument document = JsonDocument.Parse(utf8, documentOptions);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return Problems.BadRequest("wrong-value", "Send a JSON object.", "$");
            if (JsonMembers.FindFault(root, PoolJson.Outside.GetTypeInfo(typeof(T)), "$") is { } fault)
                return fault;
            return root.Deserialize<T>(PoolJson.Outside) ?? throw new JsonException("An object cannot be null.");
        }
        catch (JsonException e) when (e.Path is not null)
        {
            return Problems.BadRequest("wrong-value",
                $"The value at {Problems.Shorten(e.Path)} is of the wrong kind or out of range: correct it.", e.Path);
        }
        catch (JsonException)
        {
            // All else has been checked by now.
            return Problems.BadRequest("repeated-member", "An object has a member twice: leave one out.");
        }
    }

    private static bool IsJson(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (type.Charset.Length == 0 || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8",
            StringComparison.OrdinalIgnoreCase))
        && request.Headers.ContentEncoding.Count == 0;

    /// <summary>Has reading fail where the body is too large or too slow.</summary>
    /// <param name="context">The request.</param>
    /// <param name="bytesMax">Largest body; null where the reader looks to that.</param>
    internal void Bound(HttpContext context, int? bytesMax)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = bytesMax;
        (double rate, TimeSpan grace) = (options.Value.BodyBytesPerSecondMin, options.Value.BodyGrace);
        var server = context.Features.Get<IHttpMinRequestBodyDataRateFeature>();
        if (HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol))
        {
            if (server is not null) server.MinDataRate = new MinDataRate(rate, grace);
            return;
        }

        // The server's rate is one for all bodies of a connection together, and ends the connection.
        if (server is not null) server.MinDataRate = null;
        context.Request.Body = new PacedBody(context.Request.Body, rate, grace);
    }

    private static byte[] Grow(byte[] buffer)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        return larger;
    }

    /// <summary>The place where the bytes are no JSON, or have a text that no string can hold.</summary>
    internal static Problem? FindMalformed(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty) return Problems.BadRequest("body-missing", "Send a JSON object as the body.");
        if (!Utf8.IsValid(utf8)) return Problems.BadRequest("malformed-json", "The body is not UTF-8: encode it so.");
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = PoolJson.DepthMax });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                    reader.GetString();
            }

            return null;
        }
        catch (JsonException e)
        {
            return Problems.MalformedJson((e.LineNumber ?? 0) + 1, (e.BytePositionInLine ?? 0) + 1,
                $"Correct it there; objects and lists nest at most {PoolJson.DepthMax} deep.");
        }
        catch (InvalidOperationException)
        {
            ReadOnlySpan<byte> before = utf8[..(int)reader.TokenStartIndex];
            return Problems.MalformedJson(before.Count((byte)'\n') + 1, before.Length - before.LastIndexOf((byte)'\n'),
                "An escape there is half of a surrogate pair: write both halves or none.");
        }
    }
}
