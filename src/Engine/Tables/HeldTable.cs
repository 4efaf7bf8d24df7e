using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>
/// cdc.held_deletes: keys that a reading did not see. Written and deleted with the rows (<see cref="Rows.HeldDeletesSql"/>).
/// </summary>
internal static class HeldTable
{
    /// <summary>A generation begins: everything is read anew.</summary>
    public const string ForgetSql = "DELETE FROM cdc.held_deletes";

    /// <summary>$1 entity, all of which is read again.</summary>
    public const string SupersedeSql = "DELETE FROM cdc.held_deletes WHERE entity = $1";

    /// <summary>Whether a key waits. An expression.</summary>
    public static string Holds(string entity, string key) =>
        $"EXISTS (SELECT FROM cdc.held_deletes w WHERE w.entity = {entity} AND w.key = {key})";

    /// <summary>$1 entity.</summary>
    private const string AnySql = "SELECT EXISTS (SELECT FROM cdc.held_deletes WHERE entity = $1)";

    // Something of it is still to be read: what is held is not all of it.
    private const string IsReadSql = "SELECT NOT EXISTS (SELECT FROM cdc.chunks WHERE entity = $1 AND state = 'pending')";

    private const string AllowedSql =
        "SELECT coalesce(max(allow_deletes), 0) FROM cdc.requests WHERE entity = $1 AND state = 'accepted' AND kind = 'snapshot'";

    /// <summary>$1 entity, $2 reason, $3 how many, $4 of how many.</summary>
    private const string HoldSql = """
        UPDATE cdc.tables SET state = 'held', reason = $2, held_deletes = $3, held_of = $4, updated_at = now()
        WHERE entity = $1 AND state IN ('loading', 'streaming', 'held')
        """;

    private const string RefuseSql = $"""
        WITH refused AS (
            UPDATE cdc.requests SET state = 'refused', answered_at = now(), answer = $2
            WHERE entity = $1 AND state = 'accepted' AND id IN (SELECT request FROM cdc.chunks WHERE entity = $1 AND state = 'held') RETURNING id)
        SELECT pg_notify('{Core.Snapshots.RequestChannels.Answers}', id::text) FROM refused
        """;

    /// <summary>$1 entity. Of a request that a person has allowed, the answer has the time at which its chunks were done.</summary>
    private const string SweptLatelySql = """
        SELECT coalesce(sum(swept), 0)::bigint FROM cdc.chunks
        WHERE entity = $1 AND swept > 0 AND finished_at > greatest(now() - interval '1 day',
            (SELECT max(answered_at) FROM cdc.requests WHERE entity = $1 AND state = 'done' AND allow_deletes IS NOT NULL))
        """;

    /// <summary>$1 entity.</summary>
    private const string RecordSql = """
        WITH own AS (
            INSERT INTO cdc.chunks (entity, generation, kind, keys, state) SELECT $1, generation, 'snapshot', '{}', 'held' FROM cdc.source
            WHERE EXISTS (SELECT FROM cdc.held_deletes WHERE entity = $1 AND chunk = 0) RETURNING id)
        UPDATE cdc.held_deletes h SET chunk = own.id FROM own WHERE h.entity = $1 AND h.chunk = 0
        """;

    private const string ReleaseSql = "UPDATE cdc.chunks SET state = 'done', finished_at = now() WHERE entity = $1 AND state = 'held'";

    public static Task<bool> AnyAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        connection.Statement(AnySql, entity).ScalarAsync<bool>(ct);

    /// <summary>No chunk of the entity is still to be read.</summary>
    public static Task<bool> IsReadAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        connection.Statement(IsReadSql, entity).ScalarAsync<bool>(ct);

    /// <summary>How many rows may be deleted because a person has said so.</summary>
    public static Task<long> AllowedAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        connection.Statement(AllowedSql, entity).ScalarAsync<long>(ct);

    /// <summary>How many rows readings of the last day have deleted, since a person has last allowed some.</summary>
    public static Task<long> SweptLatelyAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        connection.Statement(SweptLatelySql, entity).ScalarAsync<long>(ct);

    /// <summary>Keys that were read again by themselves are no chunk's: they get one, so that their deletes are counted at it.</summary>
    public static Task RecordAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        connection.Statement(RecordSql, entity).ExecuteAsync(ct);

    /// <summary>A person must decide; the request for the reading is answered with it.</summary>
    public static async Task HoldAsync(
        NpgsqlConnection connection,
        string entity,
        string reason,
        long keys,
        long rows,
        CancellationToken ct
    )
    {
        await connection.Statement(HoldSql, entity, reason, keys, rows).ExecuteAsync(ct);
        await connection.Statement(RefuseSql, entity, reason).ExecuteAsync(ct);
    }

    /// <summary>Nothing is held any more: chunks, requests and the table go on.</summary>
    public static async Task SettleAsync(NpgsqlConnection connection, string entity, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Statements.BatchStatement(SupersedeSql, entity),
                Statements.BatchStatement(ReleaseSql, entity),
                Statements.BatchStatement(RequestTable.AnswerSql, entity),
                Statements.BatchStatement(TablesTable.LoadedSql, entity),
            },
        };
        await batch.ExecuteNonQueryAsync(ct);
    }
}
