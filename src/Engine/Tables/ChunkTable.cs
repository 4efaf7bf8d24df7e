using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Engine.Tables;

/// <summary>What becomes of a range that is to be read.</summary>
public enum ChunkState
{
    Pending,

    /// <summary>Read; what it did not see waits until all of its table is read, or for a person.</summary>
    Held,
    Done,
}

/// <summary>A row of cdc.chunks that is to be read next.</summary>
internal sealed record PendingChunk(long Id, string Entity, ChunkKind Kind, KeyRange Range, long[]? Keys);

/// <summary>cdc.chunks: ranges and keys to read, and those that are done.</summary>
internal static class ChunkTable
{
    /// <summary>A generation begins: what was to be read is to be read anew.</summary>
    public const string ForgetSql = "DELETE FROM cdc.chunks";

    /// <summary>$1 entity: all of it, for the first time in this generation.</summary>
    public const string LoadSql = "INSERT INTO cdc.chunks (entity, generation, kind) SELECT $1, generation, 'load' FROM cdc.source";

    /// <summary>$1 entity, $2 generation: all of it, again.</summary>
    public const string SnapshotSql = "INSERT INTO cdc.chunks (entity, generation, kind) VALUES ($1, $2, 'snapshot')";

    /// <summary>
    /// $1 entity, all of which is read again: chunks that are not read yet would read the same. A request that loses one begins anew: its
    /// requester may wait for rows that are read after this change.
    /// </summary>
    public const string SupersedeSql = """
        WITH gone AS (DELETE FROM cdc.chunks WHERE entity = $1 AND state IN ('pending', 'held') RETURNING request),
             reopened AS (UPDATE cdc.requests SET state = 'open' WHERE state = 'accepted' AND id IN (SELECT request FROM gone) RETURNING id)
        UPDATE cdc.chunks SET request = NULL WHERE state = 'done' AND request IN (SELECT id FROM reopened)
        """;

    /// <summary>$1 generation, $2 keys of one chunk at most.</summary>
    private const string AcceptRequestsSql = """
        WITH accepted AS (
            UPDATE cdc.requests SET state = 'accepted' WHERE state = 'open' AND kind = 'snapshot' RETURNING id, entity, from_key, to_key, keys),
        numbered AS (
            SELECT a.id, a.entity, k.key, (row_number() OVER (PARTITION BY a.id ORDER BY k.key) - 1) / $2 AS part
            FROM accepted a, LATERAL (SELECT DISTINCT unnest(a.keys) AS key) k)
        INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key, keys, request)
        SELECT entity, $1, 'snapshot', from_key, to_key, NULL, id FROM accepted WHERE keys IS NULL
        UNION ALL SELECT entity, $1, 'snapshot', NULL, NULL, array_agg(key), id FROM numbered GROUP BY id, entity, part
        """;

    /// <summary>
    /// First of the entity that is read by fewest: connections that load one table wait for each other's locks on its indexes and its end.
    /// </summary>
    private const string NextSql = """
        SELECT c.id, c.entity, c.kind, c.from_key, c.to_key, c.keys FROM cdc.chunks c JOIN cdc.tables t ON t.entity = c.entity
        WHERE c.state = 'pending' AND t.state <> 'stopped' AND c.generation = $1 AND NOT c.id = ANY($2) AND NOT c.entity = ANY($4)
        ORDER BY cardinality(array_positions($5, c.entity)), array_position($3::text[], c.entity), c.from_key NULLS FIRST LIMIT 1
        """;

    /// <summary>$1 chunk, $2 key at which it is cut, $3 end of its range, $4 and $5 its keys below and above.</summary>
    private const string SplitSql = """
        WITH lower AS (
            UPDATE cdc.chunks SET to_key = CASE WHEN keys IS NULL THEN $2 END, keys = $4
            WHERE id = $1 AND state = 'pending' RETURNING entity, generation, kind, request)
        INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key, keys, request)
        SELECT entity, generation, kind, CASE WHEN $5 IS NULL THEN $2 END, $3, $5, request FROM lower
        """;

    /// <returns>How many chunks were cut for requests.</returns>
    public static async Task<int> AcceptRequestsAsync(NpgsqlConnection connection, int generation, int keysOfOne, CancellationToken ct)
    {
        await using var command = connection.Statement(AcceptRequestsSql, generation, keysOfOne);
        await command.PrepareAsync(ct);
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <param name="busy">Chunks that are being read, and, parallel to them, their entities.</param>
    /// <param name="all">Entities, in the order in which they are read.</param>
    /// <param name="waiting">Entities that must wait.</param>
    public static async Task<PendingChunk?> NextAsync(
        NpgsqlConnection connection,
        int generation,
        (long[] Ids, string[] Entities) busy,
        string[] all,
        string[] waiting,
        CancellationToken ct
    )
    {
        await using var command = connection.Statement(NextSql, generation, busy.Ids, all, waiting, busy.Entities);
        await command.PrepareAsync(ct);
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            return null;
        var kind = row.GetString(2) == "load" ? ChunkKind.Load : ChunkKind.Snapshot;
        return new PendingChunk(row.GetInt64(0), row.GetString(1), kind, new KeyRange(row.Long(3), row.Long(4)), row.Get<long[]>(5));
    }

    /// <summary>What lies at or above the key waits its turn.</summary>
    public static async Task SplitAsync(NpgsqlConnection connection, ChunkJob job, long at, CancellationToken ct)
    {
        await using var command = connection.Statement(
            SplitSql,
            job.Id,
            at,
            Key(job.Range.To),
            Keys(job.Keys?.Where(k => k < at)),
            Keys(job.Keys?.Where(k => k >= at))
        );
        await command.PrepareAsync(ct);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>It is read. Of two that end at once the second must see that the first has: its table is locked until COMMIT.</summary>
    /// <param name="held">Keys that it did not see.</param>
    public static async Task SetReadAsync(NpgsqlConnection connection, string entity, Chunk chunk, long held, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Statements.BatchStatement(TablesTable.LockSql, entity),
                Statements.BatchStatement(
                    "UPDATE cdc.chunks SET state = $3, rows = $2, finished_at = now() WHERE id = $1",
                    chunk.Job.Id,
                    (long)chunk.Rows,
                    (held > 0 ? ChunkState.Held : ChunkState.Done).Word()
                ),
                Statements.BatchStatement(RequestTable.AnswerSql, entity),
            },
        };
        await batch.ExecuteNonQueryAsync(ct);
    }

    public static NpgsqlParameter Keys(IEnumerable<long>? keys) =>
        new() { Value = (object?)keys?.ToArray() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    public static NpgsqlParameter Key(long? key) => new() { Value = (object?)key ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };
}
