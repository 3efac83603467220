namespace SyncEngine.Hub.Cognito.Wire;

/// <summary>The paths of the Sync API. Paths are taken as they were on the wire, and each part is decoded once.</summary>
internal static class SyncRoutes
{
    private const int SegmentsMax = 10;

    // A part in braces matches anything but a dot segment; what is written out is preferred to it.
    private static readonly (string Method, string[] Parts, string Operation)[] _routes = Routes(
        ("GET", "identitypools", "ListIdentityPoolUsage"),
        ("GET", "identitypools/{pool}", "DescribeIdentityPoolUsage"),
        ("GET", "identitypools/{pool}/configuration", "GetIdentityPoolConfiguration"),
        ("POST", "identitypools/{pool}/configuration", "SetIdentityPoolConfiguration"),
        ("GET", "identitypools/{pool}/events", "GetCognitoEvents"),
        ("POST", "identitypools/{pool}/events", "SetCognitoEvents"),
        ("POST", "identitypools/{pool}/bulkpublish", "BulkPublish"),
        ("POST", "identitypools/{pool}/getBulkPublishDetails", "GetBulkPublishDetails"),
        ("POST", "identitypools/{pool}/identity/{identity}/device", "RegisterDevice"),
        ("GET", "identitypools/{pool}/identities/{identity}", "DescribeIdentityUsage"),
        ("GET", "identitypools/{pool}/identities/{identity}/datasets", "ListDatasets"),
        ("GET", "identitypools/{pool}/identities/{identity}/datasets/{dataset}", "DescribeDataset"),
        ("POST", "identitypools/{pool}/identities/{identity}/datasets/{dataset}", "UpdateRecords"),
        ("DELETE", "identitypools/{pool}/identities/{identity}/datasets/{dataset}", "DeleteDataset"),
        ("GET", "identitypools/{pool}/identities/{identity}/datasets/{dataset}/records", "ListRecords"),
        ("POST", "identitypools/{pool}/identities/{identity}/datasets/{dataset}/subscriptions/{device}", "SubscribeToDataset"),
        ("DELETE", "identitypools/{pool}/identities/{identity}/datasets/{dataset}/subscriptions/{device}",
            "UnsubscribeFromDataset"));

    /// <summary>The operation that a path names, with the parts of the path.</summary>
    /// <exception cref="CognitoException">There is none, or a part is a dot segment, empty or wrongly encoded.</exception>
    public static (string Operation, IReadOnlyDictionary<string, string> Parts) Find(string method, string path)
    {
        string[] segments = path[1..].Split('/');
        if (segments.Length > 1 && segments[^1].Length == 0) segments = segments[..^1];
        if (segments.Length <= SegmentsMax && segments[0] == "identitypools")
        {
            string[] decoded = [.. segments.Select(Decode)];
            foreach ((string known, string[] parts, string operation) in _routes)
            {
                if (known == method && Match(parts, decoded) is { } found) return (operation, found);
            }
        }

        throw CognitoException.UnknownOperation("There is no such operation: check method and path.");
    }

    private static Dictionary<string, string>? Match(string[] parts, string[] segments)
    {
        if (parts.Length != segments.Length) return null;
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < parts.Length; i++)
        {
            if (parts[i][0] == '{') found[parts[i][1..^1]] = segments[i];
            else if (parts[i] != segments[i]) return null;
        }

        return found;
    }

    private static string Decode(string segment)
    {
        string text = Uri.UnescapeDataString(segment);
        if (text is "." or "..")
            throw CognitoException.InvalidParameter(
                "A part of the path is '.' or '..': no pool, identity or dataset is named so.");
        if (text.Length == 0) throw CognitoException.InvalidParameter("A part of the path is empty.");
        if (text.Contains('\uFFFD', StringComparison.Ordinal) || text.Contains('/', StringComparison.Ordinal)
            || text.Any(char.IsControl))
            throw CognitoException.InvalidParameter(
                "A part of the path is wrongly encoded, or has a slash or control character.");
        return text;
    }

    private static (string, string[], string)[] Routes(params (string Method, string Path, string Operation)[] routes) =>
        [.. routes.Select(static route => (route.Method, route.Path.Split('/'), route.Operation))];
}
