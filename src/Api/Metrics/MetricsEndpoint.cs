using Cdc.Api.Operations;
using Cdc.Api.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Metrics;

internal static class MetricsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/metrics",
                async (
                    StatusCache status,
                    ReconcileStanding standing,
                    WayBackStanding wayBack,
                    MetricCollector collector,
                    CancellationToken ct
                ) =>
                {
                    // Lag and the like are of this moment, not of the last request for them.
                    await Task.WhenAll(status.ReadAsync(ct), standing.ReadAsync(ct), wayBack.ReadAsync(ct));
                    return Results.Text(PrometheusText.Write(collector), PrometheusText.ContentType);
                }
            )
            .Watches()
            .WithTags("Operations")
            .WithSummary("Metrics in Prometheus' text format.");
}
