using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Status;

/// <summary>Counts chunks: of what is being read now, else of the load of this generation.</summary>
internal static class SnapshotReader
{
    // Some keys that are read again are no progress of a table. Chunks that were asked for together (one load, or one request) end
    // together: while one is pending all of them are shown.
    private const string Sql = $"""
        WITH work AS (
            SELECT entity, kind, request,
                   count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state <> 'pending') AS done,
                   COALESCE(sum(rows), 0)::bigint AS rows,
                   COALESCE(sum(rows) FILTER (WHERE finished_at > now() - interval '60 seconds'), 0)::bigint AS recent,
                   LEAST(60, extract(epoch FROM now() - min(created_at)))::float8 AS seconds
            FROM cdc.chunks
            WHERE CASE WHEN $1::bigint IS NULL THEN generation = {SourceQueries.Generation} AND keys IS NULL ELSE request = $1 END
            GROUP BY entity, kind, request),
        shown AS (
            SELECT *, bool_or(pending > 0) OVER (PARTITION BY entity) AS busy FROM work)
        SELECT entity, sum(pending)::bigint, sum(done)::bigint, sum(rows)::bigint, sum(recent)::bigint, max(seconds)
        FROM shown WHERE pending > 0 OR NOT busy AND (kind = 'load' OR $1::bigint IS NOT NULL) GROUP BY entity
        """;

    public static Task<Dictionary<string, ChunkCounts>> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        ReadAsync(connection, null, ct);

    /// <param name="request">Only chunks of this request; null: of the current generation.</param>
    public static async Task<Dictionary<string, ChunkCounts>> ReadAsync(NpgsqlConnection connection, long? request, CancellationToken ct)
    {
        var counts = await connection
            .Statement(Sql, request)
            .RowsAsync(
                row =>
                    (
                        Entity: row.GetString(0),
                        Chunks: new ChunkCounts(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetDouble(5))
                    ),
                ct
            );
        return counts.ToDictionary(c => c.Entity, c => c.Chunks);
    }
}
