using Cdc.Core.Changes;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>How far a fence is. docs/protocol.md says which part moves it and what holds then.</summary>
public enum FenceState
{
    Announced,
    Armed,
    Read,
    Reached,
    Open,
    Done,
    Broken,
}

/// <summary>A fence that is asked for. Its entity may be one that this program does not know.</summary>
internal sealed record PendingFence(long Id, string Entity, KeyRange Range, FenceState State, string? Snapshot);

/// <summary>
/// cdc.fences as the pipeline sees it. Each move of a fence is a compare-and-set that notifies the process that asked for it, and returns
/// false where the fence was no longer where it could be moved from.
/// </summary>
public static class FenceTable
{
    /// <summary>No process waits for these any more, and the one that would have said so is gone.</summary>
    private const string BreakExpiredSql = """
        UPDATE cdc.fences SET state = 'broken', reason = 'expired', detail = 'Its time ran out while it was ' || state || '.', ended_at = clock_timestamp()
        WHERE state IN ('announced', 'armed', 'read') AND expires_at < clock_timestamp()
        """;

    /// <summary>$1 session.</summary>
    private const string PendingSql = """
        SELECT id, entity, from_key, to_key, state, source_snapshot::text FROM cdc.fences
        WHERE state = 'announced' OR (state IN ('armed', 'read') AND session = $1) ORDER BY id
        """;

    /// <summary>$1 oldest id that is kept.</summary>
    private const string PruneSql = "DELETE FROM cdc.fences WHERE id < $1";

