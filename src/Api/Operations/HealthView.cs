using Cdc.Core.Operations;

namespace Cdc.Api.Operations;

/// <param name="Status">healthy, degraded, unhealthy.</param>
internal sealed record HealthView(string Status, IReadOnlyList<HealthCheck> Checks)
{
    public static HealthView Of(StatusReport report, TimeSpan lagLimit)
    {
        var checks = ChecksOf(report, lagLimit).ToList();
        var status =
            checks.Any(c => c.Status == "unhealthy") ? "unhealthy"
            : checks.Any(c => c.Status == "degraded") ? "degraded"
            : "healthy";
        return new HealthView(status, checks);
    }

    private static IEnumerable<HealthCheck> ChecksOf(StatusReport report, TimeSpan lagLimit)
    {
        yield return report.EngineServer.Readable
            ? Healthy("engine")
            : new HealthCheck("engine", "unhealthy", "The engine cannot be read.");
        yield return report.SourceServer.Readable
            ? Healthy("source")
            : new HealthCheck("source", "degraded", "Odoo's database cannot be read.");
        if (report.LogServer is { } brokers)
            yield return brokers.Readable ? Healthy("kafka") : new HealthCheck("kafka", "degraded", "The Kafka log cannot be read.");
        yield return report.State == "streaming"
            ? Healthy("state")
            : new HealthCheck("state", "degraded", $"The pipeline is in state {report.State}.");
        yield return report.Running == false
            ? new HealthCheck("capture", "degraded", "No process reads the slot: is 'cdc run' running?")
            : Healthy("capture");
        yield return report.SecondsBehind switch
        {
            null => new HealthCheck("lag", "degraded", "How far the engine is behind is not known."),
            { } seconds when seconds > lagLimit.TotalSeconds => new HealthCheck("lag", "degraded", $"The engine is {seconds:0} s behind."),
            _ => Healthy("lag"),
        };
        yield return report.Entities.Where(e => e.State != "streaming").Select(StateOf).ToList() is { Count: > 0 } other
            ? new HealthCheck("tables", "degraded", string.Join(", ", other) + ".")
            : Healthy("tables");
    }

    private static string StateOf(EntityStatus entity) =>
        entity is { HeldDeletes: { } deletes, HeldOf: { } rows }
            ? $"{entity.Entity} is held, {deletes} of {rows} rows wait to be deleted"
            : $"{entity.Entity} is {entity.State}";

    private static HealthCheck Healthy(string name) => new(name, "healthy", null);
}

internal sealed record HealthCheck(string Name, string Status, string? Detail);
