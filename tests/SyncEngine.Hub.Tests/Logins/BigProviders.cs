using System.Text.Json.Nodes;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Facebook and Amazon on the loopback: each person's token is the prefix and the person; what comes with
/// <see cref="OfOtherApp"/> was issued for another app.</summary>
internal static class BigProviders
{
    public const string App = "138483919580948";
    public const string Secret = "app-secret";
    public const string AmazonClient = "amzn1.application-oa2-client.ASFWDFBRN";
    public const string FacebookToken = "EAACxyz0123456789";
    public const string AmazonToken = "Atza|IQEBLjAsAhRmHjNgHpi0U-";
    public const string OfOtherApp = "foreign";

    public static async Task<LoopbackServer> StartAsync()
    {
        LoopbackServer server = await LoopbackServer.StartAsync();
        server.On("/debug_token", static request =>
        {
            if (request.Query["access_token"] != $"{App}|{Secret}") return (400, """{"error":{"code":190}}""");
            string person = PersonOf(request.Query["input_token"].ToString(), FacebookToken);
            return (200, new JsonObject
            {
                ["data"] = new JsonObject
                {
                    ["app_id"] = person == OfOtherApp ? "999" : App, ["type"] = "USER", ["is_valid"] = true, ["user_id"] = person,
                    ["expires_at"] = DateTimeOffset.UtcNow.AddDays(60).ToUnixTimeSeconds(),
                },
            }.ToJsonString());
        });
        server.On("/me", static request =>
        {
            string person = PersonOf(request.Query["access_token"].ToString(), FacebookToken);
            return (200, new JsonObject { ["id"] = person, ["name"] = person + " of Facebook" }.ToJsonString());
        });
        server.On("/auth/o2/tokeninfo", static request =>
        {
            string person = PersonOf(request.Query["access_token"].ToString(), AmazonToken);
            return (200, new JsonObject
            {
                ["user_id"] = person, ["aud"] = person == OfOtherApp ? "another" : AmazonClient, ["exp"] = 3597,
            }.ToJsonString());
        });
        server.On("/user/profile", static request =>
        {
            string person = PersonOf(request.Headers.Authorization.ToString(), "Bearer " + AmazonToken);
            return (200, new JsonObject { ["user_id"] = person, ["name"] = person + " of Amazon" }.ToJsonString());
        });
        return server;
    }

    private static string PersonOf(string token, string prefix) =>
        token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : "";
}
