using Cdc.Api.Freshness;
using Cdc.Api.Problems;
using Cdc.Api.Security;
using Cdc.Core.Entities;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Balances;

/// <summary>A card's history, and a partner's cards, by pages.</summary>
internal static class ListEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, ServedCards cards)
    {
        if (cards.History is null)
            NotDeclared.Map(routes, "/cards/{code}/history", ServedRole.History);
        else
            routes
                .MapGet("/cards/{code}/history", HistoryAsync)
                .Needs(Scopes.Read)
                .WithTags("Balances")
                .WithSummary("A card's movements, the newest first.")
                .Produces<HistoryPage>()
                .ProducesCardProblems();
        if (cards.Card.ServedColumn("partner") is null)
            NotDeclared.Map(routes, "/partners/{id:long}/cards", ServedRole.Partner);
        else
            routes
                .MapGet("/partners/{id:long}/cards", CardsAsync)
                .Needs(Scopes.Read)
                .WithTags("Balances")
                .WithSummary("A partner's cards, in order of their ids; with spendable=true those that can be spent now.")
                .Produces<CardsPage>()
                .ProducesCardProblems();
    }

    private static async Task<IResult> HistoryAsync(string code, HttpContext http, CardFinder finder, HistoryReader reader)
    {
        if (FreshnessDemand.Read(http.Request.Query, out var problem) is not { } demand)
            return new ProblemResult(problem!);
        if (PageRequest.Read(http.Request.Query, out problem) is not { } page)
            return new ProblemResult(problem!);
        var (normalized, wrong) = finder.Normalize(CodeSegment.Of(code, http));
        if (wrong is not null)
            return new ProblemResult(wrong);
        var (found, missing) = await finder.ByCodeAsync(normalized!.Value, demand, http.RequestAborted);
        if ((missing ?? page.OfAnother(found.Card.Id)) is { } refused)
            return new ProblemResult(refused);
        var history = await reader.ReadAsync(found.Card.Id, page, http.RequestAborted);
        FreshnessHeaders.Set(http.Response, found);
        var b = found.Balance;
        return Results.Json(
            new HistoryPage(b.Code, b.CardId, b.Status, history.Items, history.Next, b.AsOf, b.LagSeconds, b.Position, b.Through)
        );
    }

    private static async Task<IResult> CardsAsync(long id, HttpContext http, CardFinder finder, CardReader reader)
    {
        if (PageRequest.Read(http.Request.Query, out var problem) is not { } page)
            return new ProblemResult(problem!);
        if (page.OfAnother(id) is { } refused)
            return new ProblemResult(refused);
        var answer = await reader.ByPartnerAsync(id, page.After?.Key ?? long.MinValue, page.Limit + 1, http.RequestAborted);
        var read = answer.Cards.Take(page.Limit).ToList();
        // Each open quotation of a web shop has cards of its own, without points.
        var onlySpendable = http.Request.Query["spendable"] == "true";
        var cards = read.Select(card => finder.Dated(card, answer.Moment).Whole).Where(c => !onlySpendable || c.Spendable == true).ToList();
        http.Response.Headers.CacheControl = "private, no-cache";
        return Results.Json(new CardsPage(cards, answer.Cards.Count > page.Limit ? new Cursor(id, null, read[^1].Id).ToString() : null));
    }
}
