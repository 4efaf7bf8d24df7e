using Cdc.Workload.Plan;

namespace Cdc.Workload.Transactions;

/// <summary>Cards come, go, exchange codes, and now and then hold what the engine rejects.</summary>
internal sealed class CardTransactions(OdooConnection odoo, OdooVersion version)
{
    // The code follows from the id: unique for ever, and the same in every run with the same seed. Lower case and blanks, as people type.
    private const string CodeOfId =
        "CASE WHEN id % 50 = 0 THEN ' 044' || substr(md5('card' || id), 1, 13) || ' ' ELSE '044' || substr(md5('card' || id), 1, 13) END";

    private string InsertSql =>
        $"""
        INSERT INTO loyalty_card (id, program_id, company_id, create_uid, write_uid, code{(
            version.HasArchivedCards() ? ", active" : ""
        )}, create_date, write_date, points)
        SELECT id, (SELECT min(p.id) + $1 % greatest(count(*), 1) FROM loyalty_program p), $2, 2, 2, {CodeOfId}{(
            version.HasArchivedCards() ? ", true" : ""
        )},
            now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', 0
        FROM (SELECT nextval('loyalty_card_id_seq')::int4 AS id) AS card
        RETURNING id
        """;

    private const string CompleteSql = """
        UPDATE loyalty_card SET partner_id = $2, points = $3, expiration_date = (now() AT TIME ZONE 'UTC')::date + $4,
            write_date = now() AT TIME ZONE 'UTC'
        WHERE id = $1
        """;

    private static readonly string[] Damages =
    [
        // Blanks of different lengths, since codes are unique in Odoo.
        "code = repeat(' ', 1 + id % 500)",
        "code = NULL",
        "code = repeat(md5(id::text), 40)",
        "points = -0.01",
        "points = 'NaN'",
        "points = 'Infinity'",
        "points = 1e300",
        "partner_id = 0",
    ];

    /// <returns>The card's id.</returns>
    public async Task<int> NewAsync(PlannedTransaction plan, CancellationToken ct)
    {
        var card = 0;
        await odoo.InTransactionAsync(
            async _ =>
            {
                var dice = new Dice(plan.Seed);
                card = await odoo.ScalarAsync<int>(InsertSql, [dice.Below(5), 1 + dice.Below(3)], ct);
                // Gift cards have no partner.
                var partners = version == OdooVersion.Delivered ? 1_000_000 : Seeding.InitialStock.Partners;
                object? partner = dice.OneIn(10) ? null : 1 + dice.Below(partners);
                await odoo.ExecuteAsync(CompleteSql, [card, partner, Math.Abs(plan.Points), dice.Below(900)], ct);
            },
            ct
        );
        return card;
    }

    /// <summary>Odoo's codes are unique at every moment, so an exchange goes by way of a third code.</summary>
    public Task SwapCodesAsync(int card, int other, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async _ =>
            {
                var codes = await odoo.ListAsync(
                    "SELECT id, code FROM loyalty_card WHERE id IN ($1, $2) ORDER BY id FOR UPDATE",
                    [card, other],
                    r => (Id: r.GetInt32(0), Code: r.IsDBNull(1) ? null : r.GetString(1)),
                    ct
                );
                if (codes.Count != 2)
                    return;
                await SetCodeAsync(codes[0].Id, $"swap-{codes[0].Id}", ct);
                await SetCodeAsync(codes[1].Id, codes[0].Code, ct);
                await SetCodeAsync(codes[0].Id, codes[1].Code, ct);
            },
            ct
        );

    public Task UnlinkAsync(int card, CancellationToken ct) => odoo.ExecuteAsync("DELETE FROM loyalty_card WHERE id = $1", [card], ct);

    public Task DamageAsync(int card, PlannedTransaction plan, CancellationToken ct) =>
        odoo.ExecuteAsync(
            $"UPDATE loyalty_card SET {Damages[plan.Seed % (ulong)Damages.Length]}, write_date = now() AT TIME ZONE 'UTC' WHERE id = $1",
            [card],
            ct
        );

    public Task RepairAsync(int card, PlannedTransaction plan, CancellationToken ct) =>
        odoo.ExecuteAsync(
            "UPDATE loyalty_card SET code = '044-repaired-' || id, points = $2, partner_id = NULL, write_date = now() AT TIME ZONE 'UTC' WHERE id = $1",
            [card, Math.Abs(plan.Points)],
            ct
        );

    private Task<int> SetCodeAsync(int card, string? code, CancellationToken ct) =>
        odoo.ExecuteAsync(
            "UPDATE loyalty_card SET code = $2, write_uid = 2, write_date = now() AT TIME ZONE 'UTC' WHERE id = $1",
            [card, code],
            ct
        );
}
