using System.Diagnostics.Metrics;
using Cdc.Api.Engine;
using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Api.Metrics;

/// <summary>
/// What comparisons found, as recorded in the engine (the view cdc.reconcile_standing, and cdc.alerts), by any process. Without a
/// comparison, and while the engine cannot be read, nothing is reported.
/// </summary>
internal sealed class ReconcileStanding : IDisposable
{
    private const string EntitiesSql =
        "SELECT entity, compared, drift, in_flight, extract(epoch FROM clock_timestamp() - compared_at)::float8 FROM "
        + "cdc.reconcile_standing";

    private const string AlertsSql = "SELECT name, state = 'fired' FROM cdc.alerts";

    // A later run in which nothing of it had to be compared has nothing to say of a table, and did not leave it out; one of some keys, or of a
    // window, says nothing of the others.
    private const string LeftOutSql = """
        SELECT e.entity FROM unnest($1::text[]) e(entity)
        CROSS JOIN LATERAL (SELECT r.id FROM cdc.reconcile_runs r WHERE r.state = 'done' AND e.entity = ANY (r.entities)
            AND r.from_key IS NULL AND r.to_key IS NULL AND r.since IS NULL ORDER BY r.id DESC LIMIT 1) last
        WHERE EXISTS (SELECT FROM cdc.reconcile_partitions p WHERE p.run = last.id AND p.entity = e.entity AND p.state = 'stopped')
        """;

    private const string PausedSql = "SELECT entity IS NULL FROM cdc.reconcile_samples ORDER BY id DESC LIMIT 1";

    private readonly ApiParts _parts;
    private readonly KeptReading<Standing> _kept;

    public ReconcileStanding(EngineReads engine, ApiParts parts, ApiOptions options, TimeProvider time)
    {
        _parts = parts;
        _kept = new KeptReading<Standing>(engine, ReadAsync, options.Timeout, time);
    }

    public void AddTo(Meter meter)
    {
        meter.CreateObservableGauge(
            "cdc.reconcile.consistency.ratio",
            () => PerEntity(e => e.Compared > 0 ? Math.Max(0, 1 - (double)e.Drift / e.Compared) : null),
            null,
            "1 - drift / compared, as far as is known now."
        );
        meter.CreateObservableGauge(
            "cdc.reconcile.drift",
            () => PerEntity(e => e.Drift),
            "{row}",
            "Rows that are known to differ between Odoo and the engine."
        );
        meter.CreateObservableGauge(
            "cdc.reconcile.compared",
            () => PerEntity(e => e.Compared),
            "{row}",
            "Rows that the last comparison of everything compared."
        );
        meter.CreateObservableGauge(
            "cdc.reconcile.in.flight",
            () => PerEntity(e => e.InFlight),
            "{row}",
            "Rows with a change in flight at the last comparison."
        );
        meter.CreateObservableGauge("cdc.reconcile.age", () => PerEntity(e => e.Age), "s", "Time since rows were last compared.");
        meter.CreateObservableGauge("cdc.alert", Alerts, null, "1 for an alert that has fired and was not armed again.");
        meter.CreateObservableGauge("cdc.alerts.paused", Paused, null, "1 if the last comparison could not say whether anything differs.");
    }

    /// <summary>1 - drift / compared over all entities; null: nothing is known.</summary>
    public double? Ratio =>
        _kept.Last is { } last && last.Entities.Sum(e => e.Compared) is > 0 and var compared
            ? Math.Max(0, 1 - (double)last.Entities.Sum(e => e.Drift) / compared)
            : null;

    /// <summary>How things stand: drift that is open, and what cannot be said of which rows now; null: nothing was ever compared.</summary>
    public ComparisonRows? Rows(StatusReport report) =>
        _kept.Last is { Entities.Count: > 0 } last
            ? new ComparisonRows(
                last.Entities.Sum(e => e.Compared),
                last.Entities.Sum(e => e.Drift),
                last.Entities.Sum(e => e.InFlight),
                report.Entities.Sum(e => e.Quarantine),
                report.Entities.Sum(e => e.Holes),
                report.Entities.Sum(e => e.HeldDeletes ?? 0),
                [.. report.Entities.Select(e => NotCompared(e, last)).OfType<string>()]
            )
            : null;

    private static string? NotCompared(EntityStatus entity, Standing last) =>
        entity.State is not ("streaming" or "held") ? $"{entity.Entity} is {entity.State}"
        : last.LeftOut.Contains(entity.Entity) ? ComparisonRows.NotComparedTable(entity.Entity)
        : null;

    /// <summary>Reads it again, but not more often than it changes.</summary>
    public Task ReadAsync(CancellationToken ct) => _kept.ReadAsync(ct);

    public void Dispose() => _kept.Dispose();

    private IEnumerable<Measurement<double>> PerEntity(Func<Entity, double?> value)
    {
        foreach (var entity in _kept.Last?.Entities ?? [])
            if (value(entity) is { } v)
                yield return new(v, new KeyValuePair<string, object?>("entity", entity.Name));
    }

    private IEnumerable<Measurement<long>> Alerts() =>
        _kept.Last?.Alerts.Select(a => new Measurement<long>(a.Fired ? 1 : 0, new KeyValuePair<string, object?>("alert", a.Name))) ?? [];

    private IEnumerable<Measurement<long>> Paused() => _kept.Last?.Paused is { } paused ? [new Measurement<long>(paused ? 1 : 0)] : [];

    private async Task<Standing> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var (compared, alerts, leftOut) = (new List<Entity>(), new List<(string, bool)>(), new HashSet<string>());
        bool? paused = null;
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(EntitiesSql),
                new(AlertsSql),
                Statements.BatchStatement(LeftOutSql, (object)_parts.Entities.All.Select(e => e.Name).ToArray()),
                new(PausedSql),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            compared.Add(new Entity(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetDouble(4)));
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
            alerts.Add((reader.GetString(0), reader.GetBoolean(1)));
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
            leftOut.Add(reader.GetString(0));
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
            paused = reader.GetBoolean(0);
        return new Standing(compared, alerts, leftOut, paused);
    }

    private sealed record Entity(string Name, long Compared, long Drift, long InFlight, double Age);

    /// <param name="LeftOut">Entities that the last comparison of theirs went on without.</param>
    /// <param name="Paused">Null: nothing was ever compared beside the pipeline.</param>
    private sealed record Standing(
        IReadOnlyList<Entity> Entities,
        IReadOnlyList<(string Name, bool Fired)> Alerts,
        IReadOnlySet<string> LeftOut,
        bool? Paused
    );
}
