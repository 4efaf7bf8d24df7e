using Cdc.Core.Postgres;
using Cdc.Engine.Ownership;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>A change at which its card stopped.</summary>
/// <param name="Waiting">Changes of the card behind it.</param>
public sealed record StoppedCard(long Card, Guid Change, long Number, string Error, DateTime CreatedAt, long Waiting);

/// <summary>How many of the engine's own changes are where.</summary>
/// <param name="Pending">To be sent.</param>
/// <param name="Answered">Odoo has said that it has them, and its row has not shown them yet.</param>
/// <param name="Refused">At which cards have stopped.</param>
/// <param name="Oldest">When the oldest that is not synced was made; null: there is none.</param>
public sealed record OwnChangeCounts(long Pending, long Answered, long Synced, long Refused, DateTime? Oldest);

/// <summary>Own changes that Odoo's row has not shown yet.</summary>
/// <param name="Unsent">To be sent.</param>
/// <param name="Answered">Odoo has said that it has them.</param>
/// <param name="Refused">By Odoo.</param>
/// <param name="StoppedCards">At these.</param>
/// <param name="OldestSeconds">Age of the oldest; null: there is none.</param>
public sealed record WaitingChanges(long Unsent, long Answered, long Refused, long StoppedCards, double? OldestSeconds);

/// <summary>cdc.sync_log, as those who send own changes write and count it. What has arrived in Odoo is written by those who apply.</summary>
public static class SyncLogTable
{
    private const string AnsweredSql = """
        UPDATE cdc.sync_log l SET answered_at = clock_timestamp() FROM unnest($1::bigint[], $2::bigint[]) a(card, number)
        WHERE l.card = a.card AND l.number <= a.number AND l.status = 'pending' AND l.answered_at IS NULL
        """;

    private const string RefusedSql = """
        UPDATE cdc.sync_log l SET error = f.error FROM unnest($1::uuid[], $2::text[]) f(uuid, error)
        WHERE l.uuid = f.uuid AND l.status = 'pending'
        """;

    /// <summary>Against whoever gives one of them up in this moment.</summary>
    private const string LockRefusedSql = """
        SELECT FROM cdc.sync_log l WHERE l.status = 'pending' AND l.error IS NOT NULL AND (cardinality($1::bigint[]) = 0 OR l.card = ANY ($1))
        ORDER BY l.card, l.number FOR UPDATE
        """;

    /// <summary>
    /// With what Odoo has answered and never shown: an answer of another Odoo, or of one that lost it, would leave a gap for ever. Without
    /// what is being given up: it would go out behind the void that stands for it, and count as arrived.
    /// </summary>
    private const string RetrySql = """
        UPDATE cdc.sync_log l SET error = NULL, answered_at = NULL
        WHERE l.status = 'pending' AND (l.error IS NOT NULL OR l.answered_at IS NOT NULL)
          AND (cardinality($1::bigint[]) = 0 OR l.card = ANY ($1))
          AND EXISTS (SELECT FROM cdc.sync_log f WHERE f.card = l.card AND f.status = 'pending' AND f.error IS NOT NULL)
          AND (l.action = 'void' OR NOT EXISTS (SELECT FROM cdc.sync_log v WHERE v.card = l.card AND v.action = 'void' AND v.status <> 'failed'
              AND v.number > l.number AND coalesce(v.predecessor, 0) < l.number))
        """;

    /// <summary>Of what is pending: to be sent, answered, refused.</summary>
    private const string PendingCounts = """
        count(*) FILTER (WHERE status = 'pending' AND answered_at IS NULL AND error IS NULL),
        count(*) FILTER (WHERE status = 'pending' AND answered_at IS NOT NULL AND error IS NULL),
        count(*) FILTER (WHERE status = 'pending' AND error IS NOT NULL)
        """;

    private const string CountsSql = $"""
        SELECT {PendingCounts}, count(*) FILTER (WHERE status = 'synced'), min(created_at) FILTER (WHERE status = 'pending')
        FROM cdc.sync_log
        """;

    private const string WaitingSql = $"""
        SELECT {PendingCounts}, count(DISTINCT card) FILTER (WHERE error IS NOT NULL),
               CASE WHEN count(*) > 0 THEN greatest(extract(epoch FROM clock_timestamp() - min(created_at)), 0) END::float8
        FROM cdc.sync_log WHERE status = 'pending'
        """;

    private const string StoppedSql = """
        SELECT f.card, f.uuid, f.number, f.error, f.created_at,
               (SELECT count(*) FROM cdc.sync_log l WHERE l.card = f.card AND l.number > f.number AND l.status = 'pending')
        FROM cdc.sync_log f WHERE f.status = 'pending' AND f.error IS NOT NULL ORDER BY f.card, f.number LIMIT 100
        """;

    /// <summary>One transaction.</summary>
    /// <param name="answered">Cards, and the numbers up to which Odoo has their changes.</param>
    /// <param name="refused">Changes, and why: their cards wait for a person. Not of one that has arrived meanwhile.</param>
    public static async Task RecordAsync(
        NpgsqlConnection connection,
        (long[] Cards, long[] Numbers) answered,
        (Guid[] Changes, string[] Errors) refused,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statements.BatchStatement(AnsweredSql, answered.Cards, answered.Numbers));
        batch.BatchCommands.Add(Statements.BatchStatement(RefusedSql, refused.Changes, refused.Errors));
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Has changes at which cards stopped sent again. Harmless where Odoo has them: it applies each once.</summary>
    /// <param name="cards">By their ids in the engine; none: all.</param>
    /// <returns>How many changes will be sent again.</returns>
    public static async Task<int> RetryAsync(NpgsqlConnection connection, IReadOnlyList<long> cards, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.Statement(LockRefusedSql, cards.ToArray()).ExecuteAsync(ct);
        var again = await connection.Statement(RetrySql, cards.ToArray()).ExecuteAsync(ct);
        if (again > 0)
            await connection.Statement($"SELECT pg_notify('{OwnChanges.Channel}', '')").ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
        return again;
    }

    /// <summary>As <see cref="CountAsync"/>, of what waits alone: its cost is that of these.</summary>
    public static async Task<WaitingChanges> WaitingAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (
            await connection
                .Statement(WaitingSql)
                .RowsAsync(
                    row => new WaitingChanges(
                        row.GetInt64(0),
                        row.GetInt64(1),
                        row.GetInt64(2),
                        row.GetInt64(3),
                        row.IsDBNull(4) ? null : row.GetDouble(4)
                    ),
                    ct
                )
        ).Single();

    public static async Task<OwnChangeCounts> CountAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (
            await connection
                .Statement(CountsSql)
                .RowsAsync(
                    row => new OwnChangeCounts(
                        Pending: row.GetInt64(0),
                        Answered: row.GetInt64(1),
                        Synced: row.GetInt64(3),
                        Refused: row.GetInt64(2),
                        Oldest: row.IsDBNull(4) ? null : row.GetDateTime(4)
                    ),
                    ct
                )
        ).Single();

    /// <summary>The first hundred.</summary>
    public static Task<List<StoppedCard>> StoppedAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection
            .Statement(StoppedSql)
            .RowsAsync(
                row => new StoppedCard(
                    row.GetInt64(0),
                    row.GetGuid(1),
                    row.GetInt64(2),
                    row.GetString(3),
                    row.GetDateTime(4),
                    row.GetInt64(5)
                ),
                ct
            );
}
