using System.Globalization;
using Cdc.Api.Problems;
using Cdc.Api.Routes;
using Cdc.Api.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Flags;

/// <summary>Which cards the engine answers for, and which caller decided so.</summary>
internal static class FlagEndpoints
{
    private const int ShownChanges = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var flags = routes.MapGroup("/feature-flags").WithTags("Feature flags").ProducesProblem(503);
        flags.MapGet("", ListAsync).Needs(Scopes.Read).WithSummary("All flags.").Produces<IReadOnlyList<FlagView>>();
        flags
            .MapGet("/{name}", ShowAsync)
            .Needs(Scopes.Read)
            .WithSummary("A flag; with ?card=ID (and &company=ID, &service=NAME) whether it is on for that card.")
            .Produces<FlagView>()
            .ProducesProblem(404)
            .ProducesProblem(422);
        flags
            .MapGet("/{name}/changes", ChangesAsync)
            .Needs(Scopes.Read)
            .WithSummary("Its changes with their authors, the newest first.")
            .Produces<IReadOnlyList<FlagChange>>()
            .ProducesProblem(422);
        flags
            .MapPost("/{name}", ChangeAsync)
            .Needs(Scopes.Operate, Scopes.Cutover)
            .WithSummary("Changes a flag, or makes it. What is left out stays. The body is read as JSON whatever its Content-Type.")
            .Accepts<FlagChangeRequest>("application/json", "application/x-www-form-urlencoded")
            .Produces<FlagView>()
            .ProducesProblem(422);
    }

    private static async Task<IResult> ListAsync(FlagTable flags, CancellationToken ct) =>
        Results.Json((await flags.AllAsync(ct)).Values.OrderBy(f => f.Name, StringComparer.Ordinal).Select(f => FlagView.Of(f)));

    private static async Task<IResult> ShowAsync(
        string name,
        string? card,
        string? company,
        string? service,
        FlagTable flags,
        Router router,
        CancellationToken ct
    )
    {
        if (FlagChangeRequest.CheckName(name) is { } wrong)
            return new ProblemResult(wrong);
        if (!TryId(card, out var cardId) || !TryId(company, out var companyId))
            return new ProblemResult(KnownProblems.Invalid("id", "card and company are Odoo's ids."));
        if (!(await flags.AllAsync(ct)).TryGetValue(name, out var flag))
            return new ProblemResult(KnownProblems.NotFound($"There is no feature flag {name}."));
        if (cardId is not { } asked)
            return Results.Json(FlagView.Of(flag));
        var on = await router.IsOnAsync(name, asked.ToString(CultureInfo.InvariantCulture), companyId, service, ct);
        return Results.Json(FlagView.Of(flag, cardId, companyId, on));
    }

    private static async Task<IResult> ChangesAsync(string name, FlagTable flags, CancellationToken ct) =>
        FlagChangeRequest.CheckName(name) is { } wrong
            ? new ProblemResult(wrong)
            : Results.Json(await flags.ChangesAsync(name, ShownChanges, ct));

    private static async Task<IResult> ChangeAsync(string name, HttpContext http, FlagTable flags, Router router)
    {
        if (FlagChangeRequest.CheckName(name) is { } wrong)
            return new ProblemResult(wrong);
        var (change, problem) = await FlagChangeRequest.ReadAsync(http.Request.Body, http.RequestAborted);
        if (problem is not null)
            return new ProblemResult(problem);
        var changed = await flags.ChangeAsync(
            name,
            change!,
            Caller.Of(http).Name,
            http.Connection.RemoteIpAddress?.ToString(),
            http.RequestAborted
        );
        // The next read of this process is routed by it, before the announcement has come.
        router.OnFlagChanged();
        return Results.Json(FlagView.Of(changed));
    }

    private static bool TryId(string? text, out long? id)
    {
        id = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        return text is null || id is not null;
    }
}
