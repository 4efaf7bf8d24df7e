using Cdc.Api.Freshness;
using Cdc.Api.Problems;
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
        Map(routes, "/cards/{code}/balance", "A card's points.", found => new CardResult<BalanceView>(found, found.Balance));
        Describe<CardView>(
            routes.MapGet("/cards/{code}", CardAsync),
            "A card; with expand=program,partner also what it belongs to, as of the same moment."
        );
        MapById(
            routes,
            "/cards/odoo/{id:int}/balance",
            "A card's points, by Odoo's id.",
            found => new CardResult<BalanceView>(found, found.Balance)
        );
        MapById(routes, "/cards/odoo/{id:int}", "A card, by Odoo's id.", found => new CardResult<CardView>(found, found.Whole));
    }

    private static async Task<IResult> CardAsync(string code, HttpContext http, CardFinder finder, ServedCards cards)
    {
        if (FreshnessDemand.Read(http.Request.Query, out var problem) is not { } demand)
            return new ProblemResult(problem!);
        if (Expansion(http.Request.Query["expand"], cards, out var refused) is not { } expansion)
            return new ProblemResult(refused!);
        var (asked, wrong) = finder.Normalize(CodeSegment.Of(code, http));
        if (wrong is not null)
            return new ProblemResult(wrong);
        var (found, missing) =
            expansion.Count > 0
                ? await finder.ExpandedAsync(asked!.Value, demand, http.RequestAborted)
                : await finder.ByCodeAsync(asked!.Value, demand, http.RequestAborted);
        if (missing is not null)
            return new ProblemResult(missing);
        var whole = found.Whole;
        var view = whole with
        {
            Program = expansion.Contains(ServedRole.Program) ? whole.Program : null,
            Partner = expansion.Contains(ServedRole.Partner) ? whole.Partner : null,
        };
        // What it belongs to changes without the card: there is no entity tag for all of it.
        if (expansion.Count == 0)
            return new CardResult<CardView>(found, view);
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
                    var (found, missing) = await finder.ByCodeAsync(normalized!.Value, demand, http.RequestAborted);
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
