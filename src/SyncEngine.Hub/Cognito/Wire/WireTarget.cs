using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SyncEngine.Hub.Cognito.Wire;

/// <summary>The request's target as it was on the wire: servers decode and shorten paths, and signatures are over
/// neither.</summary>
/// <param name="Path">The path, which begins with a slash.</param>
/// <param name="Query">The query without the question mark.</param>
internal readonly record struct WireTarget(string Path, string Query)
{
    public static WireTarget Of(HttpContext context)
    {
        string raw = context.Features.Get<IHttpRequestFeature>()?.RawTarget is { Length: > 0 } target
            ? target : context.Request.PathBase + context.Request.Path + context.Request.QueryString;
        if (raw[0] != '/')
        {
            // A proxy's absolute form, whose path begins at the third slash.
            int host = raw.IndexOf("://", StringComparison.Ordinal);
            int slash = host < 0 ? -1 : raw.IndexOf('/', host + 3);
            raw = slash < 0 ? "/" : raw[slash..];
        }

        int mark = raw.IndexOf('?', StringComparison.Ordinal);
        return mark < 0 ? new WireTarget(raw, "") : new WireTarget(raw[..mark], raw[(mark + 1)..]);
    }

    /// <summary>The path below a base path; null if it is not below it.</summary>
    public string? Below(string basePath)
    {
        string root = basePath.TrimEnd('/');
        if (!Path.StartsWith(root, StringComparison.Ordinal)) return null;
        string rest = Path[root.Length..];
        return rest.Length == 0 ? "/" : rest[0] == '/' ? rest : null;
    }

    /// <summary>The query's parameters.</summary>
    /// <exception cref="CognitoException">One comes twice.</exception>
    public IReadOnlyDictionary<string, string> Parameters()
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string part in Query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string name = Uri.UnescapeDataString(equals < 0 ? part : part[..equals]);
            if (!parameters.TryAdd(name, equals < 0 ? "" : Uri.UnescapeDataString(part[(equals + 1)..])))
                throw CognitoException.InvalidParameter("A parameter of the query comes twice: send it once.");
        }

        return parameters;
    }
}
