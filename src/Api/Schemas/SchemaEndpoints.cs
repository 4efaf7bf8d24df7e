using System.Text.Json.Nodes;
using Cdc.Api.Security;
using Cdc.Core.Failures;
using Cdc.Core.Schemas;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Schemas;

/// <summary>
/// The built-in schema registry under the paths of Confluent's, with its bodies and error codes, so that any client of that one reads our
/// topics. Deleting is left out: topics may hold records of every schema.
/// </summary>
internal static class SchemaEndpoints
{
    internal const string ContentType = "application/vnd.schemaregistry.v1+json";

    public static void Map(IEndpointRouteBuilder routes, ISchemaRegistry engine, string version)
    {
        var registry = new RememberedSchemas(engine);
        var all = routes.MapGroup("").WithTags("Schema registry").AddEndpointFilter(AnswerInItsWordsAsync);
        MapSchemas(all, registry);
        MapSubjects(all, registry);
        MapCompatibility(all, registry);
        RegistryEndpoints.Map(all, registry, version);
        ApicurioEndpoints.Map(all, registry);
    }

    private static void MapSchemas(RouteGroupBuilder all, RememberedSchemas registry)
    {
        all.MapGet("/schemas/types", () => Json(new JsonArray("AVRO"))).Needs(Scopes.Read).WithSummary("Kinds of schemas.");
        all.MapGet(
                "/schemas/ids/{id:int}",
                async (int id, bool? fetchMaxId, HttpRequest request, CancellationToken ct) =>
                {
                    var answer = Text(await SchemaAsync(registry, id, ct), request);
                    if (fetchMaxId == true)
                        answer["maxId"] = await registry.HighestIdAsync(ct);
                    return Json(answer);
                }
            )
            .Needs(Scopes.Read)
            .WithSummary("The schema of an id, as messages carry it.");
        all.MapGet(
                "/schemas/ids/{id:int}/schema",
                async (int id, CancellationToken ct) => Results.Text(await SchemaAsync(registry, id, ct), ContentType)
            )
            .Needs(Scopes.Read)
            .WithSummary("The schema's text alone.");
        all.MapGet(
                "/schemas/ids/{id:int}/versions",
                async (int id, CancellationToken ct) =>
                    Json(Array(await UsesAsync(registry, id, ct), v => new JsonObject { ["subject"] = v.Subject, ["version"] = v.Version }))
            )
            .Needs(Scopes.Read)
            .WithSummary("Where an id is registered.");
        all.MapGet(
                "/schemas/ids/{id:int}/subjects",
                async (int id, CancellationToken ct) =>
                    Json(Array((await UsesAsync(registry, id, ct)).Select(v => v.Subject).Distinct(), subject => subject))
            )
            .Needs(Scopes.Read)
            .WithSummary("Under which subjects an id is registered.");
    }

