using Cdc.Api.Engine;
using Cdc.Api.Security;
using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Core.Telemetry;
using Cdc.Engine.Tables;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Operations;

/// <summary>How far the pipeline is.</summary>
internal static class StatusEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, ApiParts parts)
    {
        var status = routes.MapGroup("").WithTags("Operations");
        status
            .MapGet("/status", async (StatusCache cache, CancellationToken ct) => Results.Json(await cache.ReadAsync(ct)))
            .Watches()
            .WithSummary("What 'cdc status --json' prints.")
            .Produces<StatusReport>();
        status
            .MapGet("/lag", async (StatusCache cache, CancellationToken ct) => Results.Json(LagView.Of(await cache.ReadAsync(ct), parts)))
            .Watches()
            .WithSummary("Lag for each topic and partition.")
            .Produces<LagView>();
        status
            .MapGet(
                "/snapshots",
                async (StatusCache cache, CancellationToken ct) => Results.Json(SnapshotsView.Of(await cache.ReadAsync(ct)))
            )
            .Watches()
            .WithSummary("What is being read, how far it is, and what is asked for.")
            .Produces<SnapshotsView>();
        status
            .MapGet(
                "/sync/stats",
                async (StatusCache cache, AppliedDays days, EngineReads engine, CancellationToken ct) =>
                    Results.Json(
                        SyncStats.Of(
                            await cache.ReadAsync(ct),
                            await days.TodayAsync(ct),
                            parts.Entities.Cards is null ? null : await engine.UseAsync(c => SyncLogTable.WaitingAsync(c, ct), ct),
                            parts
                        )
                    )
            )
            .Needs(Scopes.Read)
            .WithSummary("Changes behind, in quarantine, and applied today; and those on their way to Odoo.")
            .Produces<SyncStats>()
            .ProducesProblem(503);
    }
}

internal sealed record SnapshotsView(DateTimeOffset At, IReadOnlyList<EntitySnapshot> Entities, IReadOnlyList<RequestStatus> Requests)
{
    public static SnapshotsView Of(StatusReport report) =>
        new(report.At, [.. report.Entities.Select(e => new EntitySnapshot(e.Entity, e.State, e.Snapshot))], report.Requests);
}

/// <param name="Snapshot">Null: nothing is, or was, read in this generation.</param>
internal sealed record EntitySnapshot(string Entity, string State, SnapshotStatus? Snapshot);
