using Npgsql;

namespace Cdc.Workload.Seeding;

/// <summary>Rows of years gone by in the tables of a real Odoo, behind those that are there. A function of seed and numbers of rows.</summary>
internal sealed class InitialStock(NpgsqlConnection connection, OdooVersion version, int seed, InitialRows rows)
{
    /// <summary>Whatever else is asked for: cards belong to somebody.</summary>
    public const int Partners = 100;

    private const string Then = "timestamp '2023-01-01 06:00' + n * interval '61.000001 seconds'";

    private const string PartnersSql = $"""
        INSERT INTO res_partner (company_id, create_uid, write_uid, name, active, create_date, write_date)
        SELECT 1 + n % 3, 2, 2, 'Contact ' || n, true, {Then}, {Then} FROM generate_series(1, $1) n;
        """;

    private const string ProgramsSql = $$"""
        INSERT INTO loyalty_program (sequence, company_id, currency_id, program_type, applies_on, trigger, name, portal_point_name, active,
            portal_visible, create_date, write_date)
        SELECT n, CASE WHEN n % 4 <> 3 THEN 1 + n % 3 END, 1, (ARRAY['loyalty', 'gift_card', 'ewallet', 'coupons', 'promotion'])[1 + n % 5],
            CASE WHEN n % 5 IN (0, 2) THEN 'both' ELSE 'future' END, 'auto',
            jsonb_build_object('en_US', 'Program ' || n) || CASE WHEN n % 2 = 0 THEN jsonb_build_object('id_ID', 'Program poin ' || n) ELSE '{}' END,
            CASE WHEN n % 3 > 0 THEN '{"en_US": "Points", "id_ID": "Poin"}'::jsonb END, n % 7 <> 6, true, {{Then}}, {{Then}}
        FROM generate_series(1, $1) n;
        """;

    private const string RewardsSql = """
        INSERT INTO loyalty_reward (program_id, company_id, reward_type, description, active, required_points)
        SELECT id, company_id, 'discount', '{"en_US": "10% on your order"}', true, 100 FROM loyalty_program;
        """;

    private string CardsSql =>
        $"""
            INSERT INTO loyalty_card (program_id, company_id, partner_id, create_uid, write_uid, code, expiration_date, create_date, write_date, points
                {(version.HasArchivedCards() ? ", active" : "")})
            SELECT (SELECT id FROM loyalty_program ORDER BY id OFFSET n % greatest((SELECT count(*) FROM loyalty_program), 1) LIMIT 1), 1 + n % 3,
                CASE WHEN n % 20 > 0 THEN (SELECT min(id) FROM res_partner) + n % {Partners} END, 2, 2,
                '044' || substr(k, 1, 1) || '-' || substr(k, 2, 4) || '-' || substr(k, 6, 4) || '-' || n, CASE WHEN n % 3 = 0 THEN date '2025-01-01' + n % 1500 END,
                {Then}, {Then}, {(
                version.HasPoints() ? "CASE WHEN n % 50 > 0 THEN n % 4001 / 20.0::float8 END" : "NULL::float8"
            )}{(version.HasArchivedCards() ? ", n % 30 > 0" : "")}
            FROM (SELECT n, md5($2::text || n) AS k FROM generate_series((SELECT coalesce(max(id), 0) FROM loyalty_card) + 1, (SELECT coalesce(max(id), 0) FROM loyalty_card) + $1) n) numbered;
            """;

    private string HistorySql =>
        $"""
            INSERT INTO loyalty_history (card_id, order_id, order_model, description, create_uid, write_uid, create_date, write_date, issued, used
                {(version.HasPoints() ? "" : ", points_changed_date, expiration_date")})
            SELECT c.id, n, CASE WHEN n % 3 = 0 THEN 'pos.order' ELSE 'sale.order' END, 'Order S' || n, 2, 2, {Then}, {Then},
                CASE WHEN n % 4 > 0 THEN n % 801 / 20.0::float8 ELSE 0 END, CASE WHEN n % 4 = 0 THEN n % 201 / 20.0::float8 ELSE 0 END
                {(version.HasPoints() ? "" : $", {Then}, CASE WHEN n % 8 = 1 THEN date '2026-01-01' + n % 900 END")}
            FROM generate_series(1, $1) n JOIN ({NumberedCards}) c ON c.place = n % (SELECT count(*) FROM loyalty_card);
            """;

    private static string MovesSql =>
        $"""
            INSERT INTO loyalty_point_move (loyalty_card_id, membership_product_id, create_uid, write_uid, origin, state, gain_date, expiration_date,
                create_date, write_date, initial_point, remaining_point)
            SELECT c.id, 1 + n % 5, 2, 2, 'Order ' || n, CASE n % 5 WHEN 3 THEN 'depleted' WHEN 4 THEN 'expired' ELSE 'active' END, {Then},
                CASE WHEN n % 9 > 0 THEN {Then} + interval '700 days' END, {Then}, {Then}, n % 801 / 20.0::float8, CASE WHEN n % 5 < 3 THEN n % 801 / 20.0::float8 ELSE 0 END
            FROM generate_series(1, $1) n JOIN ({NumberedCards}) c ON c.place = n % (SELECT count(*) FROM loyalty_card);
            """;

    private static string BalancesSql =>
        $"""
            INSERT INTO loyalty_point_history (loyalty_card_id, membership_product_id, create_uid, write_uid, origin, transaction_time, create_date,
                write_date, points_amount, points_balance)
            SELECT c.id, 1 + n % 5, 2, 2, 'Shop/' || n, {Then}, {Then}, {Then}, n % 801 / 20.0::float8, n % 4001 / 20.0::float8 - 1
            FROM generate_series(1, $1) n JOIN ({NumberedCards}) c ON c.place = n % (SELECT count(*) FROM loyalty_card);
            """;

    private const string NumberedCards = "SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM loyalty_card";

    public async Task WriteAsync(CancellationToken ct)
    {
        if (rows.OnlyWhenEmpty && await AnyAsync(ct))
            return;
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync(PartnersSql, Partners, ct);
        await ExecuteAsync(ProgramsSql, rows.Programs, ct);
        await ExecuteAsync(RewardsSql, null, ct);
        await ExecuteAsync(CardsSql, rows.Cards, ct, seed);
        if (version.HasHistory())
            await ExecuteAsync(HistorySql, rows.History, ct);
        if (version == OdooVersion.Odoo16Points)
        {
            await ExecuteAsync(MovesSql, rows.Moves, ct);
            await ExecuteAsync(BalancesSql, rows.History, ct);
        }
        await transaction.CommitAsync(ct);
        await ExecuteAsync("ANALYZE", null, ct);
    }

    private async Task<bool> AnyAsync(CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM loyalty_card)", connection);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private async Task ExecuteAsync(string sql, int? count, CancellationToken ct, int? salt = null)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        if (count is { } n)
            command.Parameters.AddWithValue(n);
        if (salt is { } s)
            command.Parameters.AddWithValue(s);
        await command.ExecuteNonQueryAsync(ct);
    }
}
