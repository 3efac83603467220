using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>A pool as this API's calls define and show it, and as the hub does.</summary>
internal static class PoolMapping
{
    private const int ProvidersMax = 10;
    private const int ArnMax = 2048;
    private const int ArnMin = 20;
    private const int TagsMax = 50;
    private const string OidcMark = ":oidc-provider/";

    /// <summary>Reads a definition.</summary>
    /// <param name="body">The call's body.</param>
    /// <param name="before">The hub's definition that it replaces, or the begin of a new one.</param>
    /// <param name="setup">What was set up before.</param>
    /// <param name="known">Providers whose ARNs are known beside the pool's.</param>
    /// <exception cref="CognitoException">A member is wrong, or asks for what the hub does not have.</exception>
    public static (IdentityPool Definition, CognitoIdentitySetup Setup) Read(
        JsonElement body, IdentityPool before, CognitoIdentitySetup setup, IEnumerable<CognitoOpenIdConnectProvider> known)
    {
        bool allowsGuests = body.Truth("AllowUnauthenticatedIdentities")
            ?? throw CognitoMembers.Missing("AllowUnauthenticatedIdentities");
        var providers = new List<ProviderDefinition>(before.Providers.Where(static p => p.Kind == ProviderKind.Developer));
        foreach ((string name, string id) in body.Map("SupportedLoginProviders", ProvidersMax, 128, 128,
            CognitoPatterns.ProviderName(), CognitoPatterns.ClientId()))
            providers.Add(Big(before, name, id));
        var arns = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string arn in body.Texts("OpenIdConnectProviderARNs", ProvidersMax, ArnMax) ?? [])
        {
            ProviderDefinition provider = ByArn(before, arn, known);
            providers.Add(provider);
            arns[provider.Issuer!] = arn;
        }

        var isChecked = new List<string>();
        foreach (JsonElement userPool in body.List("CognitoIdentityProviders", ProvidersMax) ?? [])
        {
            if (userPool.ValueKind != JsonValueKind.Object)
                throw CognitoException.Serialization("A member of CognitoIdentityProviders is not an object: correct it.");
            string name = userPool.RequiredText("ProviderName", 128, CognitoPatterns.ProviderName());
            string client = userPool.RequiredText("ClientId", 128, CognitoPatterns.ClientId());
            if (userPool.Truth("ServerSideTokenCheck") == true) isChecked.Add(name);
            AddUserPool(providers, before, name, client);
        }

