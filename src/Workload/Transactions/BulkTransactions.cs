using Cdc.Workload.Plan;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Workload.Transactions;

/// <summary>Imports and nightly jobs: thousands of rows in one transaction.</summary>
internal sealed class BulkTransactions(OdooConnection odoo)
{
    private const string DueSql = """
        SELECT id, loyalty_card_id FROM loyalty_point_move
        WHERE state = 'active' AND expiration_date IS NOT NULL ORDER BY expiration_date, id LIMIT $1
        """;

    private const string ExpireSql = """
        WITH due AS (
            SELECT id, remaining_point AS lost FROM loyalty_point_move WHERE id = ANY ($1) AND state = 'active' FOR UPDATE
        ), expired AS (
            UPDATE loyalty_point_move m SET state = 'expired', remaining_point = 0, write_uid = 1, write_date = now() AT TIME ZONE 'UTC'
            FROM due WHERE m.id = due.id
            RETURNING m.id, m.loyalty_card_id, m.membership_product_id, due.lost
        ), card AS (
            UPDATE loyalty_card c SET points = greatest(c.points - total.lost, 0), write_uid = 1, write_date = now() AT TIME ZONE 'UTC'
            FROM (SELECT loyalty_card_id, sum(lost) AS lost FROM expired GROUP BY loyalty_card_id) total WHERE c.id = total.loyalty_card_id
            RETURNING c.id, c.points
        )
        INSERT INTO loyalty_point_history (loyalty_card_id, point_move_id, membership_product_id, create_uid, write_uid, origin, transaction_time,
            create_date, write_date, points_amount, points_balance)
        SELECT card.id, expired.id, membership_product_id, 1, 1, 'Expiry', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC',
            now() AT TIME ZONE 'UTC', -lost, points
        FROM expired JOIN card ON card.id = expired.loyalty_card_id ORDER BY expired.id
        """;

    public Task ExpireAsync(int rows, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async _ =>
            {
                var due = await odoo.ListAsync(DueSql, [rows], r => (Id: r.GetInt32(0), Card: r.IsDBNull(1) ? 0 : r.GetInt32(1)), ct);
                // The same order as every transaction that locks several cards; otherwise the job would be a deadlock's victim for ever.
                await odoo.ExecuteAsync(
                    "SELECT id FROM loyalty_card WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
                    [due.Select(d => d.Card).Distinct().ToArray()],
                    ct
                );
                await odoo.ExecuteAsync(ExpireSql, [due.Select(d => d.Id).ToArray()], ct);
            },
            ct
        );

    public Task CopyAsync(CardDeck deck, int rows, PlannedTransaction plan, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async _ =>
            {
                var now = DateTime.SpecifyKind(DateTime.UtcNow, DateTimeKind.Unspecified);
                await CopyMovesAsync(deck, rows, plan.Seed, now, ct);
                await CopyHistoryAsync(deck, rows, plan.Seed, now, ct);
            },
            ct
        );

    private async Task CopyMovesAsync(CardDeck deck, int rows, ulong seed, DateTime now, CancellationToken ct)
    {
        var dice = new Dice(seed);
        await using var writer = await odoo.Raw.BeginBinaryImportAsync(
            "COPY loyalty_point_move (loyalty_card_id, state, origin, gain_date, expiration_date, create_date, initial_point, remaining_point) FROM STDIN (FORMAT binary)",
            ct
        );
        for (var row = 0; row < rows; row++)
        {
            var points = (1 + dice.Below(4000)) / 20.0;
            await writer.StartRowAsync(ct);
            await writer.WriteAsync(deck.At((uint)dice.Next()), NpgsqlDbType.Integer, ct);
            await writer.WriteAsync("active", NpgsqlDbType.Varchar, ct);
            await writer.WriteAsync("Import", NpgsqlDbType.Varchar, ct);
            await writer.WriteAsync(now, NpgsqlDbType.Timestamp, ct);
            await writer.WriteAsync(now.AddDays(dice.Below(365)), NpgsqlDbType.Timestamp, ct);
            await writer.WriteAsync(now, NpgsqlDbType.Timestamp, ct);
            await writer.WriteAsync(points, NpgsqlDbType.Double, ct);
            await writer.WriteAsync(points, NpgsqlDbType.Double, ct);
        }
        await writer.CompleteAsync(ct);
    }

    private async Task CopyHistoryAsync(CardDeck deck, int rows, ulong seed, DateTime now, CancellationToken ct)
    {
        var dice = new Dice(seed + 1);
        await using var writer = await odoo.Raw.BeginBinaryImportAsync(
            "COPY loyalty_point_history (loyalty_card_id, origin, transaction_time, create_date, points_amount, points_balance) FROM STDIN (FORMAT binary)",
            ct
        );
        for (var row = 0; row < rows; row++)
        {
            await writer.StartRowAsync(ct);
            await writer.WriteAsync(deck.At((uint)dice.Next()), NpgsqlDbType.Integer, ct);
            await writer.WriteAsync("Import", NpgsqlDbType.Varchar, ct);
            await writer.WriteAsync(now, NpgsqlDbType.Timestamp, ct);
            await writer.WriteAsync(now, NpgsqlDbType.Timestamp, ct);
            await writer.WriteAsync(dice.Below(4000) / 20.0, NpgsqlDbType.Double, ct);
            await writer.WriteAsync(dice.Below(40_000) / 20.0, NpgsqlDbType.Double, ct);
        }
        await writer.CompleteAsync(ct);
    }
}
