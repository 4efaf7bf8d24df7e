using System.Text.Json;
using Cdc.Api.Freshness;
using Cdc.Api.Problems;
using Cdc.Api.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Balances;

/// <summary>Many codes at once: each is answered by itself, in the order of the request.</summary>
internal static class BatchEndpoint
{
    private const int MostCodes = 500;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/cards/balances", AnswerAsync)
            .Needs(Scopes.Read)
            .WithTags("Balances")
            .WithSummary($"Points of up to {MostCodes} cards.")
            .Accepts<BatchRequest>("application/json")
            .Produces<BatchView>()
            .ProducesCardProblems();

    private static async Task<IResult> AnswerAsync(HttpContext http, CardFinder finder)
    {
        if (FreshnessDemand.Read(http.Request.Query, out var problem) is not { } demand)
            return new ProblemResult(problem!);
        if (await ReadAsync(http) is not { } codes)
            return new ProblemResult(KnownProblems.Invalid("body", $"Send {{\"codes\": [\"...\"]}} with 1 to {MostCodes} codes."));
        var normalized = codes.Select(finder.Normalize).ToList();
        var found = await finder.ByCodesAsync(
            [.. normalized.Where(n => n.Code is not null).Select(n => n.Code!.Value).Distinct()],
            demand,
            http.RequestAborted
        );
        http.Response.Headers.CacheControl = "no-store";
        return Results.Json(new BatchView([.. codes.Select((code, i) => Item(code, normalized[i], found))]));
    }

    private static BatchItem Item(
        string? code,
        (AskedCode? Code, Problem? Problem) normalized,
        Dictionary<AskedCode, (FoundCard Found, Problem? Problem)> found
    )
    {
        if (normalized.Problem is { } wrong)
            return new BatchItem(code, null, wrong.ToJson());
        var (card, problem) = found[normalized.Code!.Value];
        return problem is null ? new BatchItem(code, card.Balance, null) : new BatchItem(code, null, problem.ToJson());
    }

    private static async Task<IReadOnlyList<string?>?> ReadAsync(HttpContext http)
    {
        try
        {
            var request = await JsonSerializer.DeserializeAsync<BatchRequest>(
                http.Request.Body,
                JsonSerializerOptions.Web,
                http.RequestAborted
            );
            return request?.Codes is { Count: > 0 and <= MostCodes } codes ? codes : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
