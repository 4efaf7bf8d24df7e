using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Engine.Rows;
using Npgsql;

namespace Cdc.Engine.Ownership;

/// <summary>
/// Gives up an own change that Odoo refuses: a void is sent in its place. Only when Odoo's row has the void's number is the change surely not
/// there, and never will be: a late copy of its call lies behind by then. What waits behind it is sent under new numbers, so that late copies
/// of their calls are nothing either.
/// </summary>
public sealed class GivenUpChanges(EntityDeclaration cards)
{
    private const string OpenVoid = "EXISTS (SELECT FROM cdc.sync_log v WHERE v.card = $1 AND v.action = 'void' AND v.status = 'pending')";

    private const string OvertakenSql =
        "UPDATE cdc.sync_log v SET status = 'failed', error = NULL WHERE v.uuid = $1 AND v.status = 'pending' "
        + "AND EXISTS (SELECT FROM cdc.sync_log l WHERE l.card = v.card AND l.number = $2)";

    private const string FailSql = """
        UPDATE cdc.sync_log l SET status = 'failed' FROM cdc.sync_log v
        WHERE l.card = $1 AND l.status = 'pending' AND l.error IS NOT NULL
          AND v.card = $1 AND v.action = 'void' AND v.status = 'synced' AND l.number < v.number AND l.number > coalesce(v.predecessor, 0)
        RETURNING l.uuid, v.number
        """;

    /// <summary>Cards of which a void has arrived, and what it stands for is not written down yet.</summary>
    private const string ArrivedSql = """
        SELECT DISTINCT v.card FROM cdc.sync_log v JOIN cdc.sync_log l
            ON l.card = v.card AND l.status = 'pending' AND l.error IS NOT NULL AND l.number < v.number AND l.number > coalesce(v.predecessor, 0)
        WHERE v.action = 'void' AND v.status = 'synced' LIMIT 100
        """;

    private readonly string _key = Sql.Identifier(cards.EngineKey);
    private readonly string _name = Sql.Literal(cards.Name);

    /// <summary>Has a void sent in the place of the change at which the card has stopped.</summary>
    /// <returns>False: the card has not stopped, or its change is being given up already.</returns>
    /// <exception cref="CdcException">Refused: Odoo has no such card, so nothing could be sent in the place of the change.</exception>
    public async Task<bool> BeginAsync(NpgsqlConnection connection, long card, CancellationToken ct)
    {
        if (card >= EntityDeclaration.FirstEngineId)
            throw new CdcException(
                FailureKind.Refused,
                $"Card {card} was made in the engine: cdc does not create cards in Odoo, and none of its changes can be given up there.",
                "Leave it: it holds up no other card."
            );
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await LockAsync(connection, card, ct);
        var made = await connection.Statement(BeginSql, card).ScalarAsync<long>(ct);
        await connection.Statement($"SELECT pg_notify('{OwnChanges.Channel}', '')").ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
        return made > 0;
    }

    /// <summary>Cards for <see cref="CompleteAsync"/>.</summary>
    public static Task<List<long>> ArrivedAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement(ArrivedSql).RowsAsync(row => row.GetInt64(0), ct);

