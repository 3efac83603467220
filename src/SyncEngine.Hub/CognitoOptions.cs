namespace SyncEngine.Hub;

/// <summary>The Cognito-wire-compatible API of a hub; used where the app maps it with <c>MapCognitoApi</c>.</summary>
public sealed class CognitoOptions
{
    /// <summary>The port on which alone the API answers; the app must listen on it. Default null: it answers on every port, what
    /// no other endpoint of the app takes.</summary>
    public int? Port { get; set; }

    /// <summary>The region that ids of new pools begin with and that clients are set up for: letters, digits, <c>_</c> and
    /// <c>-</c>, at most 18. Default <c>us-east-1</c>.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>Further regions whose ids and signatures are taken, such as those of pools that were imported. Default
    /// none.</summary>
    public IList<string> OtherRegions { get; } = [];

    /// <summary>The keys by which an app's backend and its operators sign; at most 32. Default none: what needs one is
    /// refused.</summary>
    public IList<CognitoDeveloperKey> DeveloperKeys { get; } = [];

    /// <summary>Functions that pools may name for the event SyncTrigger, by the last part of the function's ARN. Default
    /// none.</summary>
    public IDictionary<string, CognitoReceiver> Functions { get; } =
        new Dictionary<string, CognitoReceiver>(StringComparer.Ordinal);

    /// <summary>Streams that pools may send their changes to, by the stream's name. Default none.</summary>
    public IDictionary<string, CognitoReceiver> Streams { get; } =
        new Dictionary<string, CognitoReceiver>(StringComparer.Ordinal);

    /// <summary>What ARNs of OpenID Connect providers stand for, in every pool; at most 32. Default none.</summary>
    public IList<CognitoOpenIdConnectProvider> OpenIdConnectProviders { get; } = [];
}
