using System.Text.Json.Nodes;
using Cdc.Api.Security;
using Cdc.Core.Schemas;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Schemas;

/// <summary>
/// What clients of Confluent's registry ask for beside schemas and subjects. Much of it does not exist here, and has Confluent's answer for
/// that: there is one context, no schema refers to another, and no topic is associated with a subject.
/// </summary>
internal static class RegistryEndpoints
{
    private const string Mode = "READWRITE";

    public static void Map(RouteGroupBuilder all, RememberedSchemas registry, string version)
    {
        MapSchemas(all, registry);
        MapModes(all);
        all.MapGet("/contexts", () => SchemaEndpoints.Json(new JsonArray(".")))
            .Needs(Scopes.Read)
            .WithSummary("Contexts: the default one.");
        all.MapGet("/v1/metadata/id", () => SchemaEndpoints.Json(Cluster())).Needs(Scopes.Read).WithSummary("Which registry this is.");
        all.MapGet("/v1/metadata/version", () => SchemaEndpoints.Json(new JsonObject { ["version"] = version, ["commitId"] = "" }))
            .Needs(Scopes.Read)
            .WithSummary("The version of cdc.");
        // Confluent's serdes ask for the subject of a topic here, and go by the topic's name where there is none.
        ((IEndpointRouteBuilder)all)
            .Map(
                "/associations/{**resource}",
                IResult (string? resource) =>
                    throw new SchemaRegistryException(
                        SchemaRegistryException.AssociationNotFound,
                        $"Association for '{resource}' not found."
                    )
            )
            .Needs(Scopes.Read)
            .ExcludeFromDescription();
    }

    private static void MapSchemas(RouteGroupBuilder all, RememberedSchemas registry)
    {
        all.MapGet(
                "/schemas",
                async (
                    string? subjectPrefix,
                    bool? latestOnly,
                    bool? deletedOnly,
                    int? offset,
                    int? limit,
                    HttpRequest request,
                    CancellationToken ct
                ) =>
                {
                    IEnumerable<RegisteredSchema> found =
                        deletedOnly == true ? [] : await registry.AllAsync(SchemaRequest.Prefix(subjectPrefix), ct);
                    if (latestOnly == true)
                        found = found.GroupBy(v => v.Subject).Select(versions => versions.Last());
                    found = found.Skip(offset ?? 0);
                    return SchemaEndpoints.Json(
                        SchemaEndpoints.Array(limit >= 0 ? found.Take(limit.Value) : found, v => SchemaEndpoints.Describe(v, request))
                    );
                }
            )
            .Needs(Scopes.Read)
            .WithSummary("All schemas, of the subjects whose names begin with subjectPrefix.");
        all.MapGet(
                "/schemas/guids/{guid}",
                async (string guid, HttpRequest request, CancellationToken ct) =>
                    SchemaEndpoints.Json(
                        SchemaEndpoints.Text(
                            Guid.TryParse(guid, out var known)
                                ? await registry.FindAsync(known, ct) ?? throw SchemaEndpoints.NoSchema
                                : throw SchemaEndpoints.NoSchema,
                            request
                        )
                    )
            )
            .Needs(Scopes.Read)
            .WithSummary("The schema of a guid, as headers of messages carry it.");
        all.MapGet(
                "/subjects/{subject}/metadata",
                async (string subject, string[]? key, HttpRequest request, CancellationToken ct) =>
                {
                    var latest = await SchemaEndpoints.VersionAsync(registry, subject, "latest", ct);
                    // No schema here has metadata: none has what is asked for.
                    return key is { Length: > 0 }
                        ? throw SchemaEndpoints.NoSchema
                        : SchemaEndpoints.Json(SchemaEndpoints.Describe(latest, request));
                }
            )
            .Needs(Scopes.Read)
            .WithSummary("The latest version with the given metadata.");
        all.MapGet(
                "/subjects/{subject}/versions/{version}/referencedby",
                async (string subject, string version, CancellationToken ct) =>
                {
                    await SchemaEndpoints.VersionAsync(registry, subject, version, ct);
                    return SchemaEndpoints.Json(new JsonArray());
                }
            )
            .Needs(Scopes.Read)
            .WithSummary("Ids of schemas that refer to this one: none.");
    }

    private static void MapModes(RouteGroupBuilder all)
    {
        all.MapGet("/mode", () => SchemaEndpoints.Json(new JsonObject { ["mode"] = Mode }))
            .Needs(Scopes.Read)
            .WithSummary("Whether schemas may be registered.");
        all.MapGet(
                "/mode/{subject}",
                (string subject, bool? defaultToGlobal) =>
                    defaultToGlobal == true
                        ? SchemaEndpoints.Json(new JsonObject { ["mode"] = Mode })
                        : throw new SchemaRegistryException(
                            SchemaRegistryException.SubjectModeNotFound,
                            $"Subject '{subject}' does not have subject-level mode configured"
                        )
            )
            .Needs(Scopes.Read)
            .WithSummary("A subject's own mode: none has one.");
    }

    private static JsonObject Cluster() =>
        new()
        {
            ["scope"] = new JsonObject
            {
                ["path"] = new JsonArray(),
                ["clusters"] = new JsonObject { ["schema-registry-cluster"] = "cdc" },
            },
            ["id"] = "",
        };
}
