using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>What the Api answers follows from the declaration: whatever history this Odoo has, or none.</summary>
public sealed class StockHistoryTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private const string Cards =
        "INSERT INTO loyalty_card (id, program_id, company_id, code, points, partner_id) VALUES (22, 7, 1, 'abc', 32.94, 3), (18, 7, 1, 'gift', 1, NULL);";

    private const string Movements = """
        INSERT INTO loyalty_history (card_id, order_id, order_model, description, issued, used, create_date) VALUES
            (22, 25, 'sale.order', 'Order S00025', 38.29, 0, '2026-01-01 10:00'), (22, 27, 'sale.order', 'Order S00027', 7.65, 10, '2026-01-02 10:00'),
            (22, 0, 'pos.order', 'Onsite False', 0, 3, '2026-01-03 10:00'), (18, NULL, NULL, 'Gift For Customer', 1, NULL, '2026-01-01 10:00');
        """;

    [Fact]
    public async Task A_row_s_points_are_what_it_issues_less_what_it_uses_and_a_cancelled_order_s_are_gone()
    {
        await using var shop = await OdooShop.OpenAsync(servers, OdooVersion.Odoo19, Cards + Movements);
        Assert.Equal("-3.00 Onsite False|-2.35 Order S00027|38.29 Order S00025", await HistoryAsync(shop, "abc"));
        Assert.Equal("1.00 Gift For Customer", await HistoryAsync(shop, "gift"));
        var page = await shop.GetAsync("/cards/abc/history?limit=2");
        var next = await shop.GetAsync($"/cards/abc/history?limit=2&cursor={page["nextCursor"]}");
        Assert.Equal("38.29", Assert.Single(next.Json.GetProperty("items").EnumerateArray()).GetProperty("pointsAmount").GetString());
        // An order is cancelled; a row is changed in place; one is made anew with another id.
        await shop.ChangeAsync(
            """
            DELETE FROM loyalty_history WHERE order_id = 25;
            UPDATE loyalty_history SET used = 9 WHERE order_id = 27;
            DELETE FROM loyalty_history WHERE order_id = 0;
            INSERT INTO loyalty_history (card_id, order_id, order_model, description, issued, used, create_date) VALUES (22, 0, 'pos.order', 'Again', 0, 3, '2026-01-03 10:00')
            """
        );
        Assert.Equal("-3.00 Again|-1.35 Order S00027", await HistoryAsync(shop, "abc"));
    }

    [Fact]
    public async Task Without_a_history_balances_are_served_and_the_history_says_that_there_is_none()
    {
        await using var shop = await OdooShop.OpenAsync(servers, OdooVersion.Odoo16, Cards);
        Assert.Equal((200, "32.94"), ((await shop.CardAsync("abc")).Status, (await shop.CardAsync("abc"))["points"]));
        Assert.Equal(1, (await shop.GetAsync("/partners/3/cards")).Json.GetProperty("cards").GetArrayLength());
        var history = await shop.GetAsync("/cards/abc/history");
        Assert.Equal((404, "not-declared"), (history.Status, history.Problem));
        Assert.Equal(200, (await shop.GetAsync("/health")).Status);
    }

    [Theory]
    [InlineData(""" "name": "history", """)]
    [InlineData(""" "name": "odoo_history", "serves": { "role": "history", "amount": "delta", "origin": "why", "time": "at" }, """)]
    public async Task A_history_of_one_s_own_columns_is_served_with_those_that_it_has(string name)
    {
        var declaration = $$"""
            { "include": "odoo-16", "entities": [ { {{name}}
              "source": { "table": "public.loyalty_history", "key": "id", "columns": { "id": "int4", "card_id": "int4", "issued": "float8", "used": "float8", "description": "text", "create_date": "timestamp" } },
              "engine": { "table": "public.odoo_history", "key": "id", "columns": [
                { "name": "loyalty_card_id", "type": "bigint", "value": "card_id", "notNull": true },
                { "name": "points_amount", "type": "numeric(18,2)", "value": "round((coalesce(issued, 0) - coalesce(used, 0))::numeric, 2)" },
                { "name": "delta", "type": "numeric(18,2)", "value": "round((coalesce(issued, 0) - coalesce(used, 0))::numeric, 2)" },
                { "name": "why", "type": "text", "value": "description" }, { "name": "at", "type": "timestamptz", "value": "create_date AT TIME ZONE 'UTC'" } ] },
              "parents": { "loyalty_card_id": "card" } } ] }
            """;
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo18,
            Cards + Movements,
            EntityFile.Parse(declaration, "own.json"),
            engine: "CREATE TABLE odoo_history (id bigint PRIMARY KEY, loyalty_card_id bigint NOT NULL, points_amount numeric(18,2), delta numeric(18,2), why text, at timestamptz, "
                + "source_generation integer NOT NULL DEFAULT 0, source_lsn pg_lsn NOT NULL DEFAULT '0/0', source_ordinal bigint NOT NULL DEFAULT 0, source_commit_at timestamptz)"
        );
        var amounts = (await shop.GetAsync("/cards/abc/history"))
            .Json.GetProperty("items")
            .EnumerateArray()
            .Select(i => i.GetProperty("pointsAmount").GetString());
        // By their keys, where no time is declared: the newest first either way.
        Assert.Equal(["-3.00", "-2.35", "38.29"], amounts);
    }

    [Fact]
    public async Task Without_cards_the_paths_say_so()
    {
        var entities = EntityFile.Parse(
            """
            { "entities": [ { "name": "partner",
              "source": { "table": "public.res_partner", "key": "id", "columns": { "id": "int4", "name": "varchar" } },
              "engine": { "table": "public.people", "key": "id", "columns": [ { "name": "name", "type": "text", "value": "name" } ] } } ] }
            """,
            "own.json"
        );
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo17,
            entities: entities,
            engine: "CREATE TABLE people (id bigint PRIMARY KEY, name text, source_generation integer NOT NULL DEFAULT 0, source_lsn pg_lsn NOT NULL DEFAULT '0/0', "
                + "source_ordinal bigint NOT NULL DEFAULT 0, source_commit_at timestamptz)"
        );
        foreach (var path in (string[])["/cards/abc/balance", "/cards/odoo/1", "/partners/3/cards", "/cards/abc/history"])
            Assert.Equal((404, "not-declared"), ((await shop.GetAsync(path)).Status, (await shop.GetAsync(path)).Problem));
        Assert.Equal(200, (await shop.GetAsync("/status")).Status);
    }

    private static async Task<string> HistoryAsync(OdooShop shop, string code) =>
        string.Join(
            '|',
            (await shop.CardAsync(code, "/history"))
                .Json.GetProperty("items")
                .EnumerateArray()
                .Select(i => $"{i.GetProperty("pointsAmount").GetString()} {i.GetProperty("origin").GetString()}")
        );
}
