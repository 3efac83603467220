using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace SyncEngine.Hub.Endpoints;

/// <summary>
/// What a route's description says about things that its handler reads by itself. Bodies are not described by the framework's own
/// metadata, since that would answer a wrong content type before the hub can say what to do.
/// </summary>
internal static class RouteDescriptions
{
    public static RouteHandlerBuilder WithBody<T>(this RouteHandlerBuilder route) =>
        route.AddOpenApiOperationTransformer(async (operation, context, cancellationToken) =>
        {
            OpenApiSchema schema = await context.GetOrCreateSchemaAsync(typeof(T), null, cancellationToken).ConfigureAwait(false);
            context.Document?.AddComponent<IOpenApiSchema>(typeof(T).Name, schema);
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [MediaTypeNames.Application.Json] = new() { Schema = new OpenApiSchemaReference(typeof(T).Name,
                        context.Document) },
                },
            };
        });

    public static RouteHandlerBuilder WithQuery(this RouteHandlerBuilder route, string name, string description) =>
        route.WithParameter(name, description, ParameterLocation.Query, isRequired: false);

    public static RouteHandlerBuilder WithRequestHeader(
        this RouteHandlerBuilder route, string name, string description, bool isRequired = true) =>
        route.WithParameter(name, description, ParameterLocation.Header, isRequired);

    public static RouteHandlerBuilder ProducesProblems(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (int status in statuses) route.ProducesProblem(status);
        return route;
    }

    private static RouteHandlerBuilder WithParameter(
        this RouteHandlerBuilder route, string name, string description, ParameterLocation place, bool isRequired) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = name, In = place, Description = description, Required = isRequired,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
            return Task.CompletedTask;
        });
}
