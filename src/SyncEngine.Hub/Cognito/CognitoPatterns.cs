using System.Text.RegularExpressions;

namespace SyncEngine.Hub.Cognito;

/// <summary>The patterns that the service documents, each for a whole text. <c>\w</c> is of ASCII there, and so here.</summary>
internal static partial class CognitoPatterns
{
    [GeneratedRegex(@"^[\w-]+:[0-9a-f-]+\z", RegexOptions.ECMAScript)]
    public static partial Regex Id();

    [GeneratedRegex(@"^[\w\s+=,.@-]+\z", RegexOptions.ECMAScript)]
    public static partial Regex PoolName();

    [GeneratedRegex(@"^[\w._-]+\z", RegexOptions.ECMAScript)]
    public static partial Regex DeveloperProvider();

    [GeneratedRegex(@"^[\w._:/-]+\z", RegexOptions.ECMAScript)]
    public static partial Regex ProviderName();

    [GeneratedRegex(@"^\d+\z", RegexOptions.ECMAScript)]
    public static partial Regex Digits();

    [GeneratedRegex(@"^[\w.;_/-]+\z", RegexOptions.ECMAScript)]
    public static partial Regex ClientId();

    [GeneratedRegex(@"^[\w+=,.@-]+\z", RegexOptions.ECMAScript)]
    public static partial Regex SessionName();

    [GeneratedRegex(@"^[\S]+\z")]
    public static partial Regex NextToken();
}
