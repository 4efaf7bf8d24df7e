using System.Data;
using Cdc.Workload.Plan;

namespace Cdc.Workload.Transactions;

/// <summary>
/// What Odoo 16 to 20 do to their own loyalty tables, statement by statement in the order in which their WAL has it. A plan's kinds are the
/// nearest of theirs: an import is the wizard that makes many cards, the nightly job is an administrator at work.
/// </summary>
internal sealed class StockTransactions(OdooConnection odoo, OdooVersion version, CardDeck deck)
{
    private const string Now = "now() AT TIME ZONE 'UTC'";
    private const string Code =
        "'044' || substr(md5('card' || id), 1, 1) || '-' || substr(md5('card' || id), 2, 4) || '-' || substr(md5('card' || id), 6, 6)";

    private static readonly string[] Damages =
    [
        "code = repeat(' ', 1 + id % 300)",
        "code = repeat(md5(id::text), 6)",
        "code = repeat(md5(id::text), 40)",
        "points = -0.01",
        "points = -0.004",
        "points = 12.345",
        "points = NULL",
        "points = 'NaN'",
        "points = 'Infinity'",
        "points = 1e300",
    ];

    public async Task CarryOutAsync(PlannedTransaction plan, int bulkRows, CancellationToken ct)
    {
        if (deck.Count == 0)
        {
            deck.Add(await NewCardAsync(plan, ct));
            return;
        }
        var (card, other) = (deck.At(plan.Card), deck.At(plan.OtherCard));
        switch (plan.Kind)
        {
            case TransactionKind.Order:
                await odoo.InTransactionAsync(_ => ConfirmAsync(card, plan, ct), ct);
                break;
            case TransactionKind.Earn:
                await odoo.InTransactionAsync(_ => MoveAsync(card, Math.Abs(plan.Points), 0, "pos.order", "Onsite", ct), ct);
                break;
            case TransactionKind.Consume:
                // Two tills that sold offline: nothing keeps a balance above 0.
                await odoo.InTransactionAsync(_ => MoveAsync(card, -Math.Abs(plan.Points), 0, "pos.order", "Onsite", ct), ct);
                break;
            case TransactionKind.Rollback:
                await using (var transaction = await odoo.Raw.BeginTransactionAsync(ct))
                {
                    await ConfirmAsync(card, plan, ct);
                    await transaction.RollbackAsync(ct);
                }
                break;
            case TransactionKind.Savepoint:
                await SavepointAsync(Math.Min(card, other), Math.Max(card, other), plan, ct);
                break;
            case TransactionKind.RepeatableRead:
                await SetBalanceAsync(deck.HasShared ? deck.Shared(plan.Card) : card, plan, ct);
                break;
            case TransactionKind.NewCard:
                deck.Add(await NewCardAsync(plan, ct));
                break;
            case TransactionKind.SwapCodes:
                await new CardTransactions(odoo, version).SwapCodesAsync(card, other, ct);
                break;
            case TransactionKind.Unlink:
                await CancelAsync(card, plan, ct);
                break;
            case TransactionKind.BulkCopy:
                await GenerateAsync(Math.Max(1, bulkRows / 10), plan, ct);
                break;
            case TransactionKind.Expiry:
                await AdministrateAsync(card, plan, ct);
                break;
            case TransactionKind.Damage:
                await DamageAsync(card, plan, ct);
                break;
            case TransactionKind.Repair:
                await RepairAsync(deck.HasDamaged ? deck.Damaged(plan.Card) : card, plan, ct);
                break;
            default:
                throw new InvalidOperationException($"Transactions of kind {plan.Kind} are not known here.");
        }
    }

    /// <summary>16 to 18 fill in the company by a second statement, 19 in the first.</summary>
    private async Task<int> NewCardAsync(PlannedTransaction plan, CancellationToken ct)
    {
        var dice = new Dice(plan.Seed);
        var card = 0;
        await odoo.InTransactionAsync(
            async _ =>
            {
                var inserted = version >= OdooVersion.Odoo19;
                card = await odoo.ScalarAsync<int>(
                    $"""
                    INSERT INTO loyalty_card (id, program_id, partner_id, create_uid, write_uid, code, create_date, write_date, points{Active}{(
                        inserted ? ", company_id" : ""
                    )})
                    SELECT id, (SELECT p.id FROM loyalty_program p ORDER BY p.id OFFSET $1 LIMIT 1), (SELECT min(r.id) FROM res_partner r WHERE r.id >= $2), 2, 2, {Code},
                        {Now}, {Now}, {(version.HasPoints() && !dice.OneIn(10) ? "0" : "NULL::float8")}{(version.HasArchivedCards() ? ", true" : "")}{(inserted ? ", 1" : "")}
                    FROM (SELECT nextval('loyalty_card_id_seq')::int4 AS id) AS card RETURNING id
                    """,
                    [dice.Below(5), 1 + dice.Below(2 * Seeding.InitialStock.Partners)],
                    ct
                );
                if (!inserted)
                    await odoo.ExecuteAsync("UPDATE loyalty_card SET company_id = 1 WHERE id = $1", [card], ct);
                if (dice.OneIn(2))
                    await MoveAsync(card, Math.Abs(plan.Points), 0, null, "Gift For Customer", ct);
            },
            ct
        );
        return card;
    }

