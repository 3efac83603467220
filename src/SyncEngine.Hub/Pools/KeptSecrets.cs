namespace SyncEngine.Hub.Pools;

/// <summary>Carries secrets, which nobody can read back, into a new definition that leaves them out.</summary>
internal static class KeptSecrets
{
    /// <summary>A provider whose secret would go elsewhere than before and must be given again; null if there is none.</summary>
    public static PoolFault? Find(IdentityPool definition, IdentityPool before)
    {
        for (int i = 0; i < definition.Providers.Count; i++)
        {
            ProviderDefinition provider = definition.Providers[i];
            if (provider.AppSecret is null && SecretOf(provider, before) is { } kept && !IsSamePlace(provider, kept))
            {
                return new PoolFault(FormattableString.Invariant($"$.providers[{i}].appSecret"),
                    "Give the secret again, or an empty one to remove it: kind, appId or baseAddress changed, and a kept secret "
                    + "goes only where it was meant to go.");
            }
        }

        return null;
    }

    public static IdentityPool Fill(IdentityPool definition, IdentityPool before) => definition with
    {
        Providers = [.. definition.Providers.Select(provider =>
            provider.AppSecret is null ? provider with { AppSecret = SecretOf(provider, before)?.AppSecret } : provider)],
    };

    /// <summary>A provider as it is stored.</summary>
    public static ProviderDefinition Normalize(ProviderDefinition provider) => provider with
    {
        AppSecret = string.IsNullOrEmpty(provider.AppSecret) ? null : provider.AppSecret, HasAppSecret = false,
    };

    private static ProviderDefinition? SecretOf(ProviderDefinition provider, IdentityPool before) =>
        before.Providers.FirstOrDefault(there => there.Name == provider.Name && there.AppSecret is not null);

    private static bool IsSamePlace(ProviderDefinition one, ProviderDefinition other) =>
        one.Kind == other.Kind && one.AppId == other.AppId && one.BaseAddress == other.BaseAddress;
}
