using System.Text.Json;
using SyncEngine.Policies;
using Xunit;

namespace SyncEngine.Tests.Policies;

public sealed class PolicyTests
{
    private const string Example = """
        {"version":1,"statements":[
         {"effect":"allow","action":["dataset:*"],"resource":"identity/${identity.id}/dataset/*"},
         {"effect":"deny","action":["dataset:write"],"resource":"identity/*/dataset/entitlements"},
         {"effect":"allow","action":"resource:invoke","resource":"api/orders/${claim.tenant}/*",
          "condition":{"equals":{"role":"auth"}}}]}
        """;

    private static readonly PolicyContext _ann = new()
    {
        IdentityId = "ann", Pool = "game", Role = "auth", DeviceId = "phone",
        Claims = new Dictionary<string, string> { ["tenant"] = "acme" },
    };

    [Theory]
    [InlineData("dataset:write", "identity/ann/dataset/save", true, 0)]
    [InlineData("dataset:read", "identity/ann/dataset/entitlements", true, 0)]
    [InlineData("dataset:write", "identity/ann/dataset/entitlements", false, 1)]
    [InlineData("dataset:write", "identity/bob/dataset/entitlements", false, 1)]
    [InlineData("dataset:read", "identity/bob/dataset/save", false, -1)]
    [InlineData("dataset:read", "identity/ann/dataset/", false, -1)]
    [InlineData("dataset:read", "identity/ann/dataset/a/b", false, -1)]
    [InlineData("dataset:read", "identity/ANN/dataset/save", false, -1)]
    [InlineData("dataset", "identity/ann/dataset/save", false, -1)]
    [InlineData("resource:invoke", "api/orders/acme/7", true, 2)]
    [InlineData("resource:invoke", "api/orders/other/7", false, -1)]
    [InlineData("resource:invoke", "api/orders/acme", false, -1)]
    [InlineData("resource:invoke", "/api/orders/acme/7", false, -1)]
    [InlineData("", "", false, -1)]
    public void The_example_decides(string action, string resource, bool isAllowed, int statement)
    {
        Policy policy = Policy.Parse(Example);
        Assert.Equal(new PolicyDecision(isAllowed, statement), policy.Decide(action, resource, _ann));
        Assert.Equal(isAllowed, policy.Allows(action, resource, _ann));
    }

    [Fact]
    public void A_condition_asks_for_its_role_too()
    {
        Policy policy = Policy.Parse(Example);
        Assert.False(policy.Allows("resource:invoke", "api/orders/acme/7", _ann with { Role = "guest" }));
        Assert.False(policy.Allows("resource:invoke", "api/orders/acme/7", _ann with { Role = null }));
        Assert.Equal("its condition on role is not met",
            policy.Explain("resource:invoke", "api/orders/acme/7", _ann with { Role = "guest" })[2].Reason);
    }

