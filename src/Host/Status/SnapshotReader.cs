using Cdc.Core.Postgres;
using Cdc.Host.Servers;
using Npgsql;

namespace Cdc.Host.Status;

/// <summary>Counts chunks: of what is being read now, else of the load of this generation.</summary>
internal static class SnapshotReader
{
    // Some keys that are read again are no progress of a table. Chunks that were asked for together (one load, or one request) end together: while one is pending all of them are shown.
    private const string Sql = """
        WITH work AS (
            SELECT entity, kind, request,
                   count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'done') AS done,
                   COALESCE(sum(rows), 0)::bigint AS rows,
                   COALESCE(sum(rows) FILTER (WHERE finished_at > now() - interval '60 seconds'), 0)::bigint AS recent,
                   LEAST(60, extract(epoch FROM now() - min(created_at)))::float8 AS seconds
            FROM cdc.chunks
            WHERE CASE WHEN $1::bigint IS NULL THEN generation = (SELECT generation FROM cdc.source) AND keys IS NULL ELSE request = $1 END
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
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.Add(
            new NpgsqlParameter { Value = (object?)request ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint }
        );
        await using var reader = await command.ExecuteReaderAsync(ct);
        var counts = new Dictionary<string, ChunkCounts>();
        while (await reader.ReadAsync(ct))
            counts.Add(
                reader.GetString(0),
                new ChunkCounts(reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetDouble(5))
            );
        return counts;
    }
}
