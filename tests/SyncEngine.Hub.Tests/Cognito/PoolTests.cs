using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Pools;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Pools, their roles and tags by the Identity API.</summary>
public sealed class PoolTests : IAsyncLifetime
{
    private const string Nothing = "us-east-1:00000000-0000-0000-0000-000000000000";
    private CognitoApp _app = null!;

    public async Task InitializeAsync() => _app = await CognitoApp.StartAsync(options: static hub =>
        hub.Cognito.OpenIdConnectProviders.Add(new CognitoOpenIdConnectProvider
        {
            Issuer = "https://login.example.org", ClientIds = { "web" },
        }));

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_pool_is_made_and_described_as_it_was_given()
    {
        var body = new JsonObject
        {
            ["IdentityPoolName"] = "My game+1, live", ["AllowUnauthenticatedIdentities"] = true, ["AllowClassicFlow"] = true,
            ["DeveloperProviderName"] = "login.my.game",
            ["SupportedLoginProviders"] = new JsonObject
            {
                ["graph.facebook.com"] = "7346241598935552", ["www.amazon.com"] = "amzn1.application.abc",
                ["accounts.google.com"] = "123456789012.apps.googleusercontent.com", ["appleid.apple.com"] = "org.example.game",
            },
            ["OpenIdConnectProviderARNs"] = new JsonArray("arn:aws:iam::123456789012:oidc-provider/login.example.org"),
            ["CognitoIdentityProviders"] = new JsonArray(new JsonObject
            {
                ["ProviderName"] = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abc", ["ClientId"] = "client1",
                ["ServerSideTokenCheck"] = true,
            }),
            ["SamlProviderARNs"] = new JsonArray("arn:aws:iam::123456789012:saml-provider/corp"),
            ["IdentityPoolTags"] = new JsonObject { ["team"] = "blue" },
        };
        JsonElement made = await _app.DoAsync("CreateIdentityPool", body);
        string id = made.GetProperty("IdentityPoolId").GetString()!;
        body["IdentityPoolId"] = id;
        AssertSame(body, made);
        AssertSame(body, await _app.DoAsync("DescribeIdentityPool", new JsonObject { ["IdentityPoolId"] = id }));

        // The hub's own definition has all that it knows by itself.
        (_, JsonElement native) = await NativeAsync("My-game-1--live");
        Assert.Equal(6, native.GetProperty("providers").GetArrayLength());

        // A second pool of the same name is another pool.
        Assert.NotEqual(id, (await CreateAsync("My game+1, live")).GetProperty("IdentityPoolId").GetString());
    }

