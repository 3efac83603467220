using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace SyncEngine.Hub.Endpoints;

/// <summary>
/// A refusal as problem details (RFC 9457): <c>type</c> is <c>urn:syncengine:</c> and the code, <c>detail</c> says what to
/// do. Always of
/// one shape, whatever the surrounding app does with its own errors.
/// </summary>
internal sealed record Problem(int Status, string Code, string Detail) : IResult
{
    public const string ContentType = "application/problem+json";

    /// <summary>The member of the body that is meant, as a JSON path.</summary>
    public string? Path { get; init; }

    /// <summary>Where the body is no JSON: line and byte of the line, from 1.</summary>
    public (long Line, long Position)? Place { get; init; }

    /// <summary>After how many seconds to try again.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>What the WWW-Authenticate header says.</summary>
    public string? Challenge { get; init; }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        if (RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (Challenge is not null) response.Headers.WWWAuthenticate = Challenge;
        byte[] body = ToBytes();
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, httpContext.RequestAborted).ConfigureAwait(false);
    }

    private byte[] ToBytes()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", "urn:syncengine:" + Code);
            json.WriteString("title", ReasonPhrases.GetReasonPhrase(Status));
            json.WriteNumber("status", Status);
            json.WriteString("detail", Detail);
            if (Path is not null) json.WriteString("path", Path);
            if (Place is { } place)
            {
                json.WriteNumber("line", place.Line);
                json.WriteNumber("position", place.Position);
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
