namespace SyncEngine.Hub.Pools;

/// <summary>Finds what is wrong with a provider's definition, which comes from outside: any member may be null.</summary>
internal static class ProviderCheck
{
    private const int ListMax = 16;
    private const int ClaimsMax = 32;
    private const int TextCharactersMax = 256;
    private const int AddressCharactersMax = 1000;
    private const int KeyCharactersMax = 2000;
    private const string AddressAdvice = "Give an https address, without query and fragment; http only on this machine.";

    /// <summary>The first fault; null if the definition is sound.</summary>
    public static PoolFault? Find(ProviderDefinition? provider, string path)
    {
        if (provider is null) return new PoolFault(path, "Give an object with at least name and kind.");
        if (!HubNames.IsProvider(provider.Name))
            return new PoolFault(path + ".name", $"A provider's name is {HubNames.ProviderRule}.");
        if (!Enum.IsDefined(provider.Kind))
            return new PoolFault(path + ".kind", "Use openid-connect, google, apple, facebook, amazon or developer.");
        if (provider.Issuer is not null && !IsAddress(provider.Issuer)) return new PoolFault(path + ".issuer", AddressAdvice);
        if (provider.BaseAddress is not null && !IsAddress(provider.BaseAddress))
            return new PoolFault(path + ".baseAddress", AddressAdvice);
        return FindInText(provider.AppId, path + ".appId")
            ?? FindInList(provider.Audiences, ListMax, TextCharactersMax, path + ".audiences")
            ?? FindInList(provider.AuthorizedParties, ListMax, TextCharactersMax, path + ".authorizedParties")
            ?? FindInList(provider.Claims, ClaimsMax, PoolCheck.ClaimCharactersMax, path + ".claims")
            ?? FindInList(provider.Keys, ListMax, KeyCharactersMax, path + ".keys")
            ?? FindInKind(provider, path);
    }

    /// <summary>Whether it is an address that a hub may ask: https, or http where nothing leaves this machine.</summary>
    public static bool IsAddress(string text) =>
        text.Length <= AddressCharactersMax && Uri.TryCreate(text, UriKind.Absolute, out Uri? address)
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
        && address.UserInfo.Length == 0 && address.Query.Length == 0 && address.Fragment.Length == 0;

    private static PoolFault? FindInKind(ProviderDefinition provider, string path)
    {
        bool isDeveloper = provider.Kind == ProviderKind.Developer;
        if (provider.Kind == ProviderKind.OpenIdConnect && provider.Issuer is null)
            return new PoolFault(path + ".issuer", "Name the issuer of the ID tokens, such as https://login.example.org.");
        if (provider.Kind is ProviderKind.OpenIdConnect or ProviderKind.Google or ProviderKind.Apple
            && provider.Audiences.Count == 0)
            return new PoolFault(path + ".audiences", "Name the app's client id at the provider.");
        if (provider.Kind is ProviderKind.Facebook or ProviderKind.Amazon && string.IsNullOrEmpty(provider.AppId))
            return new PoolFault(path + ".appId", "Name the app's id at the provider.");
        if (provider.Kind != ProviderKind.Facebook && !string.IsNullOrEmpty(provider.AppSecret))
            return new PoolFault(path + ".appSecret", "Leave the secret out: only facebook uses one.");
        if (provider.AppSecret?.Length > TextCharactersMax)
            return new PoolFault(path + ".appSecret", $"A secret has at most {TextCharactersMax} characters.");
        if (!isDeveloper && provider.Keys.Count > 0)
            return new PoolFault(path + ".keys", "Leave the keys out: only developer uses them; the others publish theirs.");
        return isDeveloper ? FindInKeys(provider, path) : null;
    }

    private static PoolFault? FindInKeys(ProviderDefinition provider, string path)
    {
        if (provider.Keys.Count == 0)
            return new PoolFault(path + ".keys", "Give the public key of the app's backend as a JWK.");
        for (int i = 0; i < provider.Keys.Count; i++)
        {
            if (DeveloperKey.FaultOf(provider.Keys[i]) is { } advice)
                return new PoolFault(FormattableString.Invariant($"{path}.keys[{i}]"), advice);
        }

        return null;
    }

    private static PoolFault? FindInText(string? text, string path) =>
        text is null or { Length: > 0 and <= TextCharactersMax }
            ? null : new PoolFault(path, $"Give 1 to {TextCharactersMax} characters, or leave the member out.");

    private static PoolFault? FindInList(IReadOnlyList<string>? texts, int countMax, int charactersMax, string path)
    {
        if (texts is null) return new PoolFault(path, "Give a list, which may be empty.");
        if (texts.Count > countMax) return new PoolFault(path, $"Give at most {countMax}.");
        for (int i = 0; i < texts.Count; i++)
        {
            if (texts[i] is not { Length: > 0 } text || text.Length > charactersMax)
                return new PoolFault(FormattableString.Invariant($"{path}[{i}]"),
                    $"Give a text of 1 to {charactersMax} characters.");
        }

        return null;
    }
}
