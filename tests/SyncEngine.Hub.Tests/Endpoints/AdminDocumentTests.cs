using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace SyncEngine.Hub.Tests.Endpoints;

public sealed class AdminDocumentTests
{
    [Fact]
    public async Task Each_route_is_described()
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
