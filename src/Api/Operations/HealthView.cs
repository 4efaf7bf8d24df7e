using Cdc.Core.Operations;

namespace Cdc.Api.Operations;

/// <param name="Status">healthy, degraded, unhealthy.</param>
internal sealed record HealthView(string Status, IReadOnlyList<HealthCheck> Checks)
{
    /// <summary>From the best to the worst.</summary>
    public static IReadOnlyList<string> Statuses { get; } = ["healthy", "degraded", "unhealthy"];

    /// <param name="standing">Null: nothing was ever compared, or it is not known.</param>
    public static HealthView Of(StatusReport report, TimeSpan lagLimit, ComparisonRows? standing)
    {
        IReadOnlyList<HealthCheck> checks =
        [
            .. OfServers(report),
            .. OfPipeline(report, lagLimit),
            .. OfRows(report),
            .. standing is null ? [] : new[] { Consistency(standing) },
        ];
        return new HealthView(Statuses.Last(s => s == Statuses[0] || checks.Any(c => c.Status == s)), checks);
    }

    private static IEnumerable<HealthCheck> OfServers(StatusReport report)
    {
        yield return report.EngineServer.Readable
            ? Healthy("engine")
            : new HealthCheck("engine", "unhealthy", "The engine cannot be read.");
        // While it is let go of, the state says so.
        yield return Check("source", report.SourceServer.Readable || report.IsPaused ? null : "Odoo's database cannot be read.");
        if (report.LogServer is { } brokers)
            yield return Check("kafka", brokers.Readable ? null : "The Kafka log cannot be read.");
    }

    private static IEnumerable<HealthCheck> OfPipeline(StatusReport report, TimeSpan lagLimit)
    {
        yield return Check(
            "gap",
            report.Gap is { } gap ? $"A break in continuity ({gap}): balances grow old until it is accepted ('cdc slot show')." : null
        );
        yield return Check(
            "state",
            report.State switch
            {
                // What is not known the engine's check says.
                "streaming" or "unknown" => null,
                "gap" => $"The pipeline is in state gap ({report.Gap}): 'cdc slot show'.",
                "paused" =>
                    $"Odoo's database is let go of until {report.Engine?.PausedUntil?.UtcDateTime:yyyy-MM-dd HH:mm:ss'Z'} ('cdc pause --release'): balances grow old until then, or 'cdc resume'.",
                _ => $"The pipeline is in state {report.State}.",
            }
        );
        // The reason may name hosts and roles, and health is open without a key.
        if (report.Pipeline is { } pipeline)
            yield return Check(
                "pipeline",
                pipeline.State is "working" or "standby" or "unknown"
                    ? null
                    : $"The pipeline is {pipeline.State} ({pipeline.Gap ?? pipeline.Kind}): 'cdc status', its log and /status say why."
            );
        yield return Check(
            "capture",
            report switch
            {
                { Running: not false } => null,
                { Pipeline: null } => "No process reads the slot: is 'cdc run' running?",
                _ => "No process reads the slot, though one is up that should.",
            }
        );
        yield return Check(
            "lag",
            report.SecondsBehind switch
            {
                null when report.EngineServer.Readable && report.SourceServer.Readable => "How far the engine is behind is not known.",
                { } seconds when seconds > lagLimit.TotalSeconds => $"The engine is {seconds:0} s behind.",
                _ => null,
            }
        );
    }

    /// <summary>What is known of rows; null where the engine cannot be read.</summary>
    private static IEnumerable<HealthCheck> OfRows(StatusReport report)
    {
        yield return Check("tables", Listed(report.Entities.Where(e => e.State != "streaming").Select(StateOf)));
        yield return Check(
            "quarantine",
            report.Entities.Sum(e => e.Quarantine) is > 0 and var rows ? $"{rows} in quarantine ('cdc quarantine list')." : null
        );
        yield return Check("alerts", Listed((report.Alerts ?? []).Select(a => $"'{a.Name}' has fired ('cdc alerts list')")));
    }

    private static HealthCheck Consistency(ComparisonRows standing) =>
        standing.Verdict switch
        {
            ComparisonVerdict.Consistent => Healthy("consistency"),
            ComparisonVerdict.Drift => new HealthCheck(
                "consistency",
                "degraded",
                $"{standing.Drift} rows differ between Odoo and the engine{(standing.LeftOut is { } left ? "; " + left : "")}."
            ),
            _ => new HealthCheck("consistency", "degraded", $"Nothing differs; {standing.LeftOut}."),
        };

    private static string StateOf(EntityStatus entity) =>
        entity is { HeldDeletes: { } deletes, HeldOf: { } rows }
            ? $"{entity.Entity} is held, {deletes} of {rows} rows wait to be deleted"
            : $"{entity.Entity} is {entity.State}";

    private static string? Listed(IEnumerable<string> parts) =>
        parts.ToList() is { Count: > 0 } some ? string.Join(", ", some) + "." : null;

    private static HealthCheck Check(string name, string? wrong) =>
        wrong is null ? Healthy(name) : new HealthCheck(name, "degraded", wrong);

    private static HealthCheck Healthy(string name) => new(name, "healthy", null);
}

internal sealed record HealthCheck(string Name, string Status, string? Detail);
