using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The condition of a change: what the caller saw, in the header If-Match (RFC 9110).</summary>
internal static class EntityTags
{
    private const int TagsMax = 16;

    /// <summary>
    /// Whether an entity tag is one that the request expects; null where the request has no condition. A header that cannot be
    /// read expects nothing that exists.
    /// </summary>
    public static Func<string, bool>? ConditionOf(HttpRequest request)
    {
        if (request.Headers.IfMatch.Count == 0) return null;
        if (!EntityTagHeaderValue.TryParseStrictList(request.Headers.IfMatch, out IList<EntityTagHeaderValue>? tags)
            || tags.Count > TagsMax)
            return static _ => false;
        return current => tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || (!tag.IsWeak && tag.Tag == current));
    }
}
