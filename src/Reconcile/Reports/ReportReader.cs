using System.Globalization;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Runs;
using Npgsql;

namespace Cdc.Reconcile.Reports;

/// <summary>Reads what a run recorded.</summary>
public static class ReportReader
{
    /// <summary>Points in the rate's history.</summary>
    private const int Points = 200;

    private const string HeadSql = """
        SELECT r.id, r.kind, r.entities, r.from_key, r.to_key, r.since, r.state, r.verdict, r.capped, r.generation,
            (SELECT min(p.marker_lsn)::text FROM cdc.reconcile_partitions p WHERE p.run = r.id AND p.state = 'compared'),
            (SELECT max(p.marker_lsn)::text FROM cdc.reconcile_partitions p WHERE p.run = r.id AND p.state = 'compared'),
            r.detail, r.requested_by, r.started_at, r.finished_at
        FROM cdc.reconcile_runs r WHERE r.id = $1
        """;

    private const string PartitionsSql = """
        SELECT entity, state, from_key, to_key, source_rows, engine_rows, compared, missing, extra, differing, in_flight, quarantined, holes, loading, marker_lsn::text, held_ms, own_pending, own_explained, own_unexplained
        FROM cdc.reconcile_partitions WHERE run = $1 ORDER BY entity, place
        """;

    private const string DriftSql = """
        SELECT entity, key, kind, field, odoo_value, engine_value, first_seen, first_run, resolved_at IS NOT NULL
        FROM cdc.drift WHERE first_run <= $1 AND last_run >= $1 ORDER BY entity, key, field LIMIT $2
        """;

    private const string HistorySql = """
        SELECT * FROM (
            SELECT r.id, r.kind, r.started_at, r.state, r.verdict, coalesce(sum(p.compared), 0)::bigint, coalesce(sum(p.missing + p.extra + p.differing), 0)::bigint
            FROM cdc.reconcile_runs r LEFT JOIN cdc.reconcile_partitions p ON p.run = r.id WHERE r.id <= $1 GROUP BY r.id ORDER BY r.id DESC LIMIT $2) h
        ORDER BY id
        """;

    /// <param name="run">Its id.</param>
    /// <param name="maxDrift">Differences that are wanted.</param>
    /// <exception cref="CdcException">Usage: there is no such run.</exception>
    public static async Task<RunReport> ReadAsync(NpgsqlConnection engine, long run, int maxDrift, CancellationToken ct)
    {
        var head =
            (await engine.Statement(HeadSql, run).RowsAsync(Head, ct)).SingleOrDefault()
            ?? throw new CdcException(
                FailureKind.Usage,
                string.Create(CultureInfo.InvariantCulture, $"There is no run {run}."),
                "SELECT id, started_at FROM cdc.reconcile_runs ORDER BY id DESC"
            );
        var partitions = await engine.Statement(PartitionsSql, run).RowsAsync(Partition, ct);
        var entities = partitions
            .GroupBy(p => p.Entity)
            .OrderBy(g => head.Entities.ToList().IndexOf(g.Key))
            .Select(g => new EntityReport(
                g.Key,
                g.Any(p => p.State == "stopped") ? "stopped" : "compared",
                ReportedNumbers.Of(Sum(g.Select(p => p.Numbers))),
                [.. g.Where(p => p.State == "compared").Select(p => p.Report)]
            ));
        return new RunReport(
            head,
            ReportedNumbers.Of(Sum(partitions.Select(p => p.Numbers))),
            [.. entities],
            (
                await engine
                    .Statement("SELECT count(*) FROM cdc.drift WHERE first_run <= $1 AND last_run >= $1", run)
                    .RowsAsync(r => r.GetInt64(0), ct)
            ).Single(),
            await engine.Statement(DriftSql, run, maxDrift).RowsAsync(Drift, ct),
            await engine
                .Statement(
                    "SELECT entity, field, program_id, company_id, odoo_total, engine_total FROM cdc.reconcile_totals WHERE run = $1 ORDER BY 1, 2, 3 NULLS FIRST, 4 NULLS FIRST",
                    run
                )
                .RowsAsync(
                    r => new ReportedTotal(r.GetString(0), r.GetString(1), r.Long(2), r.Long(3), r.GetDecimal(4), r.GetDecimal(5)),
                    ct
                ),
            await engine
                .Statement(
                    "SELECT entity, company_id, cardinality(keys), differing FROM cdc.reconcile_spot_checks WHERE run = $1 ORDER BY 1, 2 NULLS FIRST",
                    run
                )
                .RowsAsync(r => new SpotCheck(r.GetString(0), r.Long(1), r.GetInt32(2), r.GetFieldValue<long[]>(3)), ct),
            await engine
                .Statement("SELECT kind, rows, examples FROM cdc.reconcile_violations WHERE run = $1 ORDER BY kind", run)
                .RowsAsync(r => new Violation(r.GetString(0), r.GetInt64(1), r.GetFieldValue<long[]>(2)), ct),
            await engine.Statement(HistorySql, run, Points).RowsAsync(Point, ct)
        );
    }

    private static RunHead Head(NpgsqlDataReader r) =>
        new(
            r.GetInt64(0),
            r.GetString(1),
            r.GetFieldValue<string[]>(2),
            r.Long(3),
            r.Long(4),
            r.Time(5),
            r.GetString(6),
            r.Get<string>(7),
            r.GetBoolean(8),
            r.IsDBNull(9) ? null : r.GetInt32(9),
            r.Get<string>(10),
            r.Get<string>(11),
            r.Get<string>(12),
            r.GetString(13),
            r.Time(14)!.Value,
            r.Time(15)
        );

    private static (string Entity, string State, SliceNumbers Numbers, PartitionReport Report) Partition(NpgsqlDataReader r)
    {
        var numbers = new SliceNumbers(
            r.GetInt64(4),
            r.GetInt64(5),
            r.GetInt64(6),
            r.GetInt64(7),
            r.GetInt64(8),
            r.GetInt64(9),
            r.GetInt64(10),
            r.GetInt64(11),
            r.GetInt64(12),
            r.GetInt64(13)
        )
        {
            Own = new OwnNumbers(r.GetInt64(16), r.GetInt64(17), r.GetInt64(18)),
        };
        return (
            r.GetString(0),
            r.GetString(1),
            numbers,
            new PartitionReport(r.Long(2), r.Long(3), ReportedNumbers.Of(numbers), r.GetString(14), r.GetDouble(15))
        );
    }

    private static ReportedDrift Drift(NpgsqlDataReader r) =>
        new(
            r.GetString(0),
            r.GetInt64(1),
            r.GetString(2),
            r.GetString(3),
            r.Get<string>(4),
            r.Get<string>(5),
            r.Time(6)!.Value,
            r.GetInt64(7),
            r.GetBoolean(8)
        );

    private static RunPoint Point(NpgsqlDataReader r)
    {
        var (compared, drift) = (r.GetInt64(5), r.GetInt64(6));
        return new RunPoint(
            r.GetInt64(0),
            r.GetString(1),
            r.Time(2)!.Value,
            r.GetString(3),
            r.Get<string>(4),
            new SliceNumbers { Compared = compared, Differing = drift }.Rate,
            compared,
            drift
        );
    }

    private static SliceNumbers Sum(IEnumerable<SliceNumbers> numbers) => numbers.Aggregate(new SliceNumbers(), (sum, n) => sum + n);
}
