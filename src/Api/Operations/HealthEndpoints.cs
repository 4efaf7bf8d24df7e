using Cdc.Core.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Operations;

/// <summary>
/// Health, open to everybody and without details that help an attacker. A card that is late still is a card: only an engine that cannot
/// be read makes this Api unhealthy; everything else degrades it and says why.
/// </summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").WithTags("Health");
        health.MapGet("/live", () => Results.Json(new HealthView("healthy", []))).WithSummary("The process answers.").Produces<HealthView>();
        foreach (var path in (string[])["", "/ready"])
            health.MapGet(path, AnswerAsync).WithSummary("Whether balances can be served, and how fresh: 200 healthy or degraded, 503 unhealthy.").Produces<HealthView>().Produces<HealthView>(503);
    }

    private static async Task<IResult> AnswerAsync(StatusCache cache, ApiOptions options, CancellationToken ct)
    {
        var report = await cache.ReadAsync(ct).ConfigureAwait(false);
        var checks = Checks(report, options.LagLimit).ToList();
        var status = checks.Any(c => c.Status == "unhealthy") ? "unhealthy" : checks.Any(c => c.Status == "degraded") ? "degraded" : "healthy";
        return Results.Json(new HealthView(status, checks), statusCode: status == "unhealthy" ? 503 : 200);
    }

    private static IEnumerable<HealthCheck> Checks(StatusReport report, TimeSpan lagLimit)
    {
        yield return report.EngineServer.Readable ? Healthy("engine") : new HealthCheck("engine", "unhealthy", "The engine cannot be read.");
        yield return report.SourceServer.Readable ? Healthy("source") : new HealthCheck("source", "degraded", "Odoo's database cannot be read.");
        yield return report.State == "streaming" ? Healthy("state") : new HealthCheck("state", "degraded", $"The pipeline is in state {report.State}.");
        yield return report.Running == false ? new HealthCheck("capture", "degraded", "Nobody reads the slot: is 'cdc run' running?") : Healthy("capture");
        yield return report.SecondsBehind switch
        {
            null => new HealthCheck("lag", "degraded", "How far the engine is behind cannot be told."),
            { } seconds when seconds > lagLimit.TotalSeconds => new HealthCheck("lag", "degraded", $"The engine is {seconds:0} s behind."),
            _ => Healthy("lag"),
        };
        yield return report.Entities.Where(e => e.State != "streaming").Select(e => $"{e.Entity} is {e.State}").ToList() is { Count: > 0 } other
            ? new HealthCheck("tables", "degraded", string.Join(", ", other) + ".") : Healthy("tables");
    }

    private static HealthCheck Healthy(string name) => new(name, "healthy", null);
}

/// <param name="Status">healthy, degraded, unhealthy.</param>
internal sealed record HealthView(string Status, IReadOnlyList<HealthCheck> Checks);

internal sealed record HealthCheck(string Name, string Status, string? Detail);
