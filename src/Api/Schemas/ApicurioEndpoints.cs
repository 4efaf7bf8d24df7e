using System.Text.Json.Nodes;
using Cdc.Api.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Schemas;

/// <summary>
/// What Apicurio's deserializers ask a registry for: the schema of the id in a message, and what that schema refers to. An id is both its
/// content's and the registry's own.
/// </summary>
internal static class ApicurioEndpoints
{
    /// <summary>Beside the root, for clients that are given the registry's address without Apicurio's paths, or add them.</summary>
    private static readonly string[] Prefixes = ["", "/apis/registry/v2", "/apis/registry/v3"];

    public static void Map(RouteGroupBuilder all, RememberedSchemas registry)
    {
        foreach (var prefix in Prefixes)
        foreach (var kind in (string[])["contentIds", "globalIds"])
        {
            all.MapGet(
                    $"{prefix}/ids/{kind}/{{id:int}}",
                    async (int id, HttpResponse response, CancellationToken ct) =>
                    {
                        var schema = await SchemaEndpoints.SchemaAsync(registry, id, ct);
                        response.Headers["X-Registry-ArtifactType"] = "AVRO";
                        return Results.Text(schema, SchemaEndpoints.ContentType);
                    }
                )
                .Needs(Scopes.Read)
                .WithSummary("The schema of an id, for Apicurio's deserializers.");
            all.MapGet(
                    $"{prefix}/ids/{kind}/{{id:int}}/references",
                    async (int id, CancellationToken ct) =>
                    {
                        await SchemaEndpoints.SchemaAsync(registry, id, ct);
                        return SchemaEndpoints.Json(new JsonArray());
                    }
                )
                .Needs(Scopes.Read)
                .WithSummary("What it refers to: nothing.");
        }
    }
}
