using Cdc.Core.Postgres;
using Cdc.Reconcile.Comparing;
using Npgsql;

namespace Cdc.Reconcile.Runs;

/// <summary>
/// Records a slice, its drift and its money in one transaction: a run that is killed goes on behind the last recorded slice.
/// </summary>
internal static class SliceRecord
{
    private const string PartitionSql = """
        INSERT INTO cdc.reconcile_partitions (run, entity, place, from_key, to_key, generation, marker_lsn, source_rows, engine_rows, compared, missing, extra, differing,
            in_flight, quarantined, holes, loading, unlisted, held_ms, own_pending, own_explained, own_unexplained)
        VALUES ($1, $2, $3, $4::bigint, $5::bigint, $6, $7::text::pg_lsn, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
        """;

    private const string DriftSql = """
        INSERT INTO cdc.drift AS d (entity, key, kind, field, odoo_value, engine_value, first_run, last_run)
        SELECT $2, s.key, s.kind, s.field, s.odoo_value, s.engine_value, $1, $1
        FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) AS s(key, kind, field, odoo_value, engine_value)
        ON CONFLICT (entity, key, field) WHERE resolved_at IS NULL DO UPDATE
        SET kind = EXCLUDED.kind, odoo_value = EXCLUDED.odoo_value, engine_value = EXCLUDED.engine_value, last_run = EXCLUDED.last_run, last_seen = clock_timestamp()
        """;

    // Keys that were not compared keep what was known of them, but for those that went to quarantine.
    private const string ResolvedSql = """
        UPDATE cdc.drift d SET resolved_run = $1, resolved_at = clock_timestamp()
        WHERE d.entity = $2 AND d.resolved_at IS NULL AND d.last_run <> $1 AND d.key >= $3 AND d.key < $4 AND NOT d.key = ANY($5::bigint[])
          AND NOT EXISTS (SELECT FROM unnest($6::bigint[], $7::bigint[]) AS l(low, high) WHERE d.key >= l.low AND d.key < l.high)
        """;

    private const string TotalSql = """
        INSERT INTO cdc.reconcile_totals AS t (run, entity, field, program_id, company_id, odoo_total, engine_total)
        SELECT $1, $2, s.field, s.program_id, s.company_id, s.odoo_total, s.engine_total
        FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::numeric[], $7::numeric[]) AS s(field, program_id, company_id, odoo_total, engine_total)
        ON CONFLICT (run, entity, field, (coalesce(program_id, -1)), (coalesce(company_id, -1)))
        DO UPDATE SET odoo_total = t.odoo_total + EXCLUDED.odoo_total, engine_total = t.engine_total + EXCLUDED.engine_total
        """;

    /// <param name="resolve">False where the slice compared a window of its rows only: what it did not see may still be there.</param>
    public static async Task SaveAsync(
        NpgsqlConnection engine,
        long run,
        string entity,
        int place,
        ComparedSlice slice,
        bool resolve,
        CancellationToken ct
    )
    {
        await using var transaction = await engine.BeginTransactionAsync(ct);
        await PartitionAsync(engine, run, entity, place, slice, ct);
        await DriftAsync(engine, run, entity, slice.Result.Drift, ct);
        if (resolve && slice.Result.Unlisted == 0)
            await ResolveAsync(engine, run, entity, slice, ct);
        await TotalsAsync(engine, run, entity, slice.Result.Totals, ct);
        await transaction.CommitAsync(ct);
    }

    private static Task<int> PartitionAsync(
        NpgsqlConnection engine,
        long run,
        string entity,
        int place,
        ComparedSlice slice,
        CancellationToken ct
    )
    {
        var (range, n) = (slice.Span.ToRange(), slice.Result.Numbers);
        return engine
            .Statement(
                PartitionSql,
                run,
                entity,
                place,
                range.From,
                range.To,
                slice.Generation,
                slice.Marker.ToString(),
                n.SourceRows,
                n.EngineRows,
                n.Compared,
                n.Missing,
                n.Extra,
                n.Differing,
                n.InFlight,
                n.Quarantined,
                n.Holes,
                n.Loading,
                slice.Result.Unlisted,
                slice.Held.TotalMilliseconds,
                n.Own.Pending,
                n.Own.Explained,
                n.Own.Unexplained
            )
            .ExecuteAsync(ct);
    }

    private static async Task DriftAsync(
        NpgsqlConnection engine,
        long run,
        string entity,
        IReadOnlyList<DriftRecord> drift,
        CancellationToken ct
    )
    {
        if (drift.Count == 0)
            return;
        var encoding = ServerEncoding.Of(engine.PostgresParameters);
        await engine
            .Statement(
                DriftSql,
                run,
                entity,
                drift.Select(d => d.Key).ToArray(),
                drift.Select(d => d.Kind.ToString().ToLowerInvariant()).ToArray(),
                drift.Select(d => d.Field).ToArray(),
                drift.Select(d => Shown(d.OdooValue, encoding)).ToArray(),
                drift.Select(d => Shown(d.EngineValue, encoding)).ToArray()
            )
            .ExecuteAsync(ct);
    }

    /// <summary>Odoo's value may have characters that the engine's encoding lacks.</summary>
    private static string? Shown(string? value, string encoding) => value is null ? null : ServerEncoding.Shown(value, encoding);

    private static Task<int> ResolveAsync(NpgsqlConnection engine, long run, string entity, ComparedSlice slice, CancellationToken ct) =>
        engine
            .Statement(
                ResolvedSql,
                run,
                entity,
                slice.Span.Low,
                slice.Span.High,
                slice.Result.LeftOut.Undecided,
                slice.Result.LeftOut.Loading.Select(l => l.Low).ToArray(),
                slice.Result.LeftOut.Loading.Select(l => l.High).ToArray()
            )
            .ExecuteAsync(ct);

    private static async Task TotalsAsync(
        NpgsqlConnection engine,
        long run,
        string entity,
        IReadOnlyList<MoneyTotal> totals,
        CancellationToken ct
    )
    {
        if (totals.Count == 0)
            return;
        await engine
            .Statement(
                TotalSql,
                run,
                entity,
                totals.Select(t => t.Field).ToArray(),
                totals.Select(t => t.Program).ToArray(),
                totals.Select(t => t.Company).ToArray(),
                totals.Select(t => t.Odoo).ToArray(),
                totals.Select(t => t.Engine).ToArray()
            )
            .ExecuteAsync(ct);
    }
}
