using System.Globalization;
using Cdc.Api.Balances;
using Cdc.Api.Freshness;
using Cdc.Api.Problems;
using Cdc.Api.Security;
using Cdc.Cutover.Routes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Routes;

/// <summary>Who answers reads of a card: for services that ask the engine or Odoo themselves.</summary>
internal static class ReadRouteEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/route", AnswerAsync)
            .Needs(Scopes.Read)
            .WithTags("Cutover")
            .WithSummary("Who answers reads of a card (Odoo's id): engine or odoo, and for how long that may be kept.")
            .Produces<RouteView>()
            .ProducesProblem(422)
            .ProducesProblem(503);

    private static async Task<IResult> AnswerAsync(HttpContext http, Router router, CardFinder finder, ApiOptions options)
    {
        var (query, ct) = (http.Request.Query, http.RequestAborted);
        if (!TryId(query["card"], out var card) || card is not (> 0 and <= int.MaxValue) || !TryId(query["company"], out var company))
            return new ProblemResult(
                KnownProblems.Invalid("id", "card is Odoo's id of a card, and company, where it is given, of a company.")
            );
        var service = ServiceOf(http);
        ReadRoute? route = null;
        if (await router.RulesAsync(ct) is { } rules)
        {
            var isKnown = true;
            if (company is null)
            {
                var (found, missing) = await finder.ByOdooIdAsync((int)card.Value, FreshnessDemand.None, ct);
                if (missing is { Status: not 404 })
                    return new ProblemResult(missing);
                (isKnown, company) = (missing is null, found.Card?.CompanyId);
            }
            // What the engine does not have, perhaps not yet, is Odoo's to answer.
            route = isKnown ? rules.Of(card.Value, company, service) : new ReadRoute(false, null, null, 0);
        }
        http.Response.Headers.CacheControl = string.Create(
            CultureInfo.InvariantCulture,
            $"private, max-age={(int)options.RouteLease.TotalSeconds}"
        );
        return Results.Json(
            new RouteView(
                card.Value,
                company,
                service,
                route is { ByEngine: false } ? SidedCard.Odoo : SidedCard.Engine,
                route?.Scope,
                route?.Phase,
                route?.Percentage,
                options.RouteLease.TotalSeconds
            )
        );
    }

    /// <summary>As the request says it, or the name of its key: keys are named after the clients that use them.</summary>
    public static string? ServiceOf(HttpContext http) =>
        (string?)http.Request.Query["service"] is { Length: > 0 } said ? said : Caller.Of(http).Key?.Name;

    private static bool TryId(string? text, out long? id)
    {
        id = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        return string.IsNullOrEmpty(text) || id is not null;
    }
}

/// <param name="Side">engine or odoo.</param>
/// <param name="Scope">Null: no plan runs, no scope of it has this card, or the engine does not have it.</param>
/// <param name="Percentage">Of the scope's cards, flag included.</param>
/// <param name="LeaseSeconds">For how long it may be kept: then ask again.</param>
internal sealed record RouteView(
    long Card,
    long? Company,
    string? Service,
    string Side,
    string? Scope,
    string? Phase,
    decimal? Percentage,
    double LeaseSeconds
);