    private async Task ConfirmAsync(int card, PlannedTransaction plan, CancellationToken ct)
    {
        var order = await odoo.ScalarAsync<int>("SELECT nextval('sale_order_id_seq')::int4", [], ct);
        // The row of history comes first.
        await HistoryAsync(card, plan.Points, order, "sale.order", $"Order S{order:00000}", ct);
        await odoo.ExecuteAsync(
            $"INSERT INTO sale_order_coupon_points (order_id, coupon_id, write_date, points) VALUES ($1, $2, {Now}, $3)",
            [order, card, plan.Points],
            ct
        );
        await AddPointsAsync(card, plan.Points, ct);
    }

    private async Task MoveAsync(int card, double points, int order, string? model, string description, CancellationToken ct)
    {
        await HistoryAsync(card, points, order, model, description, ct);
        await AddPointsAsync(card, points, ct);
    }

    private Task HistoryAsync(int card, double points, int order, string? model, string description, CancellationToken ct) =>
        !version.HasHistory()
            ? Task.CompletedTask
            : odoo.ExecuteAsync(
                $"""
                INSERT INTO loyalty_history (card_id, order_id, order_model, description, create_uid, write_uid, create_date, write_date, issued, used{(
                    version.HasPoints() ? "" : ", points_changed_date, expiration_date, linked_loyalty_history_id"
                )})
                VALUES ($1, $2, $3::varchar, $4, 2, 2, {Now}, {Now}, greatest($5::float8, 0), greatest(-$5::float8, 0){(
                    version.HasPoints() ? "" : $", {Now}, CASE WHEN $5::float8 > 3 THEN current_date + ($5::float8)::int END, CASE WHEN $5::float8 < 0 THEN (SELECT max(a.id) FROM loyalty_history a WHERE a.card_id = $1 AND a.issued > 0) END"
                )})
                """,
                [card, order, model, description, points],
                ct
            );

    private Task AddPointsAsync(int card, double points, CancellationToken ct) =>
        !version.HasPoints()
            ? Task.CompletedTask
            : odoo.ExecuteAsync(
                $"UPDATE loyalty_card SET points = coalesce(points, 0) + $2, write_uid = 2, write_date = {Now} WHERE id = $1",
                [card, points],
                ct
            );

    private Task SavepointAsync(int lower, int higher, PlannedTransaction plan, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async transaction =>
            {
                await ConfirmAsync(lower, plan, ct);
                await transaction.SaveAsync("attempt", ct);
                await ConfirmAsync(higher, plan, ct);
                await transaction.RollbackAsync("attempt", ct);
                await transaction.SaveAsync("kept", ct);
                await ConfirmAsync(higher, plan, ct);
                await transaction.ReleaseAsync("kept", ct);
            },
            ct
        );

    /// <summary>The wizard sets a balance, and its row of history is the difference.</summary>
    private Task SetBalanceAsync(int card, PlannedTransaction plan, CancellationToken ct) =>
        odoo.InTransactionAsync(
            async _ =>
            {
                if (!version.HasPoints())
                {
                    await HistoryAsync(card, plan.Points, 0, null, "Update Balance", ct);
                    return;
                }
                var points = await odoo.ScalarAsync<double>("SELECT points FROM loyalty_card WHERE id = $1", [card], ct);
                await HistoryAsync(card, plan.Points, 0, null, "Update Balance", ct);
                await odoo.ExecuteAsync(
                    $"UPDATE loyalty_card SET points = $2, write_uid = 2, write_date = {Now} WHERE id = $1",
                    [card, points + plan.Points],
                    ct
                );
            },
            ct,
            IsolationLevel.RepeatableRead
        );

