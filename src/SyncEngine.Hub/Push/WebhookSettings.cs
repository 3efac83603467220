namespace SyncEngine.Hub.Push;

/// <summary>What an operator says of a webhook.</summary>
/// <param name="Url">https, or http on loopback; at most 2,048 characters, without user and password.</param>
/// <param name="Event">What it is called for.</param>
/// <param name="Datasets">Pattern of the datasets it hears of; "*" for all.</param>
internal sealed record WebhookSettings(string Url, WebhookEvent Event, string Datasets = "*")
{
    private const int UrlLengthMax = 2048;

    /// <summary>The address.</summary>
    /// <exception cref="ArgumentException">A setting cannot be taken; the message says why.</exception>
    public Uri Check(WebhookOptions options)
    {
        if (!Enum.IsDefined(Event)) throw new ArgumentException("A webhook's event is \"change\" or \"proposal\".");
        if (!DatasetPattern.IsValid(Datasets))
            throw new ArgumentException("A pattern of datasets has 1 to 128 of the characters A-Z a-z 0-9 _ . : - and *.");
        if (Url.Length > UrlLengthMax || !Uri.TryCreate(Url, UriKind.Absolute, out Uri? url)
            || url.UserInfo.Length > 0 || url.Fragment.Length > 0)
        {
            throw new ArgumentException(
                "A webhook's url is absolute, of at most 2,048 characters, without user, password and fragment.");
        }

        bool isAllowed = url.Scheme == Uri.UriSchemeHttps
            || (url.Scheme == Uri.UriSchemeHttp && (url.IsLoopback || options.AllowsHttp));
        return isAllowed ? url : throw new ArgumentException(
            "A webhook's url begins with https:// (http:// only on loopback, or with SyncHub:Webhooks:AllowsHttp).");
    }
}
