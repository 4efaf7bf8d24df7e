using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Host.Servers;
using Cdc.Host.Status;
using Npgsql;

namespace Cdc.Host.Snapshots;

/// <summary>Asks the running <c>cdc run</c> to read a range again. A request outlives both processes: it stays open until it is answered.</summary>
internal static class SnapshotRequests
{
    public static async Task<long> AddAsync(NpgsqlConnection connection, string entity, KeyRange keys, CancellationToken ct)
    {
        await using var insert = connection.Statement(
            "INSERT INTO cdc.requests (kind, entity, from_key, to_key) VALUES ('snapshot', $1, $2::bigint, $3::bigint) RETURNING id",
            entity
        );
        insert.Parameters.Add(
            new NpgsqlParameter { Value = (object?)keys.From ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint }
        );
        insert.Parameters.Add(
            new NpgsqlParameter { Value = (object?)keys.To ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint }
        );
        return (long)(await insert.ExecuteScalarAsync(ct))!;
    }

    /// <summary>The request's state, and how far its chunks are (null: none was cut yet).</summary>
    public static async Task<SnapshotProgress> ReadAsync(NpgsqlConnection connection, long id, CancellationToken ct)
    {
        var (entity, state, answer, estimate) = (
            await connection
                .Statement(StateSql, [id])
                .RowsAsync(row => (row.GetString(0), row.GetString(1), row.Get<string>(2), row.GetInt64(3)), ct)
        ).Single();
        var counts = (await SnapshotReader.ReadAsync(connection, id, ct)).GetValueOrDefault(entity);
        return new SnapshotProgress(id, entity, state, answer, counts is null ? null : SnapshotMath.Of(counts, estimate));
    }

    // How many rows a range has is not known: only a whole table has an estimate.
    private const string StateSql = """
        SELECT r.entity, r.state, r.answer, CASE WHEN r.from_key IS NULL AND r.to_key IS NULL THEN COALESCE(t.estimated_rows, 0) ELSE 0 END
        FROM cdc.requests r LEFT JOIN cdc.tables t ON t.entity = r.entity WHERE r.id = $1
        """;
}

/// <param name="State">open, accepted, done, refused.</param>
internal sealed record SnapshotProgress(long Request, string Entity, string State, string? Answer, SnapshotStatus? Chunks)
{
    public bool IsOver => State is "done" or "refused";
}