    private static void MapSubjects(RouteGroupBuilder all, RememberedSchemas registry)
    {
        all.MapGet(
                "/subjects",
                async (string? subjectPrefix, bool? deletedOnly, CancellationToken ct) =>
                    Json(
                        Array(
                            (await registry.SubjectsAsync(ct)).Where(subject =>
                                deletedOnly != true && subject.StartsWith(SchemaRequest.Prefix(subjectPrefix), StringComparison.Ordinal)
                            ),
                            subject => subject
                        )
                    )
            )
            .Needs(Scopes.Read)
            .WithSummary("All subjects.");
        all.MapGet(
                "/subjects/{subject}/versions",
                async (string subject, bool? deletedOnly, CancellationToken ct) =>
                    Json(
                        Array(
                            deletedOnly == true
                                ? throw SchemaRegistryException.NoSubject(subject)
                                : await registry.VersionsAsync(SchemaRequest.Subject(subject), ct),
                            v => v.Version
                        )
                    )
            )
            .Needs(Scopes.Read)
            .WithSummary("A subject's versions.");
        all.MapGet(
                "/subjects/{subject}/versions/{version}",
                async (string subject, string version, HttpRequest request, CancellationToken ct) =>
                    Json(Describe(await VersionAsync(registry, subject, version, ct), request))
            )
            .Needs(Scopes.Read)
            .WithSummary("One version, or the latest.");
        all.MapGet(
                "/subjects/{subject}/versions/{version}/schema",
                async (string subject, string version, CancellationToken ct) =>
                    Results.Text((await VersionAsync(registry, subject, version, ct)).Schema, ContentType)
            )
            .Needs(Scopes.Read)
            .WithSummary("Its text alone.");
        all.MapPost(
                "/subjects/{subject}/versions",
                async (string subject, HttpRequest request, CancellationToken ct) =>
                {
                    var schema = await SchemaRequest.SchemaAsync(request);
                    var there = await registry.RegisterAsync(SchemaRequest.Subject(subject), schema, asWritten: false, ct);
                    return Json(
                        SchemaRequest.KnowsNewProperties(request) ? Describe(there, request) : new JsonObject { ["id"] = there.Id }
                    );
                }
            )
            .Needs(Scopes.Operate)
            .WithSummary("Registers a schema, or finds it registered.");
        all.MapPost(
                "/subjects/{subject}",
                async (string subject, HttpRequest request, CancellationToken ct) =>
                {
                    var schema = await SchemaRequest.SchemaAsync(request);
                    var there = await registry.LookupAsync(SchemaRequest.Subject(subject), schema, ct);
                    return Json(Describe(there ?? throw NoSchema, request));
                }
            )
            .Needs(Scopes.Read)
            .WithSummary("Looks up whether a schema is registered.");
    }

    private static void MapCompatibility(RouteGroupBuilder all, RememberedSchemas registry)
    {
        all.MapPost(
                "/compatibility/subjects/{subject}/versions/{version}",
                async (string subject, string version, bool? verbose, HttpRequest request, CancellationToken ct) =>
                    Json(Verdict(await ProblemsAsync(registry, SchemaRequest.Subject(subject), version, request, ct), verbose))
            )
            .Needs(Scopes.Read)
            .WithSummary("Whether a schema is compatible with one version.");
        all.MapPost(
                "/compatibility/subjects/{subject}/versions",
                async (string subject, bool? verbose, HttpRequest request, CancellationToken ct) =>
                    Json(
                        Verdict(
                            await registry.ProblemsAsync(
                                SchemaRequest.Subject(subject),
                                await SchemaRequest.SchemaAsync(request),
                                null,
                                ct
                            ),
                            verbose
                        )
                    )
            )
            .Needs(Scopes.Read)
            .WithSummary("Whether a schema could be registered.");
        all.MapGet(
                "/config",
                async (CancellationToken ct) =>
                    Json(new JsonObject { ["compatibilityLevel"] = CompatibilityWords.Of(await GlobalLevelAsync(registry, ct)) })
            )
            .Needs(Scopes.Read)
            .WithSummary("The level of subjects without their own.");
        all.MapGet(
                "/config/{subject}",
                async (string subject, bool? defaultToGlobal, CancellationToken ct) =>
                {
                    var level = await registry.CompatibilityAsync(SchemaRequest.Subject(subject), ct);
                    if (level is null && defaultToGlobal != true)
                        throw new SchemaRegistryException(
                            SchemaRegistryException.SubjectLevelNotFound,
                            $"Subject '{subject}' does not have subject-level compatibility configured"
                        );
                    return Json(
                        new JsonObject { ["compatibilityLevel"] = CompatibilityWords.Of(level ?? await GlobalLevelAsync(registry, ct)) }
                    );
                }
            )
            .Needs(Scopes.Read)
            .WithSummary("A subject's own level.");
        all.MapPut("/config", (HttpRequest request, CancellationToken ct) => SetLevelAsync(registry, null, request, ct))
            .Needs(Scopes.Operate)
            .WithSummary("Sets the level of subjects without their own.");
        all.MapPut(
                "/config/{subject}",
                (string subject, HttpRequest request, CancellationToken ct) =>
                    SetLevelAsync(registry, SchemaRequest.Subject(subject), request, ct)
            )
            .Needs(Scopes.Operate)
            .WithSummary("Sets a subject's level.");
    }

