using Cdc.Api.Freshness;
using Cdc.Api.Problems;
using Cdc.Api.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Balances;

/// <summary>One card, by its code or by Odoo's id.</summary>
internal static class CardEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        Map(routes, "/cards/{code}/balance", "A card's points.", found => new CardResult<BalanceView>(found, found.Balance));
        Map(routes, "/cards/{code}", "A card.", found => new CardResult<CardView>(found, found.Whole));
        MapById(
            routes,
            "/cards/odoo/{id:int}/balance",
            "A card's points, by Odoo's id.",
            found => new CardResult<BalanceView>(found, found.Balance)
        );
        MapById(routes, "/cards/odoo/{id:int}", "A card, by Odoo's id.", found => new CardResult<CardView>(found, found.Whole));
    }

    private static void Map<T>(IEndpointRouteBuilder routes, string path, string summary, Func<FoundCard, CardResult<T>> answer) =>
        Describe<T>(
            routes.MapGet(
                path,
                async (string code, HttpContext http, CardFinder finder) =>
                {
                    if (FreshnessDemand.Read(http.Request.Query, out var problem) is not { } demand)
                        return new ProblemResult(problem!);
                    var (normalized, wrong) = finder.Normalize(CodeSegment.Of(code, http));
                    if (wrong is not null)
                        return new ProblemResult(wrong);
                    var (found, missing) = await finder.ByCodeAsync(normalized!, demand, http.RequestAborted);
                    return missing is null ? (IResult)answer(found) : new ProblemResult(missing);
                }
            ),
            summary
        );

    private static void MapById<T>(IEndpointRouteBuilder routes, string path, string summary, Func<FoundCard, CardResult<T>> answer) =>
        Describe<T>(
            routes.MapGet(
                path,
                async (int id, HttpContext http, CardFinder finder) =>
                {
                    if (FreshnessDemand.Read(http.Request.Query, out var problem) is not { } demand)
                        return new ProblemResult(problem!);
                    var (found, missing) = await finder.ByOdooIdAsync(id, demand, http.RequestAborted);
                    return missing is null ? (IResult)answer(found) : new ProblemResult(missing);
                }
            ),
            summary
        );

    private static void Describe<T>(RouteHandlerBuilder route, string summary) =>
        route.Needs(Scopes.Read).WithTags("Balances").WithSummary(summary).Produces<T>().Produces(304).ProducesCardProblems();
}