    [Theory]
    [InlineData("*", "api/orders/acme/7", false)]
    [InlineData("*", "api/orders/*/7", true)]
    [InlineData("**", "api/orders/acme/7", false)]
    [InlineData("a/b", "api/orders/a/b", false)]
    [InlineData("a/b", "api/orders/a/b/7", false)]
    [InlineData("acme/*", "api/orders/acme/7", false)]
    [InlineData("${role}", "api/orders/auth/7", false)]
    [InlineData("", "api/orders//7", false)]
    [InlineData(null, "api/orders//7", false)]
    [InlineData(null, "api/orders/${claim.tenant}/7", false)]
    public void A_variables_value_is_one_segment_as_it_is(string? tenant, string resource, bool isAllowed)
    {
        PolicyContext context = _ann with
        {
            Claims = tenant is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["tenant"] = tenant },
        };
        Assert.Equal(isAllowed, Policy.Parse(Example).Allows("resource:invoke", resource, context));
    }

    [Theory]
    [InlineData("equals", "claim.tenant", "acme", true)]
    [InlineData("equals", "claim.tenant", "other", false)]
    [InlineData("equals", "claim.missing", "", false)]
    [InlineData("notEquals", "claim.tenant", "other", true)]
    [InlineData("notEquals", "claim.tenant", "acme", false)]
    [InlineData("notEquals", "claim.missing", "acme", false)]
    [InlineData("equals", "identity.id", "ann", true)]
    [InlineData("equals", "device.id", "phone", true)]
    [InlineData("equals", "pool", "*", false)]
    public void Conditions_compare_whole_texts_and_a_missing_name_meets_none(string test, string name, string value, bool isMet)
    {
        Policy policy = Policy.Parse(Statement($$$"""
            "effect":"allow","action":"*","resource":"**","condition":{"{{{test}}}":{"{{{name}}}":["x","{{{value}}}"]}}
            """));
        Assert.Equal(isMet, policy.Allows("a", "r", _ann));
    }

    [Theory]
    [InlineData("", "no JSON")]
    [InlineData("[]", "$: give an object")]
    [InlineData("{\"statements\":[]}", "$.version")]
    [InlineData("{\"version\":2,\"statements\":[]}", "$.version")]
    [InlineData("{\"version\":1.0,\"statements\":[]}", "$.version")]
    [InlineData("{\"version\":\"1\",\"statements\":[]}", "$.version")]
    [InlineData("{\"version\":1}", "$.statements")]
    [InlineData("{\"version\":1,\"statements\":{}}", "$.statements")]
    [InlineData("{\"version\":1,\"version\":1,\"statements\":[]}", "version is there twice")]
    [InlineData("{\"version\":1,\"statements\":[],\"Id\":1}", "Id is not known")]
    [InlineData("{\"version\":1,\"statements\":[]} // all", "no JSON")]
    [InlineData("{\"version\":1,\"statements\":[],}", "no JSON")]
    [InlineData("{\"version\":1,\"statements\":[],\"\\ud800\":1}", "no Unicode")]
    [InlineData("[[[[[[[[[[]]]]]]]]]]", "no JSON")]
    public void A_document_is_refused(string json, string says) => Refuse(json, says);

    [Theory]
    [InlineData("", ".effect")]
    [InlineData("\"effect\":\"Allow\",\"action\":\"a\",\"resource\":\"r\"", ".effect")]
    [InlineData("\"effect\":true,\"action\":\"a\",\"resource\":\"r\"", ".effect")]
    [InlineData("\"effect\":\"deny\",\"effect\":\"allow\",\"action\":\"a\",\"resource\":\"r\"", "effect is there twice")]
    [InlineData("\"effect\":\"allow\",\"resource\":\"r\"", ".action: it is missing")]
    [InlineData("\"effect\":\"allow\",\"action\":[],\"resource\":\"r\"", ".action: give a text")]
    [InlineData("\"effect\":\"allow\",\"action\":[1],\"resource\":\"r\"", ".action: give texts only")]
    [InlineData("\"effect\":\"allow\",\"action\":\"\",\"resource\":\"r\"", ".action: name an action")]
    [InlineData("\"effect\":\"allow\",\"action\":\"*:write\",\"resource\":\"r\"", ".action: name an action")]
    [InlineData("\"effect\":\"allow\",\"action\":\"a\"", ".resource: it is missing")]
    [InlineData("\"effect\":\"allow\",\"action\":\"a\",\"resource\":\"r\",\"principal\":\"*\"", "principal is not known")]
    [InlineData("\"effect\":\"allow\",\"action\":\"a\",\"resource\":\"r\",\"condition\":[]", ".condition: give an object")]
    [InlineData("\"effect\":\"allow\",\"action\":\"a\",\"resource\":\"r\",\"condition\":{\"like\":{}}", "like is not known")]
    public void A_statement_is_refused(string members, string says) => Refuse(Statement(members), says);

    [Theory]
    [InlineData("", "empty")]
    [InlineData("/a", "empty")]
    [InlineData("a//b", "empty")]
    [InlineData("a/", "empty")]
    [InlineData("**/a", "must come last")]
    [InlineData("a/**/b", "must come last")]
    [InlineData("a/b**", "must come last")]
    [InlineData("a/*b", "must come last")]
    [InlineData("a/x${role}", "whole segment")]
    [InlineData("a/${role}x", "whole segment")]
    [InlineData("a/${role}*", "must")]
    [InlineData("a/${role", "whole segment")]
    [InlineData("a/${}", "no variable")]
    [InlineData("a/${Role}", "no variable")]
    [InlineData("a/${claim.}", "no variable")]
    [InlineData("a/${claim.*}", "no variable")]
    [InlineData("a/${claim.a}${claim.b}", "no variable")]
    [InlineData("a/$x", "whole segment")]
    public void A_resource_is_refused(string resource, string says) => Refuse(Statement(
        $$"""
        "effect":"allow","action":"a","resource":"{{resource}}"
        """), says);

    [Theory]
    [InlineData("{\"equals\":[]}", "give an object of names")]
    [InlineData("{\"equals\":{\"time\":\"1\"}}", "time is no name")]
    [InlineData("{\"equals\":{\"role\":1}}", "give a text")]
    [InlineData("{\"equals\":{\"role\":\"a\",\"role\":\"b\"}}", "role is there twice")]
    [InlineData("{\"equals\":{\"role\":\"a\",\"r\\u006fle\":\"b\"}}", "role is there twice")]
    [InlineData("{\"equals\":{},\"equals\":{}}", "equals is there twice")]
    public void A_condition_is_refused(string condition, string says) => Refuse(Statement(
        $$"""
        "effect":"allow","action":"a","resource":"r","condition":{{condition}}
        """), says);

    [Fact]
    public void A_text_that_is_no_Unicode_is_refused() => Refuse("\"\ud800\"", "no JSON");

    [Fact]
    public void Sizes_are_bounded()
    {
        string statement = """{"effect":"deny","action":"a","resource":"r"}""";
        Refuse($$"""{"version":1,"statements":[{{string.Join(',', Enumerable.Repeat(statement, 257))}}]}""", "at most 256");
        string items = string.Join(',', Enumerable.Repeat("\"a\"", 65));
        Refuse(Statement($"\"effect\":\"deny\",\"action\":[{items}],\"resource\":\"r\""), "1 to 64");
        string deep = string.Join('/', Enumerable.Repeat("a", 33));
        Refuse(Statement($"\"effect\":\"deny\",\"action\":\"a\",\"resource\":\"{deep}\""), "at most 32 segments");
        string large = Statement($"\"effect\":\"deny\",\"action\":\"a\",\"resource\":\"{new string('r', Policy.BytesMax)}\"");
        Refuse(large, "bytes");
        using JsonDocument parsed = JsonDocument.Parse(large);
        string says = Assert.Throws<PolicyException>(() => Policy.Parse(parsed.RootElement)).Message;
        Assert.Contains("bytes", says, StringComparison.Ordinal);
        Assert.Throws<PolicyException>(() => Policy.Parse(default(JsonElement)));
    }

    [Fact]
    public void The_hash_says_nothing_about_blanks()
    {
        Policy policy = Policy.Parse(Example), same = Policy.Parse(policy.ToString());
        Assert.Equal(policy.Hash, same.Hash);
        Assert.Matches("^[0-9a-f]{64}$", policy.Hash);
        Assert.NotEqual(policy.Hash, Policy.Parse("""{"version":1,"statements":[]}""").Hash);
        Assert.False(Policy.Parse("""{"version":1,"statements":[]}""").Allows("a", "r", _ann));
    }

    private static string Statement(string members) => $$$"""{"version":1,"statements":[{ {{{members}}} }]}""";

    private static void Refuse(string json, string says) =>
        Assert.Contains(says, Assert.Throws<PolicyException>(() => Policy.Parse(json)).Message, StringComparison.Ordinal);
}
