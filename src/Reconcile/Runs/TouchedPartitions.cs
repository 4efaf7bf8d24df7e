using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Rows;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Runs;

/// <summary>
/// Which partitions of an entity a run over what has changed must compare: those with rows that are newer than the last run, with another
/// number of rows than then (deletes leave no row behind), with open drift, with rows in
/// quarantine, or not whole then. Asked of the engine alone, to spare Odoo.
/// </summary>
internal static class TouchedPartitions
{
    // The tiles are the slices of the last run over everything; later runs over what had changed compared whole tiles.
    private static readonly string TilesSql = $"""
        WITH base AS (
            SELECT max(r.id) AS run FROM cdc.reconcile_runs r WHERE r.state = 'done' AND r.kind <> 'changed' AND r.from_key IS NULL AND r.to_key IS NULL AND r.since IS NULL
              AND r.generation = $2 AND $1 = ANY(r.entities) AND NOT EXISTS (SELECT FROM cdc.reconcile_partitions s WHERE s.run = r.id AND s.entity = $1 AND s.state = 'stopped')),
        tiles AS (
            SELECT coalesce(p.from_key, $3) AS low, coalesce(p.to_key, $4) AS high FROM cdc.reconcile_partitions p, base WHERE p.run = base.run AND p.entity = $1)
        SELECT t.low, t.high, last.rows, last.whole,
            EXISTS (SELECT FROM cdc.drift d WHERE d.entity = $1 AND d.resolved_at IS NULL AND d.key >= t.low AND d.key < t.high)
            OR EXISTS (SELECT FROM {RowStateSql.QuarantineOf("$1")} AND key >= t.low AND key < t.high)
        FROM tiles t, base, LATERAL (
            SELECT sum(p.engine_rows)::bigint AS rows, bool_and(p.loading + p.unlisted + p.missing + p.extra + p.differing + p.in_flight + p.quarantined + p.holes = 0) AS whole
            FROM cdc.reconcile_partitions p JOIN cdc.reconcile_runs r ON r.id = p.run
            WHERE p.run >= base.run AND p.entity = $1 AND p.state = 'compared' AND coalesce(p.from_key, $3) >= t.low AND coalesce(p.to_key, $4) <= t.high AND r.state = 'done' AND r.since IS NULL
              AND r.from_key IS NULL AND r.to_key IS NULL
            GROUP BY p.run ORDER BY p.run DESC LIMIT 1) AS last
        ORDER BY t.low
        """;

    /// <summary>Of slices, that is a million rows.</summary>
    private const int TilesAtOnce = 4;

    private const string ThroughSql = """
        SELECT max(looked_lsn)::text FROM cdc.reconcile_runs r
        WHERE state = 'done' AND from_key IS NULL AND to_key IS NULL AND since IS NULL AND generation = $1 AND $2 = ANY(entities)
          AND NOT EXISTS (SELECT FROM cdc.reconcile_partitions s WHERE s.run = r.id AND s.entity = $2 AND s.state = 'stopped')
        """;

    /// <summary>Null: there is no run over everything to go on from, so everything must be compared.</summary>
    public static async Task<IReadOnlyList<KeySpan>?> ReadAsync(
        NpgsqlConnection engine,
        EntityDeclaration entity,
        int generation,
        Pace? pace,
        CancellationToken ct
    )
    {
        var through = (await engine.Statement(ThroughSql, generation, entity.Name).RowsAsync(r => r.Get<string>(0), ct)).Single();
        var tiles = await engine
            .Statement(TilesSql, entity.Name, generation, KeySpan.Lowest, KeySpan.Highest)
            .RowsAsync(
                r =>
                    (
                        Span: new KeySpan(r.GetInt64(0), r.GetInt64(1)),
                        Rows: r.GetInt64(2),
                        MustCompare: !r.GetBoolean(3) || r.GetBoolean(4)
                    ),
                ct
            );
        if (through is null || tiles.Count == 0)
            return null;
        var now = await NowAsync(engine, entity, generation, through, [.. tiles.Select(t => t.Span)], pace, ct);
        return [.. tiles.Where((tile, i) => tile.MustCompare || now[i].IsTouched || now[i].Rows != tile.Rows).Select(t => t.Span)];
    }

    /// <summary>Reads every row of the table, in pieces with pauses between them.</summary>
    private static async Task<List<(long Rows, bool IsTouched)>> NowAsync(
        NpgsqlConnection engine,
        EntityDeclaration entity,
        int generation,
        string through,
        KeySpan[] tiles,
        Pace? pace,
        CancellationToken ct
    )
    {
        var now = new List<(long, bool)>(tiles.Length);
        foreach (var some in tiles.Chunk(TilesAtOnce))
        {
            var began = pace is null ? 0 : await pace.BeginAsync(ct);
            now.AddRange(await NowAsync(engine, entity, generation, through, some, ct));
            pace?.Worked(began);
        }
        return now;
    }

    private static async Task<(long Rows, bool IsTouched)[]> NowAsync(
        NpgsqlConnection engine,
        EntityDeclaration entity,
        int generation,
        string through,
        KeySpan[] tiles,
        CancellationToken ct
    )
    {
        var key = Sql.Identifier(entity.EngineKey);
        var now = new (long, bool)[tiles.Length];
        var query = engine.Statement(
            $"""
            SELECT t.place, s.rows, s.touched FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS t(low, high, place),
            LATERAL (SELECT count(*) AS rows, coalesce(bool_or((source_generation, source_lsn) >= ($3, $4::text::pg_lsn)), false) AS touched FROM {entity.EngineName} WHERE {key} >= t.low AND {key} < t.high) AS s
            """,
            tiles.Select(t => t.Low).ToArray(),
            tiles.Select(t => t.High).ToArray(),
            generation,
            through
        );
        await TableAccess.ReadShortlyAsync(
            Server.Engine,
            entity,
            engine,
            () => query.RowsAsync(r => now[r.GetInt64(0) - 1] = (r.GetInt64(1), r.GetBoolean(2)), ct),
            ct
        );
        return now;
    }
}
