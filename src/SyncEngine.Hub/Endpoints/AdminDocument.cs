using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The OpenAPI description of the admin interface: a document of its own, apart from those of the surrounding
/// app.</summary>
internal static class AdminDocument
{
    /// <summary>The document's name, and the group of the endpoints that are in it.</summary>
    public const string Name = "syncengine-admin";

    private const string KeyScheme = "adminKey";

    public static IServiceCollection Add(IServiceCollection services) => services.AddOpenApi(Name, static options =>
    {
        options.ShouldInclude = static description => description.GroupName == Name;
        options.AddDocumentTransformer(static (document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "SyncEngine hub: admin interface", Version = "1",
                Description = "Refusals are problem details whose type begins with urn:syncengine: and whose detail says "
                    + "what to do. "
                    + "Any route may answer 401 without the admin key, 429 with Retry-After, or 503 with Retry-After.",
            };
            document.AddComponent<IOpenApiSecurityScheme>(KeyScheme, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The admin key that the hub was set up with.",
            });
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme,
                document)] = [] }];
            return Task.CompletedTask;
        });
    });

    /// <summary>Writes the document.</summary>
    public static async Task WriteAsync(HttpContext context)
    {
        var provider = context.RequestServices.GetRequiredKeyedService<IOpenApiDocumentProvider>(Name);
        OpenApiDocument document = await provider.GetOpenApiDocumentAsync(context.RequestAborted).ConfigureAwait(false);
        using var buffer = new MemoryStream();
        await document.SerializeAsJsonAsync(buffer, OpenApiSpecVersion.OpenApi3_1, context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = buffer.Length;
        await context.Response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), context.RequestAborted)
            .ConfigureAwait(false);
    }
}