    /// <summary>Every schema is compatible with the latest version of a subject that has none.</summary>
    private static async Task<IReadOnlyList<string>> ProblemsAsync(
        RememberedSchemas registry,
        string subject,
        string version,
        HttpRequest request,
        CancellationToken ct
    )
    {
        var schema = await SchemaRequest.SchemaAsync(request);
        var number = SchemaRequest.Version(version);
        if (number is null)
            try
            {
                number = (await registry.VersionsAsync(subject, ct))[^1].Version;
            }
            catch (SchemaRegistryException e) when (e.ErrorCode == SchemaRegistryException.SubjectNotFound)
            {
                return await registry.ProblemsAsync(subject, schema, null, ct);
            }
        return await registry.ProblemsAsync(subject, schema, number, ct);
    }

    internal static SchemaRegistryException NoSchema => new(SchemaRegistryException.SchemaNotFound, "Schema not found");

    internal static async Task<string> SchemaAsync(RememberedSchemas registry, int id, CancellationToken ct) =>
        await registry.FindAsync(id, ct) ?? throw NoSchema;

    private static async Task<IReadOnlyList<RegisteredSchema>> UsesAsync(RememberedSchemas registry, int id, CancellationToken ct)
    {
        var uses = await registry.UsesAsync(id, ct);
        return uses.Count > 0 ? uses : throw NoSchema;
    }

    internal static async Task<RegisteredSchema> VersionAsync(
        RememberedSchemas registry,
        string subject,
        string version,
        CancellationToken ct
    )
    {
        var number = SchemaRequest.Version(version);
        var versions = await registry.VersionsAsync(SchemaRequest.Subject(subject), ct);
        return number is null
            ? versions[^1]
            : versions.FirstOrDefault(v => v.Version == number) ?? throw SchemaRegistryException.NoVersion(version);
    }

    private static async Task<CompatibilityLevel> GlobalLevelAsync(RememberedSchemas registry, CancellationToken ct) =>
        await registry.CompatibilityAsync(null, ct) ?? CompatibilityLevel.Backward;

    private static async Task<IResult> SetLevelAsync(RememberedSchemas registry, string? subject, HttpRequest request, CancellationToken ct)
    {
        var level = await SchemaRequest.LevelAsync(request);
        await registry.SetCompatibilityAsync(subject, level, ct);
        return Json(new JsonObject { ["compatibility"] = CompatibilityWords.Of(level) });
    }

    internal static JsonObject Describe(RegisteredSchema version, HttpRequest request)
    {
        JsonObject described = new()
        {
            ["subject"] = version.Subject,
            ["version"] = version.Version,
            ["id"] = version.Id,
        };
        if (SchemaRequest.KnowsNewProperties(request))
            described["guid"] = version.Guid.ToString();
        described["schema"] = version.Schema;
        return described;
    }

    internal static JsonObject Text(string schema, HttpRequest request)
    {
        JsonObject text = new() { ["schema"] = schema };
        if (SchemaRequest.KnowsNewProperties(request))
            text["guid"] = RegisteredSchema.GuidOf(schema).ToString();
        return text;
    }

    private static JsonObject Verdict(IReadOnlyList<string> problems, bool? verbose)
    {
        JsonObject verdict = new() { ["is_compatible"] = problems.Count == 0 };
        if (verbose == true)
            verdict["messages"] = Array(problems, problem => problem);
        return verdict;
    }

    internal static JsonArray Array<T>(IEnumerable<T> items, Func<T, JsonNode> node) => new([.. items.Select(node)]);

    internal static IResult Json(JsonNode body, int status = 200) => Results.Text(body.ToJsonString(), ContentType, statusCode: status);

    private static async ValueTask<object?> AnswerInItsWordsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (SchemaRegistryException e)
        {
            return Error(e.ErrorCode, e.Message);
        }
        catch (CdcException e) when (e.Kind is FailureKind.Unavailable or FailureKind.Migration or FailureKind.Preflight)
        {
            return Error(SchemaRegistryException.StoreFailed, e.Message);
        }
    }

    private static IResult Error(int code, string message) => Json(RegistryErrors.Body(code, message), code >= 1_000 ? code / 100 : code);
}
