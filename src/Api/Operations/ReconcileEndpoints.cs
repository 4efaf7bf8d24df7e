using System.Text.Json;
using Cdc.Api.Balances;
using Cdc.Api.Problems;
using Cdc.Api.Security;
using Cdc.Core.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Operations;

/// <summary>What comparisons of source and engine found.</summary>
internal static class ReconcileEndpoints
{
    /// <summary>Differences in a run's report; all of them are at /reconcile/drift.</summary>
    private const int ShownDrift = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var reconcile = routes.MapGroup("/reconcile").WithTags("Reconcile").ProducesProblem(503);
        reconcile
            .MapGet("/latest", (HttpContext http, IRunReports reports) => ReportAsync(null, http, reports))
            .Needs(Scopes.Read)
            .WithSummary(
                $"The newest run that is done, as 'cdc reconcile --json' prints it, with up to {ShownDrift} differences. Values need the "
                    + "scope operate."
            )
            .Produces<JsonElement>()
            .ProducesProblem(404);
        reconcile
            .MapGet("/runs/{id:long}", (long id, HttpContext http, IRunReports reports) => ReportAsync(id, http, reports))
            .Needs(Scopes.Read)
            .WithSummary("One run, also while it runs or when it failed.")
            .Produces<JsonElement>()
            .ProducesProblem(404);
        reconcile
            .MapGet("/drift", DriftAsync)
            .Needs(Scopes.Read)
            .WithSummary(
                "Differences, the newest first, by pages; ?entity=, ?resolved=true also those that are gone. Values need the scope operate."
            )
            .Produces<DriftPage>()
            .ProducesProblem(422);
    }

    private static async Task<IResult> ReportAsync(long? run, HttpContext http, IRunReports reports) =>
        await reports.ReadAsync(run, ShownDrift, SeesValues(http), http.RequestAborted) is { } report
            ? Results.Json(report)
            : new ProblemResult(
                KnownProblems.NotFound(run is null ? "No comparison has been done yet: see 'cdc reconcile'." : "There is no such run.")
            );

    private static async Task<IResult> DriftAsync(string? entity, string? resolved, HttpContext http, DriftTable drift, ApiParts parts)
    {
        if (PageRequest.Read(http.Request.Query, out var problem) is not { } page)
            return new ProblemResult(problem!);
        if (page.OfAnother(DriftTable.CursorOwner) is { } refused)
            return new ProblemResult(refused);
        if (entity is not null && parts.Entities.Find(entity) is null)
            return new ProblemResult(KnownProblems.Invalid("entity", "There is no such entity."));
        if (resolved is not (null or "true" or "false"))
            return new ProblemResult(KnownProblems.Invalid("resolved", "resolved is true or false."));
        return Results.Json(
            await drift.ReadAsync(
                entity is null ? null : parts.Entities.Find(entity)!.Name,
                resolved == "true",
                page,
                SeesValues(http),
                http.RequestAborted
            )
        );
    }

    /// <summary>A row that differs may be a gift card, whose code is as good as money.</summary>
    private static bool SeesValues(HttpContext http) => Caller.Of(http).Has([Scopes.Operate]);
}
