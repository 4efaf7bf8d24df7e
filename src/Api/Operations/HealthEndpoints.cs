using Cdc.Api.Metrics;
using Cdc.Core.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Operations;

/// <summary>
/// Health, open without a key, and without details that help an attacker. A stale card is still an answer: only an engine that cannot
/// be read makes this Api unhealthy; everything else degrades it and says why.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>Load balancers ask by HEAD.</summary>
    private static readonly string[] Methods = ["GET", "HEAD"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").WithTags("Health");
        health
            .MapMethods("/live", Methods, () => Results.Json(new HealthView("healthy", [])))
            .WithSummary("The process answers.")
            .Produces<HealthView>();
        foreach (var path in (string[])["", "/ready"])
            health
                .MapMethods(path, Methods, AnswerAsync)
                .WithSummary("Whether balances can be served, and how fresh: 200 healthy or degraded, 503 unhealthy.")
                .Produces<HealthView>()
                .Produces<HealthView>(503);
        health
            .MapGet(
                "/metrics",
                async (StatusCache cache, ReconcileStanding standing, ApiOptions options, CancellationToken ct) =>
                    Results.Text(HealthText.Write(await ReadAsync(cache, standing, options, ct)), PrometheusText.ContentType)
            )
            .WithSummary("The same in Prometheus' text format, always 200.");
    }

    private static async Task<HealthView> ReadAsync(StatusCache cache, ReconcileStanding standing, ApiOptions options, CancellationToken ct)
    {
        var reading = cache.ReadAsync(ct);
        await Task.WhenAll(reading, standing.ReadAsync(ct));
        var report = await reading;
        return HealthView.Of(report, options.LagLimit, standing.Rows(report));
    }

    private static async Task<IResult> AnswerAsync(StatusCache cache, ReconcileStanding standing, ApiOptions options, CancellationToken ct)
    {
        var health = await ReadAsync(cache, standing, options, ct);
        return Results.Json(health, statusCode: health.Status == "unhealthy" ? 503 : 200);
    }
}