    /// <summary>The void has arrived: the change is not in Odoo, and the engine's row no longer has it. One transaction.</summary>
    public async Task CompleteAsync(NpgsqlConnection connection, long card, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await LockAsync(connection, card, ct);
        var failed = await connection.Statement(FailSql, card).RowsAsync(row => (Uuid: row.GetGuid(0), Void: row.GetInt64(1)), ct);
        foreach (var (uuid, number) in failed)
        {
            var before = await connection
                .Statement($"SELECT ({BaseSql.Row(cards, "t")})::text FROM {cards.EngineName} t WHERE t.{_key} = $1", card)
                .ScalarAsync<string>(ct);
            await connection.Statement(UndoSql, card, uuid).ExecuteAsync(ct);
            await connection
                .Statement(
                    $"UPDATE {cards.EngineName} t SET base = cdc.moved_base(t.base, $2::jsonb, {BaseSql.Row(cards, "t")}) WHERE t.{_key} = $1",
                    card,
                    before
                )
                .ExecuteAsync(ct);
            await connection.Statement(RenumberSql, card, 0L, number).ExecuteAsync(ct);
        }
        if (cards.NotifyColumn is not null && failed.Count > 0)
            await connection.Statement($"SELECT pg_notify('{ChangeNotice.Channel(cards.Name)}', $1::text)", card).ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>What was given up came to Odoo after all: the void never can, and what waits follows what Odoo has.</summary>
    /// <param name="number">Of Odoo's card.</param>
    public async Task OvertakenAsync(NpgsqlConnection connection, long card, Guid voided, long number, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await LockAsync(connection, card, ct);
        // A number that is none of ours says nothing.
        if (await connection.Statement(OvertakenSql, voided, number).ExecuteAsync(ct) == 0)
        {
            await connection
                .Statement("UPDATE cdc.sync_log SET error = 'Odoo''s card has a number that the engine never gave' WHERE uuid = $1", voided)
                .ExecuteAsync(ct);
            await transaction.CommitAsync(ct);
            return;
        }
        await connection
            .Statement("UPDATE cdc.sync_log SET error = NULL WHERE card = $1 AND status = 'pending' AND number <= $2", card, number)
            .ExecuteAsync(ct);
        await connection.Statement(FollowSql, card, voided).ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private string BeginSql =>
        $"""
            WITH refused AS (
                SELECT l.predecessor FROM cdc.sync_log l
                WHERE l.card = $1 AND l.status = 'pending' AND l.error IS NOT NULL AND l.action <> 'void' ORDER BY l.number LIMIT 1
                FOR UPDATE
            ), numbered AS (
                UPDATE {cards.EngineName} c SET own_number = greatest(coalesce(c.own_number, 0) + 1, coalesce(c.odoo_number, 0) + 1, cdc.clock_micros())
                FROM refused WHERE c.{_key} = $1 AND NOT {OpenVoid} RETURNING c.own_number AS number
            ), made AS (
                INSERT INTO cdc.sync_log (entity, id, card, number, predecessor, action)
                SELECT {_name}, $1, $1, n.number, r.predecessor, 'void' FROM refused r, numbered n RETURNING 1
            )
            SELECT count(*) FROM made
            """;

    /// <summary>$2: the change. What was added is taken away; a value is the last that waits, or what Odoo has.</summary>
    private string UndoSql
    {
        get
        {
            var sets = cards.Columns.Where(c => cards.Reverse!.Owned.Contains(c.Name)).Select(Undo);
            return $"UPDATE {cards.EngineName} t SET {string.Join(", ", sets)} FROM cdc.sync_log e "
                + $"WHERE t.{_key} = $1 AND e.uuid = $2 AND e.entity = {_name}";
        }
    }

    private string Undo(EngineColumn column)
    {
        var (name, field) = (Sql.Identifier(column.Name), Sql.Literal(column.Name));
        string Logged(string row, string state) => $"({row}.{state} ->> {field})::{column.Type}";
        var undone = cards.Reverse!.Merged.Contains(column.Name)
            ? $"coalesce(t.{name}, 0) - coalesce({Logged("e", "after")}, 0) + coalesce({Logged("e", "before")}, 0)"
            : $"CASE WHEN EXISTS (SELECT FROM cdc.sync_log l WHERE l.card = $1 AND l.entity = {_name} AND l.status = 'pending' AND l.after ? {field}) "
                + $"THEN t.{name} ELSE {BaseSql.OdooValue(column, "t")} END";
        return $"{name} = CASE WHEN e.after ? {field} THEN {undone} ELSE t.{name} END";
    }

    /// <summary>
    /// $2: a void that never came. What waits below it keeps its numbers, since late copies of calls may still bring it under these; the first
    /// above it follows what the void was to follow.
    /// </summary>
    private string FollowSql =>
        $"""
            WITH place AS (
                SELECT v.number, (SELECT max(l.number) FROM cdc.sync_log l WHERE l.card = $1 AND l.number < v.number AND l.status <> 'failed') AS last
                FROM cdc.sync_log v WHERE v.uuid = $2
            ), followed AS (
                UPDATE cdc.sync_log l SET predecessor = p.last FROM place p
                WHERE l.card = $1 AND l.number = (SELECT min(n.number) FROM cdc.sync_log n WHERE n.card = $1 AND n.status = 'pending' AND n.number > p.number)
            )
            UPDATE {cards.EngineName} c SET own_number = (SELECT max(l.number) FROM cdc.sync_log l WHERE l.card = $1 AND l.status <> 'failed')
            WHERE c.{_key} = $1
            """;

    /// <summary>$2: of changes above this number; $3: the first of them follows it.</summary>
    private string RenumberSql =>
        $"""
            WITH card AS (
                SELECT greatest(coalesce(c.own_number, 0), coalesce(c.odoo_number, 0), $3, cdc.clock_micros()) AS last FROM {cards.EngineName} c WHERE c.{_key} = $1
            ), waiting AS (
                SELECT l.uuid, row_number() OVER (ORDER BY l.number) AS place FROM cdc.sync_log l WHERE l.card = $1 AND l.status = 'pending' AND l.number > $2
            ), renumbered AS (
                UPDATE cdc.sync_log l SET number = card.last + w.place, predecessor = CASE w.place WHEN 1 THEN $3 ELSE card.last + w.place - 1 END,
                    error = NULL, answered_at = NULL
                FROM waiting w, card WHERE l.uuid = w.uuid RETURNING l.number
            )
            UPDATE {cards.EngineName} c SET own_number = coalesce((SELECT max(number) FROM renumbered), $3) WHERE c.{_key} = $1
            """;

    /// <summary>
    /// Flushed at its commit, whatever the session does else: a crash of the engine that took new numbers back, of changes that were sent
    /// under them, would have these sent once more under others.
    /// </summary>
    private async Task LockAsync(NpgsqlConnection connection, long card, CancellationToken ct)
    {
        await connection.Statement("SELECT set_config('synchronous_commit', 'on', true)").ExecuteAsync(ct);
        await connection.Statement($"SELECT FROM {cards.EngineName} c WHERE c.{_key} = $1 FOR NO KEY UPDATE", card).ExecuteAsync(ct);
    }
}