    /// <summary>$1 fence, $2 session, $3 generation.</summary>
    private const string ArmSql = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'armed', session = $2, generation = $3, reason = NULL, detail = NULL, armed_at = clock_timestamp()
            WHERE id = $1 AND state = 'announced' AND EXISTS (SELECT FROM cdc.source WHERE session = $2) RETURNING id)
        {AnswerSql}
        """;

    /// <summary>$1 fence, $2 reason, $3 detail.</summary>
    private const string PostponeSql =
        "UPDATE cdc.fences SET reason = $2, detail = $3 WHERE id = $1 AND state = 'announced' AND (reason, detail) IS DISTINCT FROM ($2, $3)";

    /// <summary>$1 fence, $2 session, $3 marker, $4 keys in flight, $5 whether all are.</summary>
    private const string ReachSql = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'reached', marker_lsn = $3, in_flight = $4, in_flight_all = $5, reached_at = clock_timestamp()
            WHERE id = $1 AND state = 'read' AND session = $2 AND expires_at > clock_timestamp() RETURNING id)
        {AnswerSql}
        """;

    /// <summary>$1 fence.</summary>
    private const string StateSql = "SELECT state FROM cdc.fences WHERE id = $1";

    /// <summary>$1 session that begins: those of older ones end. What is open is compared already, and stays right.</summary>
    private const string BreakOlderSessionsSql = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'broken', reason = 'session', detail = 'The session of the pipeline that armed it has ended.', ended_at = clock_timestamp()
            WHERE state IN ('armed', 'read', 'reached') AND session < $1 RETURNING id)
        {AnswerSql}
        """;

    /// <summary>$1 fence, $2 reason, $3 detail. Not one that is open or has ended.</summary>
    private const string BreakSql = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'broken', reason = $2, detail = $3, ended_at = clock_timestamp()
            WHERE id = $1 AND state IN ('announced', 'armed', 'read', 'reached') RETURNING id)
        {AnswerSql}
        """;

    private const string AnswerSql = $"SELECT pg_notify('{FenceChannels.Answers}', id::text) FROM moved";

    /// <summary>$1 fence, $2 session, $3 marker, $4 keys in flight, $5 whether all are, $6 vector: its partitions stop there.</summary>
    private const string SetVectorSql = """
        UPDATE cdc.fences SET marker_lsn = $3, in_flight = $4, in_flight_all = $5, vector = $6::jsonb
        WHERE id = $1 AND state = 'read' AND session = $2 AND expires_at > clock_timestamp()
        """;

    private const string ReachVectorSql = $"""
        WITH moved AS (
            UPDATE cdc.fences f SET state = 'reached', reached_at = clock_timestamp()
            WHERE f.state = 'read' AND f.vector IS NOT NULL AND f.expires_at > clock_timestamp()
              AND NOT EXISTS (SELECT FROM jsonb_each_text(f.vector) v LEFT JOIN cdc.checkpoints c ON c.partition = v.key
                              WHERE coalesce(c.next_offset, -1) < v.value::bigint) RETURNING id)
        {AnswerSql}
        """;

    private const string NotOpened = "The engine's snapshot was not open in the time that changes wait for it (Engine:FenceHoldTimeout).";

    private const string GiveUpVectorsSql = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'broken', reason = '{FenceReasons.NotOpened}', ended_at = clock_timestamp(),
                detail = 'The engine''s snapshot was not open in the time that changes wait for it (Engine:FenceHoldTimeout).'
            WHERE state = 'reached' AND vector IS NOT NULL AND reached_at + $1 < clock_timestamp() RETURNING id)
        {AnswerSql}
        """;

    /// <summary>No process that could have said so is there any more.</summary>
    private const string BreakExpiredVectorsSql = """
        UPDATE cdc.fences SET state = 'broken', reason = 'expired', detail = 'Its time ran out while it was ' || state || '.', ended_at = clock_timestamp()
        WHERE state = 'read' AND vector IS NOT NULL AND expires_at < clock_timestamp()
        """;

    private const string HasVectorSql = "SELECT EXISTS (SELECT FROM cdc.fences WHERE state IN ('read', 'reached') AND vector IS NOT NULL)";

    /// <summary>Vectors at which partitions stop.</summary>
    internal const string VectorsSql = "SELECT vector::text FROM cdc.fences WHERE state IN ('read', 'reached') AND vector IS NOT NULL";

    /// <summary>Breaks fences whose time has run out; returns those that a session has to act on.</summary>
    internal static async Task<List<PendingFence>> PendingAsync(NpgsqlConnection connection, long session, CancellationToken ct)
    {
        await (await PreparedAsync(connection, BreakExpiredSql, ct)).ExecuteAsync(ct);
        return await (await PreparedAsync(connection, PendingSql, ct, session)).RowsAsync(
            row => new PendingFence(
                row.GetInt64(0),
                row.GetString(1),
                new KeyRange(row.Long(2), row.Long(3)),
                States.Of<FenceState>(row.GetString(4)),
                row.Get<string>(5)
            ),
            ct
        );
    }

    /// <summary>Only people read closed ones: deletes rows below an id.</summary>
    internal static async Task PruneAsync(NpgsqlConnection connection, long below, CancellationToken ct) =>
        await (await PreparedAsync(connection, PruneSql, ct, below)).ExecuteAsync(ct);

    internal static Task<bool> ArmAsync(NpgsqlConnection connection, long fence, long session, int generation, CancellationToken ct) =>
        MoveAsync(connection, ArmSql, ct, fence, session, generation);

    internal static async Task PostponeAsync(NpgsqlConnection connection, long fence, string reason, string detail, CancellationToken ct) =>
        await (await PreparedAsync(connection, PostponeSql, ct, fence, reason, detail)).ExecuteAsync(ct);

    /// <summary>Not one that is open or has ended.</summary>
    public static Task<bool> BreakAsync(NpgsqlConnection connection, long fence, string reason, string detail, CancellationToken ct) =>
        MoveAsync(connection, BreakSql, ct, fence, reason, detail);

    /// <summary>Those of older sessions end with a session's begin. What is open is compared already, and stays right.</summary>
    internal static Task BreakOlderSessionsAsync(NpgsqlConnection connection, long session, CancellationToken ct) =>
        connection.Statement(BreakOlderSessionsSql, session).ExecuteAsync(ct);

    /// <summary>Everything before its marker is committed, and nothing after it is begun.</summary>
    public static Task<bool> ReachAsync(NpgsqlConnection connection, FenceChange fence, long session, CancellationToken ct) =>
        MoveAsync(connection, ReachSql, ct, fence.Fence, session, fence.Marker, fence.InFlight.ToArray(), fence.InFlightAll);

    /// <summary>It waits for the engine's snapshot.</summary>
    public static async Task<bool> IsReachedAsync(NpgsqlConnection connection, long fence, CancellationToken ct) =>
        await connection.Statement(StateSql, fence).ScalarAsync<string?>(ct) is { } state
        && States.Of<FenceState>(state) == FenceState.Reached;

    /// <summary>The engine's snapshot was not open in time.</summary>
    public static Task<bool> GiveUpAsync(NpgsqlConnection connection, long fence, CancellationToken ct) =>
        BreakAsync(connection, fence, FenceReasons.NotOpened, NotOpened, ct);

    /// <summary>Over Kafka: partitions stop at the vector.</summary>
    internal static Task SetVectorAsync(
        NpgsqlConnection connection,
        FenceChange fence,
        long session,
        IReadOnlyDictionary<string, long> vector,
        CancellationToken ct
    ) =>
        connection
            .Statement(
                SetVectorSql,
                fence.Fence,
                session,
                fence.Marker,
                fence.InFlight.ToArray(),
                fence.InFlightAll,
                LogVector.ToJson(vector)
            )
            .ExecuteAsync(ct);

    /// <summary>Over Kafka: those at whose vector every partition stands are reached, those that had their time are broken.</summary>
    internal static async Task MoveVectorsAsync(NpgsqlConnection connection, TimeSpan holdTimeout, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new(ReachVectorSql), Statements.BatchStatement(GiveUpVectorsSql, holdTimeout), new(BreakExpiredVectorsSql) },
        };
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Over Kafka: partitions stop at one.</summary>
    internal static async Task<bool> HasVectorAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await (await PreparedAsync(connection, HasVectorSql, ct)).ScalarAsync<bool>(ct);

    private static async Task<bool> MoveAsync(NpgsqlConnection connection, string sql, CancellationToken ct, params object[] values)
    {
        await using var command = await PreparedAsync(connection, sql, ct, values);
        await using var moved = await command.ExecuteReaderAsync(ct);
        return await moved.ReadAsync(ct);
    }

    private static async Task<NpgsqlCommand> PreparedAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken ct,
        params object[] values
    )
    {
        var command = connection.Statement(sql, values);
        await command.PrepareAsync(ct);
        return command;
    }
}
