using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Engine.Status;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Requests;

/// <summary>
/// cdc.requests as a requester sees it: the running pipeline reads a range, or some keys, again. A request outlives both processes: it
/// stays open until it is answered.
/// </summary>
public static class SnapshotRequests
{
    private const string AskRangeSql =
        "INSERT INTO cdc.requests (kind, entity, from_key, to_key, allow_deletes) VALUES ('snapshot', $1, $2::bigint, $3::bigint, $4::bigint) RETURNING id";

    private const string AskOnceSql = """
        INSERT INTO cdc.requests (kind, entity)
        SELECT 'snapshot', $1 WHERE NOT EXISTS (
            SELECT FROM cdc.requests WHERE kind = 'snapshot' AND entity = $1 AND from_key IS NULL AND to_key IS NULL AND keys IS NULL AND state = 'open')
        RETURNING id
        """;

    private const string AskKeysSql = "INSERT INTO cdc.requests (kind, entity, keys) VALUES ('snapshot', $1, $2) RETURNING id";

    private const string HeldSql = "SELECT held_deletes FROM cdc.tables WHERE entity = $1 AND state = 'held'";

    private const string AnswerSql = "SELECT state, coalesce(answer, '') FROM cdc.requests WHERE id = $1";

    // How many rows a range has is not known: only a whole table has an estimate.
    private const string ProgressSql = """
        SELECT r.entity, r.state, r.answer, CASE WHEN r.from_key IS NULL AND r.to_key IS NULL THEN COALESCE(t.estimated_rows, 0) ELSE 0 END,
               CASE WHEN t.state = 'stopped' THEN coalesce(t.reason, '') END
        FROM cdc.requests r LEFT JOIN cdc.tables t ON t.entity = r.entity WHERE r.id = $1
        """;

    /// <param name="allowDeletes">Rows that may be deleted though they are many; null: no more than the settings say.</param>
    /// <returns>The request's id.</returns>
    public static Task<long> AskAsync(
        NpgsqlConnection connection,
        string entity,
        KeyRange keys,
        long? allowDeletes,
        CancellationToken ct
    ) => connection.Statement(AskRangeSql, entity, keys.From, keys.To, allowDeletes).ScalarAsync<long>(ct);

    /// <summary>All of the entity.</summary>
    /// <returns>The request's id; null: somebody asks for it already, and it has not begun.</returns>
    public static async Task<long?> AskOnceAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        await connection.Statement(AskOnceSql, entity).RowsAsync(row => row.GetInt64(0), ct) is [var id] ? id : null;

    /// <summary>Rows of the entity that wait to be deleted; null: it is not held.</summary>
    public static async Task<long?> HeldAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        (await connection.Statement(HeldSql, entity).RowsAsync(row => row.Long(0), ct)).SingleOrDefault();

    /// <returns>The request's id.</returns>
    public static Task<long> AskAsync(NpgsqlConnection connection, string entity, long[] keys, CancellationToken ct) =>
        connection.Statement(AskKeysSql, entity, keys).ScalarAsync<long>(ct);

    /// <returns>Null: there is no such request any more.</returns>
    public static async Task<RequestAnswer?> AnswerAsync(NpgsqlConnection connection, long request, CancellationToken ct) =>
        (
            await connection
                .Statement(AnswerSql, request)
                .RowsAsync(row => new RequestAnswer(States.Of<RequestState>(row.GetString(0)), row.GetString(1)), ct)
        ).SingleOrDefault();

    /// <summary>The request's state, and how far its chunks are (null: none was cut yet).</summary>
    public static async Task<SnapshotProgress> ProgressAsync(NpgsqlConnection connection, long request, CancellationToken ct)
    {
        var (entity, state, answer, estimate, stopped) = (
            await connection
                .Statement(ProgressSql, request)
                .RowsAsync(
                    row =>
                        (
                            row.GetString(0),
                            States.Of<RequestState>(row.GetString(1)),
                            row.Get<string>(2),
                            row.GetInt64(3),
                            row.Get<string>(4)
                        ),
                    ct
                )
        ).Single();
        var counts = (await SnapshotReader.ReadAsync(connection, request, ct)).GetValueOrDefault(entity);
        return new SnapshotProgress(request, entity, state, answer, counts is null ? null : SnapshotMath.Of(counts, estimate))
        {
            StoppedBy = stopped,
        };
    }
}

/// <param name="Answer">Empty until there is one.</param>
public sealed record RequestAnswer(RequestState State, string Answer);

/// <param name="Chunks">How far its chunks are; null: none was cut yet.</param>
public sealed record SnapshotProgress(long Request, string Entity, RequestState State, string? Answer, SnapshotStatus? Chunks)
{
    /// <summary>Why its table is stopped, until when it is not read; null: it is not.</summary>
    public string? StoppedBy { get; init; }

    public bool IsOver => State is RequestState.Done or RequestState.Refused;
}