    /// <summary>A cancelled order takes its rows of history along, and its cards; a quotation that is emptied its card alone.</summary>
    private async Task CancelAsync(int card, PlannedTransaction plan, CancellationToken ct)
    {
        if (plan.Seed % 2 == 1)
        {
            await odoo.ExecuteAsync("DELETE FROM loyalty_card WHERE id = $1", [card], ct);
            deck.Remove(card);
            return;
        }
        await odoo.InTransactionAsync(
            async _ =>
            {
                var orders = await odoo.ListAsync(
                    "SELECT order_id, points FROM sale_order_coupon_points WHERE coupon_id = $1 ORDER BY id DESC LIMIT 1",
                    [card],
                    r => (Order: r.GetInt32(0), Points: r.GetDouble(1)),
                    ct
                );
                if (orders is not [var cancelled])
                    return;
                if (version.HasHistory())
                    await odoo.ExecuteAsync(
                        "DELETE FROM loyalty_history WHERE order_model = 'sale.order' AND order_id = $1",
                        [cancelled.Order],
                        ct
                    );
                await AddPointsAsync(card, -cancelled.Points, ct);
                await odoo.ExecuteAsync("DELETE FROM loyalty_card WHERE order_id = $1 AND id <> $2", [cancelled.Order, card], ct);
                await odoo.ExecuteAsync("DELETE FROM sale_order_coupon_points WHERE order_id = $1", [cancelled.Order], ct);
            },
            ct
        );
    }

    private async Task GenerateAsync(int cards, PlannedTransaction plan, CancellationToken ct)
    {
        var made = new List<int>();
        await odoo.InTransactionAsync(
            async _ =>
            {
                made = await odoo.ListAsync(
                    $"""
                    INSERT INTO loyalty_card (id, program_id, company_id, create_uid, write_uid, code, create_date, write_date, points{Active})
                    SELECT id, (SELECT min(p.id) FROM loyalty_program p), {(
                        version >= OdooVersion.Odoo19 ? "1" : "NULL"
                    )}, 2, 2, {Code}, {Now}, {Now}, {(version.HasPoints() ? "$2::float8" : "CASE WHEN $2::float8 > 0 THEN NULL::float8 END")}{(
                        version.HasArchivedCards() ? ", true" : ""
                    )}
                    FROM (SELECT nextval('loyalty_card_id_seq')::int4 AS id FROM generate_series(1, $1)) AS card RETURNING id
                    """,
                    [cards, Math.Abs(plan.Points)],
                    r => r.GetInt32(0),
                    ct
                );
                if (version < OdooVersion.Odoo19)
                    await odoo.ExecuteAsync("UPDATE loyalty_card SET company_id = 1 WHERE id = ANY ($1)", [made.ToArray()], ct);
                if (version.HasHistory())
                    foreach (var card in made)
                        await HistoryAsync(card, Math.Abs(plan.Points), 0, null, "Gift For Customer", ct);
            },
            ct
        );
        made.ForEach(deck.Add);
    }

    private Task AdministrateAsync(int card, PlannedTransaction plan, CancellationToken ct) =>
        odoo.InTransactionAsync(
            _ =>
                (plan.Seed / 8 % 8) switch
                {
                    0 => InstallLanguageAsync(ct),
                    1 => ChangeCompanyAsync(1 + (int)(plan.Seed % 3), ct),
                    2 => ArchiveProgramAsync(ct),
                    3 => MergeContactsAsync(ct),
                    4 => DeleteContactAsync(ct),
                    5 => ArchiveCardAsync(card, ct),
                    6 => ChangeExpiryAsync(card, plan, ct),
                    _ => UpdateModuleAsync(ct),
                },
            ct
        );

    /// <summary>Every translated row, programs twice, and no write_date moves.</summary>
    private async Task InstallLanguageAsync(CancellationToken ct)
    {
        await odoo.ExecuteAsync("UPDATE loyalty_program SET name = name || jsonb_build_object('fr_FR', 'Programme ' || id)", [], ct);
        await odoo.ExecuteAsync("UPDATE loyalty_program SET portal_point_name = portal_point_name || '{\"fr_FR\": \"Points\"}'", [], ct);
        await odoo.ExecuteAsync("UPDATE loyalty_reward SET description = description || '{\"fr_FR\": \"10% sur la commande\"}'", [], ct);
    }

    private async Task ChangeCompanyAsync(int company, CancellationToken ct)
    {
        const string Changed = "(SELECT min(id) FROM loyalty_program)";
        await odoo.ExecuteAsync(
            $"UPDATE loyalty_program SET company_id = $1, write_uid = 2, write_date = {Now} WHERE id = {Changed}",
            [company],
            ct
        );
        await odoo.ExecuteAsync($"UPDATE loyalty_card SET company_id = $1, write_date = {Now} WHERE program_id = {Changed}", [company], ct);
        await odoo.ExecuteAsync(
            $"UPDATE loyalty_reward SET company_id = $1, write_date = {Now} WHERE program_id = {Changed}",
            [company],
            ct
        );
    }

    private async Task ArchiveProgramAsync(CancellationToken ct)
    {
        const string Last = "(SELECT max(id) FROM loyalty_program)";
        await odoo.ExecuteAsync(
            $"UPDATE loyalty_program SET active = NOT coalesce(active, false), write_date = {Now} WHERE id = {Last}",
            [],
            ct
        );
        if (version < OdooVersion.Odoo19)
            await odoo.ExecuteAsync(
                $"UPDATE loyalty_reward SET active = NOT coalesce(active, false), write_date = {Now} WHERE program_id = {Last}",
                [],
                ct
            );
    }

