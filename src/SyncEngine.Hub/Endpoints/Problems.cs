using Microsoft.AspNetCore.Http;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The refusals that several endpoints share. Each detail says what to do next.</summary>
internal static class Problems
{
    private const int CharactersMax = 200;

    /// <summary>400: the request is not as it must be.</summary>
    public static Problem BadRequest(string code, string detail, string? path = null) =>
        new(StatusCodes.Status400BadRequest, code, detail) { Path = path is null ? null : Shorten(path) };

    /// <summary>400: the body is no JSON.</summary>
    public static Problem MalformedJson(long line, long position, string detail) =>
        new(StatusCodes.Status400BadRequest, "malformed-json",
            FormattableString.Invariant($"The body is not JSON at line {line}, byte {position}. {detail}"))
        {
            Place = (line, position),
        };

    /// <summary>401: say who you are.</summary>
    public static Problem Unauthorized(string code, string detail, string challenge) =>
        new(StatusCodes.Status401Unauthorized, code, detail) { Challenge = challenge };

    /// <summary>403: known, but not allowed.</summary>
    public static Problem Forbidden(string code, string detail) => new(StatusCodes.Status403Forbidden, code, detail);

    /// <summary>404: there is no such thing.</summary>
    public static Problem NotFound(string code, string detail) => new(StatusCodes.Status404NotFound, code, detail);

    /// <summary>404: nothing answers at this address.</summary>
    public static Problem NoSuchAddress() =>
        NotFound("no-such-address", "Nothing answers to this method at this address: check both.");

    /// <summary>408: the body came too slowly.</summary>
    public static Problem SlowSender() =>
        new(StatusCodes.Status408RequestTimeout, "slow-sender", "The body came too slowly: send the request again at once.");

    /// <summary>409: it contradicts what there is.</summary>
    public static Problem Conflict(string code, string detail) => new(StatusCodes.Status409Conflict, code, detail);

    /// <summary>412: it is no longer what the caller saw.</summary>
    public static Problem PreconditionFailed(string code, string detail) =>
        new(StatusCodes.Status412PreconditionFailed, code, detail);

    /// <summary>413: the body is too large.</summary>
    public static Problem TooLarge(long bytesMax) =>
        new(StatusCodes.Status413PayloadTooLarge, "body-too-large",
            FormattableString.Invariant($"Send at most {bytesMax:N0} bytes."));

    /// <summary>415: the body is of a kind that is not taken.</summary>
    public static Problem UnsupportedMediaType() =>
        new(StatusCodes.Status415UnsupportedMediaType, "not-json",
            "Send the body as Content-Type: application/json in UTF-8, without a Content-Encoding.");

    /// <summary>428: a change must say what it changes.</summary>
    public static Problem PreconditionRequired(string detail) =>
        new(StatusCodes.Status428PreconditionRequired, "condition-missing", detail);

    /// <summary>429: too many requests.</summary>
    public static Problem TooManyRequests(int retryAfterSeconds) =>
        new(StatusCodes.Status429TooManyRequests, "too-many-requests",
            FormattableString.Invariant($"Too many requests: wait {retryAfterSeconds} s, and ask less often."))
        {
            RetryAfterSeconds = retryAfterSeconds,
        };

    /// <summary>503: the hub cannot do it now.</summary>
    public static Problem Unavailable(string code, string detail, int retryAfterSeconds) =>
        new(StatusCodes.Status503ServiceUnavailable, code, detail) { RetryAfterSeconds = retryAfterSeconds };

    /// <summary>Text of a caller as far as it is repeated in an answer.</summary>
    public static string Shorten(string text)
    {
        if (text.Length <= CharactersMax) return text;
        int end = char.IsHighSurrogate(text[CharactersMax - 1]) ? CharactersMax - 1 : CharactersMax;
        return string.Concat(text.AsSpan(0, end), "...");
    }
}
