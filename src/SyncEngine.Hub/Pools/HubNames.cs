using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace SyncEngine.Hub.Pools;

/// <summary>What names may look like. A name that passes is safe in a row's key and in a path.</summary>
internal static class HubNames
{
    public const string PoolRule = "1 to 64 letters, digits, _ and -";
    public const string ProviderRule = "1 to 32 lowercase letters, digits and -";

    private const int PoolCharactersMax = 64;
    private const int ProviderCharactersMax = 32;
    private static readonly SearchValues<char> _poolCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    private static readonly SearchValues<char> _providerCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Whether it can be the name of a pool, or of a role.</summary>
    public static bool IsPool([NotNullWhen(true)] string? name) =>
        name is { Length: > 0 and <= PoolCharactersMax } && !name.AsSpan().ContainsAnyExcept(_poolCharacters);

    public static bool IsProvider([NotNullWhen(true)] string? name) =>
        name is { Length: > 0 and <= ProviderCharactersMax } && !name.AsSpan().ContainsAnyExcept(_providerCharacters);
}
