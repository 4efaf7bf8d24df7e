using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Status;

/// <summary>How the engine stands, in one statement: what decisions about a cutover are made by.</summary>
/// <param name="State">Of the source; null: none is followed.</param>
/// <param name="LagSeconds">Since everything was applied, by both clocks; null: not known.</param>
/// <param name="NotFollowed">Tables that are loading, stopped or held, with their state.</param>
/// <param name="Quarantined">Rows.</param>
/// <param name="Compared">Rows, by the last comparison of everything; null: there was none.</param>
/// <param name="Drift">Rows that are known to differ.</param>
/// <param name="ComparedSeconds">Since the oldest of the last comparisons.</param>
public sealed record PipelineStanding(
    string? State,
    double? LagSeconds,
    IReadOnlyList<string> NotFollowed,
    long Quarantined,
    long? Compared,
    long Drift,
    double? ComparedSeconds
)
{
    // Tables that were never compared make the age unknown: what is said of all holds for each.
    private const string ReadSql = """
        SELECT (SELECT state FROM cdc.source),
               (SELECT CASE WHEN isfinite(k.as_of) THEN greatest(extract(epoch FROM clock_timestamp() - k.as_of), 0)::float8 END
                FROM (SELECT greatest(min(last_commit_at), min(as_of)) AS as_of FROM cdc.checkpoints) k),
               ARRAY(SELECT entity || ' is ' || state FROM cdc.tables WHERE state <> 'streaming' ORDER BY 1),
               (SELECT count(*) FROM cdc.quarantine),
               sum(c.compared)::bigint, coalesce(sum(c.drift), 0)::bigint,
               CASE WHEN count(*) = count(c.entity) THEN extract(epoch FROM clock_timestamp() - min(c.compared_at))::float8 END
        FROM cdc.tables t LEFT JOIN cdc.reconcile_standing c ON c.entity = t.entity
        """;

    // By the time at which they were seen: Odoo's clock may be another one.
    private const string ConflictsSql = "SELECT count(*) FROM cdc.conflicts WHERE seen_at >= $1";

    public static async Task<PipelineStanding> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement(ReadSql).RowsAsync(Read, ct)).Single();

    /// <summary>Changes of Odoo's to what the engine owns, since then.</summary>
    public static Task<long> ConflictsAsync(NpgsqlConnection connection, DateTimeOffset since, CancellationToken ct) =>
        connection.Statement(ConflictsSql, since).ScalarAsync<long>(ct);

    private static PipelineStanding Read(NpgsqlDataReader row) =>
        new(
            row.IsDBNull(0) ? null : row.GetString(0),
            row.IsDBNull(1) ? null : row.GetDouble(1),
            row.GetFieldValue<string[]>(2),
            row.GetInt64(3),
            row.IsDBNull(4) ? null : row.GetInt64(4),
            row.GetInt64(5),
            row.IsDBNull(6) ? null : row.GetDouble(6)
        );
}