    /// <summary>Raw SQL on every reference, without a write_date; from 18 on the cards are added up before. No row of history.</summary>
    private async Task MergeContactsAsync(CancellationToken ct)
    {
        var contacts = await odoo.ListAsync("SELECT id FROM res_partner ORDER BY id DESC LIMIT 2", [], r => r.GetInt32(0), ct);
        if (contacts is not [var source, var destination])
            return;
        if (version is OdooVersion.Odoo18 or OdooVersion.Odoo19)
        {
            await odoo.ExecuteAsync(
                $"""
                UPDATE loyalty_card SET points = coalesce(points, 0) + (SELECT coalesce(sum(points), 0) FROM loyalty_card WHERE partner_id = $1), write_date = {Now}
                WHERE id = (SELECT min(id) FROM loyalty_card WHERE partner_id = $2)
                """,
                [source, destination],
                ct
            );
            await odoo.ExecuteAsync(
                $"UPDATE loyalty_card SET active = false, points = 0, write_date = {Now} WHERE partner_id = $1",
                [source],
                ct
            );
        }
        await odoo.ExecuteAsync("UPDATE loyalty_card SET partner_id = $2 WHERE partner_id = $1", [source, destination], ct);
        await odoo.ExecuteAsync("DELETE FROM res_partner WHERE id = $1", [source], ct);
        await NewContactAsync(ct);
    }

    /// <summary>The contact goes first; its cards become nobody's by their foreign key.</summary>
    private async Task DeleteContactAsync(CancellationToken ct)
    {
        await odoo.ExecuteAsync("DELETE FROM res_partner WHERE id = (SELECT max(id) FROM res_partner)", [], ct);
        await NewContactAsync(ct);
    }

    private async Task NewContactAsync(CancellationToken ct)
    {
        var contact = await odoo.ScalarAsync<int>(
            $"INSERT INTO res_partner (create_uid, write_uid, name, active, create_date, write_date) VALUES (2, 2, 'New', true, {Now}, {Now}) RETURNING id",
            [],
            ct
        );
        await odoo.ExecuteAsync("UPDATE res_partner SET commercial_partner_id = id WHERE id = $1", [contact], ct);
    }

    /// <summary>Where none can be archived, a value is written that it has already: its write_date moves.</summary>
    private Task<int> ArchiveCardAsync(int card, CancellationToken ct) =>
        odoo.ExecuteAsync(
            $"UPDATE loyalty_card SET {(version.HasArchivedCards() ? "active = NOT coalesce(active, false)" : "points = points")}, write_date = {Now} WHERE id = $1",
            [card],
            ct
        );

    /// <summary>Of 20: an award gets another end, and with it what draws from it; or it is deleted, and what drew from it is a debt.</summary>
    private Task ChangeExpiryAsync(int card, PlannedTransaction plan, CancellationToken ct)
    {
        const string Award = "(SELECT max(id) FROM loyalty_history WHERE card_id = $1 AND issued > 0)";
        return version.HasPoints() ? UpdateModuleAsync(ct)
            : plan.Seed % 3 == 0 ? odoo.ExecuteAsync($"DELETE FROM loyalty_history WHERE id = {Award}", [card], ct)
            : odoo.ExecuteAsync(
                $"UPDATE loyalty_history SET expiration_date = current_date + $2, write_date = {Now} WHERE id = {Award}",
                [card, (int)(plan.Seed % 90) - 30],
                ct
            );
    }

    private async Task UpdateModuleAsync(CancellationToken ct)
    {
        for (var again = 0; again < 3; again++)
            await odoo.ExecuteAsync($"UPDATE loyalty_program SET trigger = trigger, write_date = {Now}", [], ct);
    }

    private async Task DamageAsync(int card, PlannedTransaction plan, CancellationToken ct)
    {
        var damages = version.HasPoints() ? Damages : Damages[..3];
        await odoo.ExecuteAsync(
            $"UPDATE loyalty_card SET {damages[plan.Seed % (ulong)damages.Length]}, write_date = {Now} WHERE id = $1",
            [card],
            ct
        );
        deck.MarkDamaged(card);
    }

    private async Task RepairAsync(int card, PlannedTransaction plan, CancellationToken ct)
    {
        await odoo.ExecuteAsync(
            $"UPDATE loyalty_card SET code = '044-repaired-' || id, {(version.HasPoints() ? "points = $2" : "company_id = coalesce(company_id, ($2::float8)::int4)")}, write_date = {Now} WHERE id = $1",
            [card, Math.Abs(plan.Points)],
            ct
        );
        deck.MarkRepaired(card);
    }

    private string Active => version.HasArchivedCards() ? ", active" : "";
}
