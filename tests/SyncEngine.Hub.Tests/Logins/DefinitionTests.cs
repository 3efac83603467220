using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Definitions of providers: what is refused, in which words, and their JSON.</summary>
public sealed class DefinitionTests
{
    private static readonly ProviderDefinition _right = new()
    {
        Name = "corp-1",
        Kind = ProviderKind.OpenIdConnect,
        Issuer = "https://login.example.com/tenant",
        ClientIds = ["app"],
    };

    [Theory]
    [InlineData(nameof(ProviderKind.Google))]
    [InlineData(nameof(ProviderKind.Apple))]
    [InlineData(nameof(ProviderKind.Amazon))]
    public void A_public_provider_needs_a_client_id_only(string kind) =>
        Assert.Empty((_right with { Kind = Enum.Parse<ProviderKind>(kind), Issuer = null }).Faults());

    [Theory]
    [InlineData("")]
    [InlineData("Corp")]
    [InlineData("a/b")]
    [InlineData("a23456789012345678901234567890123")]
    public void A_wrong_name_is_a_fault(string name) => AssertFault(_right with { Name = name }, "name");

    [Theory]
    [InlineData("https://login.example.com", true)]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://[::1]:8080", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://login.example.com", false)]
    [InlineData("http://127.0.0.1.example.com", false)]
    [InlineData("http://localhost.example.com", false)]
    [InlineData("ftp://127.0.0.1", false)]
    [InlineData("https://user:word@login.example.com", false)]
    [InlineData("https://login.example.com?a=b", false)]
    [InlineData("https://login.example.com#a", false)]
    [InlineData("login.example.com", false)]
    [InlineData("", false)]
    public void Addresses_are_https_except_on_loopback(string address, bool right)
    {
        Assert.Equal(right, (_right with { Issuer = address }).Faults().Count == 0);
        Assert.Equal(right, (_right with { Kind = ProviderKind.Amazon, BaseAddress = address }).Faults().Count == 0);
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        AssertFault(_right with { Issuer = null }, "issuer");
        AssertFault(_right with { ClientIds = [] }, "clientIds");
        AssertFault(_right with { ClientIds = [""] }, "clientIds");
        AssertFault(_right with { Claims = [.. Enumerable.Range(0, 33).Select(static number => $"claim{number}")] }, "claims");
        AssertFault(_right with { Kind = (ProviderKind)77 }, "kind");
        AssertFault(new ProviderDefinition { Name = "face", Kind = ProviderKind.Facebook }, "appId");
        AssertFault(new ProviderDefinition { Name = "backend", Kind = ProviderKind.Developer }, "keys");
    }

    [Fact]
    public void Keys_are_points_of_the_curve_with_names_and_nothing_private()
    {
        using var made = new TestKey("ES256", "k1");
        DeveloperKey key = Registered(made);
        Assert.Empty(Of(key).Faults());
        AssertFault(Of(key, key), "kid");
        AssertFault(Of(key with { Kid = null }), "kid");
        AssertFault(Of(key with { D = key.X }), "private part");
        AssertFault(Of(key with { Crv = "P-384" }), "P-256");
        AssertFault(Of(key with { X = "AQAB" }), "32 bytes");
        AssertFault(Of(key with { X = new string('A', 43), Y = new string('A', 43) }), "no point");
        AssertFault(_right with { Keys = [key] }, "only a developer provider");
        static ProviderDefinition Of(params DeveloperKey[] keys) =>
            new() { Name = "backend", Kind = ProviderKind.Developer, Keys = keys };
    }

    [Fact]
    public void Faults_end_in_an_exception_where_a_provider_is_opened()
    {
        using var bench = new LoginBench();
        ArgumentException refused = Assert.Throws<ArgumentException>(
            () => bench.Providers.Open(LoginBench.Pool, _right with { Issuer = null }));
        Assert.Contains("give the issuer's address", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_definition_survives_JSON()
    {
        using var made = new TestKey("ES256", "k1");
        ProviderDefinition all = _right with
        {
            AppSecret = "word",
            AuthorizedParties = ["b"],
            Claims = ["c"],
            Keys = [Registered(made)],
            RequiresNonce = false,
        };
        string json = JsonSerializer.Serialize(all, JsonSerializerOptions.Web);
        Assert.Contains("\"kind\":\"openid-connect\"", json, StringComparison.Ordinal);
        ProviderDefinition read = JsonSerializer.Deserialize<ProviderDefinition>(json, JsonSerializerOptions.Web)!;
        Assert.Equal(json, JsonSerializer.Serialize(read, JsonSerializerOptions.Web));
        Assert.Equal(all.Keys, read.Keys);
        ProviderDefinition least = JsonSerializer.Deserialize<ProviderDefinition>(
            """{"name":"g","kind":"google","clientIds":["a"]}""", JsonSerializerOptions.Web)!;
        Assert.True(least.RequiresNonce);
        Assert.Empty(least.Faults());
    }

    [Fact]
    public void A_list_that_is_null_is_a_fault_and_no_crash()
    {
        ProviderDefinition read = JsonSerializer.Deserialize<ProviderDefinition>(
            """{"name":"g","kind":"google","clientIds":null,"claims":null,"authorizedParties":[null],"keys":null}""",
            JsonSerializerOptions.Web)!;
        Assert.Equal(3, read.Faults().Count);
    }

    [Fact]
    public void The_secret_is_not_shown()
    {
        ProviderDefinition secret = _right with { AppSecret = "the-secret" };
        Assert.DoesNotContain("the-secret", secret.ToString(), StringComparison.Ordinal);
        Assert.Null(secret.WithoutSecret().AppSecret);
    }

    /// <summary>A key as an operator registers it.</summary>
    internal static DeveloperKey Registered(TestKey key)
    {
        JsonObject jwk = key.Public();
        return jwk.Deserialize<DeveloperKey>(JsonSerializerOptions.Web)!;
    }

    private static void AssertFault(ProviderDefinition definition, string words) =>
        Assert.Contains(definition.Faults(), fault => fault.Contains(words, StringComparison.Ordinal));
}
