using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Which page of a list a request asks for: the query's cursor and limit.</summary>
internal readonly record struct Paging(string? Cursor, int Limit)
{
    public const int LimitMax = 100;
    public const string CursorDescription = "Where the page before ended: its next.";
    public const string LimitDescription = "Most entries of the page: 1 to 100; 100 without it.";

    private const int CursorCharactersMax = 256;

    /// <summary>Reads the query.</summary>
    public static Problem? TryRead(HttpRequest request, out Paging paging)
    {
        paging = new Paging(null, LimitMax);
        if (request.Query.TryGetValue("cursor", out var cursors))
        {
            if (cursors is not [{ Length: <= CursorCharactersMax } cursor])
                return Problems.BadRequest("bad-cursor", "Use the next of the page before as cursor, once.");
            paging = paging with { Cursor = cursor };
        }

        if (!request.Query.TryGetValue("limit", out var limits)) return null;
        if (limits is not [{ } text] || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit)
            || limit is < 1 or > LimitMax)
            return Problems.BadRequest("bad-limit", $"Use a limit of 1 to {LimitMax}.");
        paging = paging with { Limit = limit };
        return null;
    }
}