    [Fact]
    public async Task A_pool_is_updated_whole_and_keeps_the_name_of_its_developer_provider()
    {
        JsonElement made = await _app.DoAsync("CreateIdentityPool", new JsonObject
        {
            ["IdentityPoolName"] = "first", ["AllowUnauthenticatedIdentities"] = true, ["DeveloperProviderName"] = "dev",
            ["SupportedLoginProviders"] = new JsonObject { ["graph.facebook.com"] = "1" },
        });
        var update = new JsonObject
        {
            ["IdentityPoolId"] = made.GetProperty("IdentityPoolId").GetString(), ["IdentityPoolName"] = "second",
            ["AllowUnauthenticatedIdentities"] = false, ["DeveloperProviderName"] = "dev",
        };
        JsonElement changed = await _app.DoAsync("UpdateIdentityPool", update);
        Assert.Equal("second", changed.GetProperty("IdentityPoolName").GetString());
        Assert.False(changed.GetProperty("AllowUnauthenticatedIdentities").GetBoolean());
        Assert.False(changed.TryGetProperty("SupportedLoginProviders", out _));
        update["DeveloperProviderName"] = "other";
        Assert.StartsWith("InvalidParameterException", await _app.FailAsync(
            "UpdateIdentityPool", (JsonObject)update.DeepClone(), isSigned: true), StringComparison.Ordinal);
        update["IdentityPoolId"] = Nothing;
        Assert.StartsWith("ResourceNotFoundException", await _app.FailAsync(
            "UpdateIdentityPool", (JsonObject)update.DeepClone(), isSigned: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pools_are_listed_with_those_made_elsewhere_and_deleted_with_their_identities()
    {
        await _app.Hub.CreatePoolAsync("""{"name":"native","allowsGuests":true}""");
        string id = (await CreateAsync("aaa")).GetProperty("IdentityPoolId").GetString()!;
        await _app.AskAsync("GetId", new JsonObject { ["IdentityPoolId"] = id });
        JsonElement page = await _app.DoAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 });
        Assert.Equal(["aaa"], Names(page));
        page = await _app.DoAsync("ListIdentityPools", new JsonObject
        {
            ["MaxResults"] = 1, ["NextToken"] = page.GetProperty("NextToken").GetString(),
        });
        Assert.Equal(["native"], Names(page));
        string native = page.GetProperty("IdentityPools")[0].GetProperty("IdentityPoolId").GetString()!;
        Assert.False(page.TryGetProperty("NextToken", out _));

        // A pool that was made elsewhere keeps the id that it got, and needs no roles set.
        string guest = (await _app.AskAsync("GetId", new JsonObject { ["IdentityPoolId"] = native }))
            .GetProperty("IdentityId").GetString()!;
        await _app.CredentialsAsync(guest);
        await _app.DoAsync("DeleteIdentityPool", new JsonObject { ["IdentityPoolId"] = id });
        Assert.StartsWith("ResourceNotFoundException", await _app.FailAsync(
            "DescribeIdentityPool", new JsonObject { ["IdentityPoolId"] = id }, isSigned: true), StringComparison.Ordinal);
        (System.Net.HttpStatusCode status, _) = await NativeAsync("aaa");
        Assert.Equal(System.Net.HttpStatusCode.NotFound, status);
        Assert.NotEqual(id, (await CreateAsync("aaa")).GetProperty("IdentityPoolId").GetString());
    }

    [Fact]
    public async Task Ids_of_pools_and_identities_outlast_a_restart()
    {
        string folder = Directory.CreateTempSubdirectory("syncengine-hub-test").FullName;
        try
        {
            string id, guest;
            Signer signer;
            await using (CognitoApp first = await CognitoApp.StartAsync(folder: folder))
            {
                await first.Hub.CreatePoolAsync("""{"name":"kept","allowsGuests":true}""");
                id = Ids(await first.DoAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 })).Single();
                guest = (await first.AskAsync("GetId", new JsonObject { ["IdentityPoolId"] = id }))
                    .GetProperty("IdentityId").GetString()!;
                signer = await first.CredentialsAsync(guest);
            }

            await using CognitoApp second = await CognitoApp.StartAsync(folder: folder);
            Assert.Equal([id], Ids(await second.DoAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 })));
            await second.CredentialsAsync(guest);
            Answer answer = await second.Client.IdentityAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 }, signer);
            Assert.Equal("AccessDeniedException", answer.Error);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_pool_whose_import_broke_off_is_found_again_and_finished(int writes)
    {
        string folder = Directory.CreateTempSubdirectory("syncengine-hub-test").FullName;
        const string id = "eu-west-1:01234567-89ab-cdef-0123-456789abcdef";
        var asked = new JsonObject
        {
            ["identityPoolId"] = id,
            ["definition"] = new JsonObject { ["IdentityPoolName"] = "Old one", ["AllowUnauthenticatedIdentities"] = true },
            ["roles"] = new JsonObject { ["Roles"] = new JsonObject { ["unauthenticated"] = CognitoApp.GuestArn } },
        };
        static void Options(SyncHubOptions hub) => hub.Cognito.OtherRegions.Add("eu-west-1");
        try
        {
            await using (CognitoApp first = await CognitoApp.StartAsync(options: Options, folder: folder))
            {
                // The hub ends once so many definitions are on its disk.
                int written = 0;
                first.Hub.Services.GetRequiredService<PoolRegistry>().Changed += (_, _) =>
                {
                    if (++written == writes) throw new InvalidOperationException("The hub ends here.");
                };
                using HttpResponseMessage broken = await first.Hub.Admin.PutAsync("/admin/cognito/pools", Json(asked));
                Assert.Equal(System.Net.HttpStatusCode.InternalServerError, broken.StatusCode);
            }

            await using CognitoApp second = await CognitoApp.StartAsync(options: Options, folder: folder);
            for (int i = 0; i < 2; i++)
            {
                using HttpResponseMessage done = await second.Hub.Admin.PutAsync("/admin/cognito/pools", Json(asked));
                Assert.True(done.IsSuccessStatusCode, await done.Content.ReadAsStringAsync());
            }

            JsonElement page = await second.DoAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 10 });
            Assert.Equal([id], Ids(page));
            Assert.Equal(["Old one"], Names(page));
            JsonElement roles = await second.DoAsync("GetIdentityPoolRoles", new JsonObject { ["IdentityPoolId"] = id });
            AssertSame(new JsonObject { ["unauthenticated"] = CognitoApp.GuestArn }, roles.GetProperty("Roles"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("""{"AllowUnauthenticatedIdentities":true}""")]
    [InlineData("""{"IdentityPoolName":"a"}""")]
    [InlineData("""{"IdentityPoolName":"a/b","AllowUnauthenticatedIdentities":true}""")]
    [InlineData("""{"IdentityPoolName":"a","AllowUnauthenticatedIdentities":true,"DeveloperProviderName":"a b"}""")]
    [InlineData("""
        {"IdentityPoolName":"a","AllowUnauthenticatedIdentities":true,"SupportedLoginProviders":{"api.twitter.com":"1"}}
        """)]
    [InlineData("""
        {"IdentityPoolName":"a","AllowUnauthenticatedIdentities":true,
         "OpenIdConnectProviderARNs":["arn:aws:iam::123456789012:oidc-provider/unknown.example"]}
        """)]
    public async Task A_wrong_definition_is_refused_and_makes_no_pool(string body)
    {
        Answer answer = await _app.Client.IdentityAsync("CreateIdentityPool", body, Signer.Developer);
        Assert.Equal("InvalidParameterException", answer.Error);
        Assert.Empty(Names(await _app.DoAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 })));
    }

    [Fact]
    public async Task A_pool_without_roles_gives_no_credentials()
    {
        string id = (await CreateAsync("bare")).GetProperty("IdentityPoolId").GetString()!;
        string guest = (await _app.AskAsync("GetId", new JsonObject { ["IdentityPoolId"] = id }))
            .GetProperty("IdentityId").GetString()!;
        Assert.Equal("InvalidIdentityPoolConfigurationException: Invalid identity pool configuration. Check assigned IAM "
            + "roles for this pool.",
            await _app.FailAsync("GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = guest }));
        JsonElement roles = await _app.DoAsync("GetIdentityPoolRoles", new JsonObject { ["IdentityPoolId"] = id });
        Assert.Empty(roles.GetProperty("Roles").EnumerateObject());
    }

    [Fact]
    public async Task Roles_and_mappings_are_kept_and_become_the_hubs()
    {
        string id = (await CreateAsync("roles")).GetProperty("IdentityPoolId").GetString()!;
        var set = new JsonObject
        {
            ["IdentityPoolId"] = id,
            ["Roles"] = new JsonObject
            {
                ["authenticated"] = CognitoApp.AuthenticatedArn, ["unauthenticated"] = CognitoApp.GuestArn,
            },
            ["RoleMappings"] = new JsonObject
            {
                ["accounts.google.com"] = new JsonObject
                {
                    ["Type"] = "Rules", ["AmbiguousRoleResolution"] = "Deny",
                    ["RulesConfiguration"] = new JsonObject
                    {
                        ["Rules"] = new JsonArray(new JsonObject
                        {
                            ["Claim"] = "tier", ["MatchType"] = "Equals", ["Value"] = "gold",
                            ["RoleARN"] = "arn:aws:iam::123456789012:role/gold",
                        }),
                    },
                },
            },
        };
        await _app.DoAsync("SetIdentityPoolRoles", set);
        AssertSame(set, await _app.DoAsync("GetIdentityPoolRoles", new JsonObject { ["IdentityPoolId"] = id }));
        (_, JsonElement native) = await NativeAsync("roles");
        Assert.Equal("Cognito_GameUnauth_Role", native.GetProperty("guestRole").GetString());
        Assert.Equal("Cognito_GameAuth_Role", native.GetProperty("authenticatedRole").GetString());
        Assert.True(native.GetProperty("roles").TryGetProperty("gold", out _));

        // One ARN for both is two roles of the hub.
        await _app.DoAsync("SetIdentityPoolRoles", new JsonObject
        {
            ["IdentityPoolId"] = id,
            ["Roles"] = new JsonObject { ["authenticated"] = CognitoApp.GuestArn, ["unauthenticated"] = CognitoApp.GuestArn },
        });
        (_, native) = await NativeAsync("roles");
        Assert.NotEqual(native.GetProperty("guestRole").GetString(), native.GetProperty("authenticatedRole").GetString());
    }

    [Theory]
    [InlineData("""{"Roles":{"other":"arn:aws:iam::123456789012:role/x"}}""")]
    [InlineData("""{"Roles":{"authenticated":"short"}}""")]
    [InlineData("""{"Roles":{"authenticated":"arn:aws:s3:::not-a-role-at-all"}}""")]
    [InlineData("""{}""")]
    [InlineData("""{"Roles":{},"RoleMappings":{"a":{"Type":"Other"}}}""")]
    [InlineData("""{"Roles":{},"RoleMappings":{"a":{"Type":"Rules"}}}""")]
    public async Task Wrong_roles_are_refused(string json)
    {
        var body = (JsonObject)JsonNode.Parse(json)!;
        body["IdentityPoolId"] = (await CreateAsync("roles")).GetProperty("IdentityPoolId").GetString();
        Assert.StartsWith("InvalidParameterException", await _app.FailAsync("SetIdentityPoolRoles", body, isSigned: true),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tags_are_set_listed_and_removed()
    {
        string id = (await CreateAsync("tagged")).GetProperty("IdentityPoolId").GetString()!;
        string arn = $"arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{id}";
        await _app.DoAsync("TagResource", new JsonObject
        {
            ["ResourceArn"] = arn, ["Tags"] = new JsonObject { ["a"] = "1", ["b"] = "" },
        });
        await _app.DoAsync("UntagResource", new JsonObject { ["ResourceArn"] = arn, ["TagKeys"] = new JsonArray("a") });
        JsonElement tags = await _app.DoAsync("ListTagsForResource", new JsonObject { ["ResourceArn"] = arn });
        AssertSame(new JsonObject { ["Tags"] = new JsonObject { ["b"] = "" } }, tags);
        Assert.StartsWith("InvalidParameterException", await _app.FailAsync("ListTagsForResource",
            new JsonObject { ["ResourceArn"] = "arn:aws:s3:::a-bucket-of-somebody" }, isSigned: true), StringComparison.Ordinal);
        Assert.StartsWith("ResourceNotFoundException", await _app.FailAsync("TagResource", new JsonObject
        {
            ["ResourceArn"] = $"arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{Nothing}",
            ["Tags"] = new JsonObject(),
        }, isSigned: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Maps_of_principal_tags_are_kept()
    {
        string id = (await CreateAsync("principals")).GetProperty("IdentityPoolId").GetString()!;
        var map = new JsonObject
        {
            ["IdentityPoolId"] = id, ["IdentityProviderName"] = "accounts.google.com", ["UseDefaults"] = false,
            ["PrincipalTags"] = new JsonObject { ["user"] = "sub" },
        };
        var asked = new JsonObject { ["IdentityPoolId"] = id, ["IdentityProviderName"] = "accounts.google.com" };
        Assert.StartsWith("ResourceNotFoundException", await _app.FailAsync(
            "GetPrincipalTagAttributeMap", (JsonObject)asked.DeepClone(), isSigned: true), StringComparison.Ordinal);
        AssertSame(map, await _app.DoAsync("SetPrincipalTagAttributeMap", map));
        AssertSame(map, await _app.DoAsync("GetPrincipalTagAttributeMap", asked));
    }

    private static StringContent Json(JsonObject body) => new(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");

    private async Task<JsonElement> CreateAsync(string name) => await _app.DoAsync("CreateIdentityPool", new JsonObject
    {
        ["IdentityPoolName"] = name, ["AllowUnauthenticatedIdentities"] = true,
    });

    private async Task<(System.Net.HttpStatusCode Status, JsonElement Body)> NativeAsync(string name)
    {
        using HttpResponseMessage response = await _app.Hub.Admin.GetAsync($"/admin/pools/{name}");
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    private static IEnumerable<string> Names(JsonElement page) => page.GetProperty("IdentityPools").EnumerateArray()
        .Select(static pool => pool.GetProperty("IdentityPoolName").GetString()!);

    private static IEnumerable<string> Ids(JsonElement page) => page.GetProperty("IdentityPools").EnumerateArray()
        .Select(static pool => pool.GetProperty("IdentityPoolId").GetString()!);

    private static void AssertSame(JsonObject expected, JsonElement actual) =>
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(actual.GetRawText())), actual.GetRawText());
}