        if (providers.GroupBy(static p => p.Name).Any(static same => same.Count() > 1))
            throw CognitoException.InvalidParameter("A provider comes twice: name each once.");
        string? developer = body.Text("DeveloperProviderName", 128, CognitoPatterns.DeveloperProvider());
        if (developer is not null && providers.Any(p => p.Name == developer && p.Kind != ProviderKind.Developer))
            throw CognitoException.ResourceConflict(
                "The developer provider has the name of another provider: choose another one.");
        if (setup.DeveloperProviderName is not null && developer is not null && developer != setup.DeveloperProviderName)
            throw CognitoException.InvalidParameter("The developer provider name of an identity pool cannot be changed.");
        IReadOnlyDictionary<string, string> tags = body.Map("IdentityPoolTags", TagsMax, 128, 256);
        return (before with { AllowsGuests = allowsGuests, Providers = providers }, setup with
        {
            DeveloperProviderName = setup.DeveloperProviderName ?? developer, AllowClassicFlow = body.Truth("AllowClassicFlow"),
            OpenIdConnectArns = arns, CheckedProviders = isChecked, Tags = tags.Count > 0 ? tags : setup.Tags,
            SamlProviderArns = body.Texts("SamlProviderARNs", ProvidersMax, ArnMax) ?? [],
        });
    }

    /// <summary>A pool as the calls show it.</summary>
    public static JsonObject Show(CognitoPool pool)
    {
        CognitoIdentitySetup setup = pool.Row.Identity;
        var shown = new JsonObject
        {
            ["IdentityPoolId"] = pool.Id, ["IdentityPoolName"] = pool.Row.DisplayName ?? pool.Name,
            ["AllowUnauthenticatedIdentities"] = pool.Definition.AllowsGuests,
        };
        if (setup.AllowClassicFlow is { } classic) shown["AllowClassicFlow"] = classic;
        if (setup.DeveloperProviderName is { } developer) shown["DeveloperProviderName"] = developer;
        (var big, var arns, var userPools) = (new JsonObject(), new JsonArray(), new JsonArray());
        foreach (ProviderDefinition provider in pool.Definition.Providers)
        {
            string name = ProviderNames.Of(pool.Definition, provider.Name);
            if (ProviderNames.KindOf(name) is not null && provider.Kind != ProviderKind.OpenIdConnect)
                big[name] = provider.AppId ?? string.Join(';', provider.Audiences);
            else if (provider.Kind != ProviderKind.OpenIdConnect) continue;
            else if (!IsUserPool(name))
                arns.Add(setup.OpenIdConnectArns.GetValueOrDefault(provider.Issuer!)
                    ?? $"arn:aws:iam::000000000000{OidcMark}{name}");
            else foreach (string client in provider.Audiences)
                userPools.Add(new JsonObject
                {
                    ["ProviderName"] = name, ["ClientId"] = client,
                    ["ServerSideTokenCheck"] = setup.CheckedProviders.Contains(name),
                });
        }

        if (big.Count > 0) shown["SupportedLoginProviders"] = big;
        if (arns.Count > 0) shown["OpenIdConnectProviderARNs"] = arns;
        if (userPools.Count > 0) shown["CognitoIdentityProviders"] = userPools;
        if (setup.SamlProviderArns.Count > 0)
            shown["SamlProviderARNs"] = new JsonArray([.. setup.SamlProviderArns.Select(static arn => (JsonNode)arn)]);
        shown["IdentityPoolTags"] = Show(setup.Tags);
        return shown;
    }

    public static JsonObject Show(IReadOnlyDictionary<string, string> map) =>
        new(map.Select(static entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value)));

    /// <summary>A name for the hub's pool, made of the name that this API shows.</summary>
    public static string HubName(string shown, string suffix)
    {
        string name = string.Concat(shown.Select(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-'));
        return name[..Math.Min(name.Length, 48)] + suffix;
    }

    private static ProviderDefinition Big(IdentityPool before, string name, string id)
    {
        ProviderKind kind = ProviderNames.KindOf(name) ?? throw CognitoException.InvalidParameter(
            $"{name} is not served by this hub: graph.facebook.com, accounts.google.com, www.amazon.com and appleid.apple.com "
            + "are; others as OpenID Connect providers.");
        ProviderDefinition provider = before.Providers.FirstOrDefault(known => known.Kind == kind)
            ?? new ProviderDefinition { Name = kind.ToString().ToLowerInvariant(), Kind = kind, RequiresNonce = false };
        return kind is ProviderKind.Facebook or ProviderKind.Amazon ? provider with { AppId = id }
            : provider with { Audiences = [.. id.Split(';', StringSplitOptions.RemoveEmptyEntries)] };
    }

    private static ProviderDefinition ByArn(
        IdentityPool before, string arn, IEnumerable<CognitoOpenIdConnectProvider> known)
    {
        int mark = arn.IndexOf(OidcMark, StringComparison.Ordinal);
        if (arn.Length < ArnMin || mark < 0)
            throw CognitoException.InvalidParameter($"{arn} is no ARN of an OpenID Connect provider.");
        string name = arn[(mark + OidcMark.Length)..];
        if (ProviderNames.Find(before, name) is { Kind: ProviderKind.OpenIdConnect } there) return there;
        CognitoOpenIdConnectProvider provider = known.FirstOrDefault(one => ProviderNames.Bare(one.Issuer) == name)
            ?? throw CognitoException.InvalidParameter($"The hub does not know the OpenID Connect provider {name}: name its "
                + $"issuer and client ids in {SyncHubOptions.Section}:Cognito:OpenIdConnectProviders.");
        return new ProviderDefinition
        {
            Name = HubProviderName(name), Kind = ProviderKind.OpenIdConnect, Issuer = provider.Issuer,
            Audiences = [.. provider.ClientIds], RequiresNonce = false,
        };
    }

    private static void AddUserPool(List<ProviderDefinition> providers, IdentityPool before, string name, string client)
    {
        string issuer = "https://" + name;
        int there = providers.FindIndex(known => known.Issuer == issuer);
        if (there >= 0)
        {
            providers[there] = providers[there] with { Audiences = [.. providers[there].Audiences.Append(client).Distinct()] };
            return;
        }

        ProviderDefinition provider = before.Providers.FirstOrDefault(known => known.Issuer == issuer) ?? new ProviderDefinition
        {
            Name = HubProviderName(name), Kind = ProviderKind.OpenIdConnect, Issuer = issuer, RequiresNonce = false,
        };
        providers.Add(provider with { Audiences = [client] });
    }

    private static bool IsUserPool(string name) => name.StartsWith("cognito-idp.", StringComparison.Ordinal);

    private static string HubProviderName(string name)
    {
        string shown = string.Concat(name.Select(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '-'));
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 3));
        return $"{shown[..Math.Min(shown.Length, 24)]}-{hash}";
    }
}
