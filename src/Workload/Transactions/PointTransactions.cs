using System.Data;
using Cdc.Workload.Plan;

namespace Cdc.Workload.Transactions;

/// <summary>Sales, gains and uses of points. A card is always locked before its moves, and of two cards the lower id first.</summary>
internal sealed class PointTransactions(OdooConnection odoo)
{
    /// <summary>One statement, so one round trip: the update and the insert are a transaction of two rows in the WAL.</summary>
    private const string OrderSql = """
        WITH sale AS (
            SELECT id, company_id, CASE WHEN coalesce(points, 0) + $2 < 0 THEN -$2 ELSE $2 END AS amount
            FROM loyalty_card WHERE id = $1 FOR NO KEY UPDATE
        ), card AS (
            UPDATE loyalty_card c SET points = coalesce(c.points, 0) + sale.amount, write_uid = 2, write_date = now() AT TIME ZONE 'UTC'
            FROM sale WHERE c.id = sale.id
            RETURNING c.id, c.company_id, c.points, sale.amount
        )
        INSERT INTO loyalty_point_history (loyalty_card_id, company_id, create_uid, write_uid, origin, transaction_time, create_date, write_date,
            points_amount, points_balance)
        SELECT id, company_id, 2, 2, $3, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', amount, points FROM card
        """;

    private const string HistorySql = """
        INSERT INTO loyalty_point_history (loyalty_card_id, point_move_id, membership_product_id, status_membership_product_id, create_uid, write_uid,
            origin, transaction_time, create_date, write_date, points_amount, points_balance)
        VALUES ($1, $2, $3, $4, 2, 2, $5, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', $6, $7)
        """;

    private const string AddPointsSql = """
        UPDATE loyalty_card SET points = coalesce(points, 0) + $2, write_uid = 2, write_date = now() AT TIME ZONE 'UTC' WHERE id = $1 RETURNING points
        """;

    private const string NewMoveSql = """
        INSERT INTO loyalty_point_move (loyalty_card_id, membership_product_id, create_uid, write_uid, state, origin, gain_date, expiration_date,
            create_date, write_date, initial_point, remaining_point)
        VALUES ($1, $2, 2, 2, 'active', $3, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC' + $4 * interval '1 day',
            now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', $5, $5)
        RETURNING id
        """;

    public Task OrderAsync(int card, PlannedTransaction plan, CancellationToken ct) =>
        odoo.ExecuteAsync(OrderSql, [card, plan.Points, Origin(plan)], ct);

    public Task EarnAsync(int card, PlannedTransaction plan, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async _ =>
            {
                var dice = new Dice(plan.Seed);
                var points = Math.Abs(plan.Points);
                var product = 1 + dice.Below(5);
                var balance = await odoo.ScalarAsync<double>(AddPointsSql, [card, points], ct);
                // Days that differ a lot, so that the first to expire is seldom the first that was gained.
                var move = await odoo.ScalarAsync<int>(NewMoveSql, [card, product, Origin(plan), 1 + dice.Below(700), points], ct);
                await odoo.ExecuteAsync(HistorySql, [card, move, product, 1 + dice.Below(5), Origin(plan), points, balance], ct);
            },
            ct
        );

    /// <summary>Uses up active moves in the order they expire, each with its history row and the balance after it.</summary>
    public Task ConsumeAsync(int card, PlannedTransaction plan, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async _ =>
            {
                var balance = await odoo.ScalarAsync<double>("SELECT points FROM loyalty_card WHERE id = $1 FOR NO KEY UPDATE", [card], ct);
                var moves = await odoo.ListAsync(
                    "SELECT id, remaining_point FROM loyalty_point_move WHERE loyalty_card_id = $1 AND state = 'active' ORDER BY expiration_date, id",
                    [card],
                    r => (Id: r.GetInt32(0), Remaining: r.GetDouble(1)),
                    ct
                );
                var wanted = Math.Min(Math.Abs(plan.Points) * 3, balance);
                foreach (var move in moves)
                {
                    if (wanted <= 0)
                        break;
                    var used = Math.Min(wanted, move.Remaining);
                    (wanted, balance) = (wanted - used, Math.Max(balance - used, 0));
                    await RewriteMoveAsync(move.Id, move.Remaining - used, ct);
                    await odoo.ExecuteAsync(HistorySql, [card, move.Id, null, null, Origin(plan), -used, balance], ct);
                }
                await odoo.ExecuteAsync(
                    "UPDATE loyalty_card SET points = $2, write_uid = 2, write_date = now() AT TIME ZONE 'UTC' WHERE id = $1",
                    [card, balance],
                    ct
                );
            },
            ct
        );

    public Task RepeatableReadAsync(int card, PlannedTransaction plan, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async _ =>
            {
                var points = await odoo.ScalarAsync<double>("SELECT points FROM loyalty_card WHERE id = $1", [card], ct);
                var balance = Math.Max(points + plan.Points, 0);
                // Fails with 40001 if another session has written the card since the snapshot.
                await odoo.ExecuteAsync(
                    "UPDATE loyalty_card SET points = $2, write_date = now() AT TIME ZONE 'UTC' WHERE id = $1",
                    [card, balance],
                    ct
                );
                await odoo.ExecuteAsync(HistorySql, [card, null, null, null, Origin(plan), balance - points, balance], ct);
            },
            ct,
            IsolationLevel.RepeatableRead
        );

    public async Task RollbackAsync(int card, PlannedTransaction plan, CancellationToken ct)
    {
        await using var transaction = await odoo.Raw.BeginTransactionAsync(ct);
        await OrderAsync(card, plan, ct);
        await transaction.RollbackAsync(ct);
    }

    public Task SavepointAsync(int card, int other, PlannedTransaction plan, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async transaction =>
            {
                await OrderAsync(Math.Min(card, other), plan, ct);
                await transaction.SaveAsync("attempt", ct);
                await OrderAsync(Math.Max(card, other), plan, ct);
                await transaction.RollbackAsync("attempt", ct);
                await transaction.SaveAsync("kept", ct);
                await OrderAsync(Math.Max(card, other), plan, ct);
                await transaction.ReleaseAsync("kept", ct);
            },
            ct
        );

    private Task<int> RewriteMoveAsync(int move, double remaining, CancellationToken ct) =>
        odoo.ExecuteAsync(
            "UPDATE loyalty_point_move SET remaining_point = $2, state = $3, write_uid = 2, write_date = now() AT TIME ZONE 'UTC' WHERE id = $1",
            [move, remaining, remaining > 0 ? "active" : "depleted"],
            ct
        );

    private static string Origin(PlannedTransaction plan) => $"Shop/{plan.Seed % 40:00}/{plan.Seed >> 40:00000000}";
}
