using Cdc.Api.Freshness;
using Cdc.Api.Problems;
using Cdc.Api.Routes;
using Cdc.Api.Security;
using Cdc.Core.Entities;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Balances;

/// <summary>One card, by its code or by Odoo's id.</summary>
internal static class CardEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        Map(routes, "/cards/{code}/balance", "A card's points.", found => found.Balance);
        Describe<CardView>(
            routes.MapGet("/cards/{code}", CardAsync),
            "A card; with expand=program,partner also what it belongs to, as of the same moment."
        );
        MapById(routes, "/cards/odoo/{id:int}/balance", "A card's points, by Odoo's id.", found => found.Balance);
        MapById(routes, "/cards/odoo/{id:int}", "A card, by Odoo's id.", found => found.Whole);
    }

    private static async Task<IResult> CardAsync(string code, HttpContext http, CardFinder finder, SidedCards sides, ServedCards cards)
    {
        if (FreshnessDemand.Read(http.Request.Query, out var problem) is not { } demand)
            return new ProblemResult(problem!);
        if (Expansion(http.Request.Query["expand"], cards, out var refused) is not { } expansion)
            return new ProblemResult(refused!);
        var (asked, wrong) = finder.Normalize(CodeSegment.Of(code, http));
        if (wrong is not null)
            return new ProblemResult(wrong);
        if (expansion.Count == 0)
            return SidedResult.Of(
                await sides.ByCodeAsync(asked!.Value, demand, ReadRouteEndpoint.ServiceOf(http), http.RequestAborted),
                f => f.Whole with { Program = null, Partner = null }
            );
        var (found, missing) = await finder.ExpandedAsync(asked!.Value, demand, http.RequestAborted);
        if (missing is not null)
            return new ProblemResult(missing);
        var whole = found.Whole;
        var view = whole with
        {
            Program = expansion.Contains(ServedRole.Program) ? whole.Program : null,
            Partner = expansion.Contains(ServedRole.Partner) ? whole.Partner : null,
        };
        // What it belongs to changes without the card: there is no entity tag for all of it.
        FreshnessHeaders.Set(http.Response, found);
        return Results.Json(view);
    }

    private static HashSet<string>? Expansion(string? wanted, ServedCards cards, out Problem? problem)
    {
        var parts = (wanted ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToHashSet();
        problem =
            parts.Any(p => p is not (ServedRole.Program or ServedRole.Partner))
                ? KnownProblems.Invalid("expand", "expand is program, partner, or both with a comma between them.")
            : parts.Contains(ServedRole.Program) && cards.Program is null ? KnownProblems.NotDeclared(ServedRole.Program)
            : parts.Contains(ServedRole.Partner) && cards.Partner is null ? KnownProblems.NotDeclared(ServedRole.Partner)
            : null;
        return problem is null ? parts : null;
    }

    private static void Map<T>(IEndpointRouteBuilder routes, string path, string summary, Func<FoundCard, T> view) =>
        Describe<T>(
            routes.MapGet(
                path,
                async (string code, HttpContext http, CardFinder finder, SidedCards sides) =>
                {
                    if (FreshnessDemand.Read(http.Request.Query, out var problem) is not { } demand)
                        return new ProblemResult(problem!);
                    var (normalized, wrong) = finder.Normalize(CodeSegment.Of(code, http));
                    if (wrong is not null)
                        return new ProblemResult(wrong);
                    return (IResult)
                        SidedResult.Of(
                            await sides.ByCodeAsync(normalized!.Value, demand, ReadRouteEndpoint.ServiceOf(http), http.RequestAborted),
                            view
                        );
                }
            ),
            summary
        );

    private static void MapById<T>(IEndpointRouteBuilder routes, string path, string summary, Func<FoundCard, T> view) =>
        Describe<T>(
            routes.MapGet(
                path,
                async (int id, HttpContext http, SidedCards sides) =>
                {
                    if (FreshnessDemand.Read(http.Request.Query, out var problem) is not { } demand)
                        return new ProblemResult(problem!);
                    return (IResult)
                        SidedResult.Of(await sides.ByOdooIdAsync(id, demand, ReadRouteEndpoint.ServiceOf(http), http.RequestAborted), view);
                }
            ),
            summary
        );

    private static void Describe<T>(RouteHandlerBuilder route, string summary) =>
        route.Needs(Scopes.Read).WithTags("Balances").WithSummary(summary).Produces<T>().Produces(304).ProducesCardProblems();
}
