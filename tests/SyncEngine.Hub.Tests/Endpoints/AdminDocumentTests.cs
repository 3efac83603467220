using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace SyncEngine.Hub.Tests.Endpoints;

public sealed class AdminDocumentTests
{
    [Fact]
    public async Task Each_route_of_a_whole_hub_is_described_and_no_other()
    {
        await using HubApp hub = await HubApp.StartAsync();
        JsonElement paths = JsonDocument.Parse(await hub.Admin.GetStringAsync("/admin/openapi.json")).RootElement
            .GetProperty("paths");
        var described = new SortedSet<string>(StringComparer.Ordinal);
        var names = new HashSet<string>();
        foreach (JsonProperty path in paths.EnumerateObject())
        {
            foreach (JsonProperty operation in path.Value.EnumerateObject())
            {
                string route = $"{operation.Name} {path.Name}";
                described.Add(route);
                Assert.NotEmpty(operation.Value.GetProperty("summary").GetString()!);
                Assert.True(names.Add(operation.Value.GetProperty("operationId").GetString()!), route);
                List<JsonProperty> responses = [.. operation.Value.GetProperty("responses").EnumerateObject()];
                Assert.Contains(responses, response => response.Name.StartsWith('2'));
                foreach (JsonProperty problem in responses.Where(response => response.Name.StartsWith('4')))
                    Assert.True(problem.Value.GetProperty("content").TryGetProperty("application/problem+json", out _), route);
                Assert.All(Regex.Matches(path.Name, @"\{(\w+)\}"), part => Assert.Contains(
                    operation.Value.GetProperty("parameters").EnumerateArray(),
                    parameter => parameter.GetProperty("name").GetString() == part.Groups[1].Value));
            }
        }

        var mapped = new SortedSet<string>(StringComparer.Ordinal);
        foreach (RouteEndpoint route in hub.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            string pattern = "/" + route.RoutePattern.RawText!.Trim('/');
            if (!pattern.StartsWith("/admin/", StringComparison.Ordinal) || pattern == "/admin/openapi.json") continue;
            foreach (string method in route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
                mapped.Add($"{method.ToLowerInvariant()} {pattern}");
        }

        Assert.True(mapped.Count >= 25, $"{mapped.Count} routes");
        Assert.Equal(mapped, described);
    }

    [Fact]
    public async Task Pools_are_described_in_full_and_routes_of_the_app_are_not()
    {
        await using AdminApp app = await AdminApp.StartAsync(map: static app => app.MapGet("/theirs", static () => "x"));
        Answer answer = await app.GetAsync("/admin/openapi.json");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        JsonElement document = answer.Json;
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        JsonElement paths = document.GetProperty("paths");
        Assert.Equal(["/admin/pools", "/admin/pools/{pool}"], paths.EnumerateObject().Select(path => path.Name).Order());
        Assert.Equal(["get", "post"], MethodsOf(paths.GetProperty("/admin/pools")));
        Assert.Equal(["delete", "get", "put"], MethodsOf(paths.GetProperty("/admin/pools/{pool}")));
        foreach (JsonElement operation in paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject(), (_, o) =>
            o.Value))
        {
            Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
            Assert.Contains(operation.GetProperty("responses").EnumerateObject(), response => response.Name.StartsWith('2'));
        }

        JsonElement post = paths.GetProperty("/admin/pools").GetProperty("post");
        JsonElement schema = SchemaOf(post.GetProperty("requestBody"));
        Assert.Equal("#/components/schemas/IdentityPool", schema.GetProperty("$ref").GetString());
        Assert.Equal("#/components/schemas/IdentityPool",
            SchemaOf(post.GetProperty("responses").GetProperty("201")).GetProperty("$ref").GetString());
        JsonElement put = paths.GetProperty("/admin/pools/{pool}").GetProperty("put");
        Assert.Equal(["If-Match", "pool"], put.GetProperty("parameters").EnumerateArray()
            .Select(parameter => parameter.GetProperty("name").GetString()).Order());
    }

    [Fact]
    public async Task Schemas_name_the_members_and_the_words()
    {
        await using AdminApp app = await AdminApp.StartAsync();
        JsonElement schemas = (await app.GetAsync("/admin/openapi.json")).Json.GetProperty("components").GetProperty("schemas");
        JsonElement pool = schemas.GetProperty("IdentityPool");
        Assert.Equal(["name"], pool.GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(
            ["allowsGuests", "authenticatedRole", "createdAt", "description", "fallback", "guestCeiling", "guestRole",
                "limits", "name",
             "providers", "relaysAllowed", "revision", "roles", "rules"],
            pool.GetProperty("properties").EnumerateObject().Select(member => member.Name).Order());
        Assert.Contains("\"openid-connect\"", schemas.GetProperty("ProviderKind").GetRawText(), StringComparison.Ordinal);
        Assert.Contains("\"startsWith\"", schemas.GetProperty("ClaimMatch").GetRawText(), StringComparison.Ordinal);
        Assert.Contains("letters, digits", pool.GetProperty("properties").GetProperty("name").GetRawText(),
            StringComparison.Ordinal);
    }

    private static IEnumerable<string> MethodsOf(JsonElement path) =>
        path.EnumerateObject().Select(member => member.Name).Order();

    private static JsonElement SchemaOf(JsonElement holder) =>
        holder.GetProperty("content").GetProperty("application/json").GetProperty("schema");
}
