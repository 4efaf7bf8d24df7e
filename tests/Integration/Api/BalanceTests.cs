using System.Globalization;
using System.Text.Json;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class BalanceTests(TestServers servers)
{
    [Fact]
    public async Task A_balance_is_decimal_text_found_by_any_spelling_that_Apply_stores_alike_and_says_how_fresh_it_is()
    {
        await using var shop = await Shop.OpenAsync(servers);
        // Nothing was committed since the load, and the Api has only just begun to ask Odoo for the time.
        await Eventually.True(
            "how fresh it is, is known",
            async () => (await shop.BalanceAsync("card 1"))["lagSeconds"] is not null,
            ct: Shop.Ct
        );
        var answer = await shop.BalanceAsync("  cArD 1\t");
        Assert.True(answer.Status == 200, answer.ToString());
        Assert.Equal(("CARD 1", "1.50", "current"), (answer["code"], answer["points"], answer["status"]));
        Assert.Equal(JsonValueKind.String, answer.Json.GetProperty("points").ValueKind);
        Assert.True(answer.Json.GetProperty("lagSeconds").GetDouble() is >= 0 and < 60, answer.Text);
        Assert.Equal((answer["position"], answer["through"]), (answer.Headers["Cdc-Position"], answer.Headers["Cdc-Through"]));
        Assert.Equal(
            answer.Json.GetProperty("lagSeconds").GetDouble(),
            double.Parse(answer.Headers["Cdc-Lag-Seconds"], CultureInfo.InvariantCulture)
        );
        Assert.Equal(
            answer.Json.GetProperty("asOf").GetDateTimeOffset(),
            DateTimeOffset.Parse(answer.Headers["Cdc-As-Of"], CultureInfo.InvariantCulture),
            TimeSpan.FromMicroseconds(1)
        );

        Assert.Equal("1.50", (await shop.GetAsync("/cards/odoo/1/balance"))["points"]);
        var card = await shop.GetAsync("/cards/card%201");
        Assert.Equal(("1", "2", "2"), (card["programId"], card["partnerId"], card["companyId"]));
        Assert.Equal("1", (await shop.GetAsync("/cards/odoo/1"))["odooCardId"]);
    }

    [Fact]
    public async Task A_read_with_min_position_never_misses_its_write()
    {
        await using var shop = await Shop.OpenAsync(servers);
        for (var i = 1; i <= 100; i++)
        {
            var position = await shop.ChangeAsync($"UPDATE loyalty_card SET points = {1000 + i} WHERE id = 2");
            var answer = await shop.BalanceAsync("card 2", $"?min-position={position}&wait=10");
            Assert.True(answer.Status == 200, answer.ToString());
            Assert.Equal($"{1000 + i}.00", answer["points"]);
            // What was answered once is not taken back by an answer that demands nothing.
            Assert.Equal($"{1000 + i}.00", (await shop.BalanceAsync("card 2"))["points"]);
        }
    }

    [Fact]
    public async Task A_position_that_is_not_reached_is_503_after_a_bounded_wait_and_one_of_another_generation_409()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var late = await shop.BalanceAsync("card 1", "?min-position=FFFF/0&wait=0.1");
        Assert.Equal((503, "position-not-reached"), (late.Status, late.Problem));
        Assert.Equal("1", late.Headers["Retry-After"]);
        var other = await shop.BalanceAsync("card 1", "?min-position=7:0/1");
        Assert.Equal((409, "other-generation"), (other.Status, other.Problem));
        var reached = await shop.BalanceAsync("card 1");
        foreach (var position in (string[])[reached["position"]!, reached["through"]!])
            Assert.Equal(200, (await shop.BalanceAsync("card 1", $"?min-position={position}")).Status);
    }

    [Fact]
    public async Task Max_staleness_refuses_what_is_older()
    {
        await using var shop = await Shop.OpenAsync(servers);
        Assert.Equal(200, (await shop.BalanceAsync("card 1", "?max-staleness=60")).Status);
        var stale = await shop.BalanceAsync("card 1", "?max-staleness=0&wait=0.1");
        Assert.Equal((503, "too-stale"), (stale.Status, stale.Problem));
    }

    [Fact]
    public async Task A_demand_that_the_engine_is_about_to_meet_is_waited_for()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.ChangeAsync("UPDATE loyalty_card SET points = -1 WHERE id = 6");
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        var reached = (await shop.BalanceAsync("card 6"))["through"];
        await shop.Pipeline.StopAsync();
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 8 WHERE id = 6");
        await Eventually.True(
            "it is too stale",
            async () => (await shop.BalanceAsync("card 1", "?max-staleness=3&wait=0")).Problem == "too-stale",
            ct: Shop.Ct
        );
        Assert.Equal("card-not-current", (await shop.BalanceAsync("card 6", $"?min-position={reached}&wait=0")).Problem);
        var (current, fresh) = (
            shop.BalanceAsync("card 6", $"?min-position={reached}&wait=10"),
            shop.BalanceAsync("card 1", "?max-staleness=3&wait=10")
        );
        shop.Bed.StartInProcess();
        Assert.Equal((200, "8.00"), ((await current).Status, (await current)["points"]));
        Assert.Equal((200, "1.50"), ((await fresh).Status, (await fresh)["points"]));
    }

    [Fact]
    public async Task An_etag_answers_304_until_the_card_changes()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var first = await shop.BalanceAsync("card 3");
        var same = await shop.GetAsync("/cards/card%203/balance", ("If-None-Match", first.Headers["ETag"]));
        Assert.Equal((304, "", first.Headers["ETag"]), (same.Status, same.Text, same.Headers["ETag"]));
        Assert.Equal(304, (await shop.GetAsync("/cards/card%203/balance", ("If-None-Match", "\"x\", *"))).Status);
        foreach (var malformed in (string[])["x", "\"", "W/", "W/\"\u0001\""])
            Assert.Equal(200, (await shop.GetAsync("/cards/card%203/balance", ("If-None-Match", malformed))).Status);
        var position = await shop.ChangeAsync("UPDATE loyalty_card SET points = 7 WHERE id = 3");
        var changed = await shop.GetAsync($"/cards/card%203/balance?min-position={position}", ("If-None-Match", first.Headers["ETag"]));
        Assert.Equal((200, "7.00"), (changed.Status, changed["points"]));
    }

    [Fact]
    public async Task Two_cards_with_one_code_are_never_guessed_between()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var position = await shop.ChangeAsync("UPDATE loyalty_card SET code = 'CARD 4 ' WHERE id = 5");
        var both = await shop.BalanceAsync("card 4", $"?min-position={position}");
        Assert.Equal((409, "code-ambiguous", "[4,5]"), (both.Status, both.Problem, both.Json.GetProperty("cardIds").ToString()));
        Assert.Equal("5.50", (await shop.GetAsync("/cards/odoo/5/balance"))["points"]);
    }

    [Fact]
    public async Task A_card_in_quarantine_says_so_and_is_no_answer_to_who_demands_a_fresh_one()
    {
        await using var shop = await Shop.OpenAsync(servers);
        Assert.Equal("current", (await shop.BalanceAsync("card 6"))["status"]);
        await shop.ChangeAsync(
            "UPDATE loyalty_card SET points = -1 WHERE id = 6; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (99, 1, 'broken', 'NaN')"
        );
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        // The engine has it; what is in memory goes when its announcement arrives.
        await Eventually.True("it is announced", async () => (await shop.BalanceAsync("card 6"))["status"] != "current", ct: Shop.Ct);
        var old = await shop.BalanceAsync("card 6");
        Assert.Equal((200, "6.50", "quarantined", "points-negative"), (old.Status, old["points"], old["status"], old["reason"]));
        Assert.Equal("quarantined", old.Headers["Cdc-Card-Status"]);
        var demanded = await shop.BalanceAsync("card 6", "?max-staleness=60&wait=0.1");
        Assert.Equal((503, "card-not-current"), (demanded.Status, demanded.Problem));
        foreach (var path in (string[])["/cards/Broken/balance", "/cards/odoo/99/balance"])
            Assert.Equal((409, "card-quarantined"), ((await shop.GetAsync(path)).Status, (await shop.GetAsync(path)).Problem));
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 8 WHERE id = 6");
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        Assert.Equal(("8.00", "current"), ((await shop.BalanceAsync("card 6"))["points"], (await shop.BalanceAsync("card 6"))["status"]));
    }

    [Fact]
    public async Task Holes_stops_loads_and_discards_are_told_and_an_unknown_code_is_not_called_missing_meanwhile()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.Pipeline.StopAsync();
        await shop.Engine.ExecuteAsync(
            "INSERT INTO cdc.rereads (entity, key, generation, lsn, ordinal) VALUES ('card', 7, 1, '0/1', 0); UPDATE loyalty_cards SET source_generation = 0 WHERE id = 8; NOTIFY cdc_card, '*'",
            Shop.Ct
        );
        Assert.Equal("incomplete", (await shop.BalanceAsync("card 7"))["status"]);
        Assert.Equal("discarded", (await shop.BalanceAsync("card 8"))["status"]);
        Assert.Equal((404, "card-not-found"), ((await shop.BalanceAsync("nobody")).Status, (await shop.BalanceAsync("nobody")).Problem));
        await shop.Engine.ExecuteAsync(
            "UPDATE cdc.tables SET state = 'loading', whole_lsn = 'FFFF/0' WHERE entity = 'card'; INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key) VALUES ('card', 1, 'snapshot', 9, 11); NOTIFY cdc_card, '*'",
            Shop.Ct
        );
        Assert.Equal(
            ("current", "loading", "loading", "current"),
            (await StatusAsync(1), await StatusAsync(9), await StatusAsync(10), await StatusAsync(11))
        );
        Assert.Equal((503, "cards-not-loaded"), ((await shop.BalanceAsync("nobody")).Status, (await shop.BalanceAsync("nobody")).Problem));
        await shop.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'stopped' WHERE entity = 'card'; NOTIFY cdc_card, '*'", Shop.Ct);
        // Card 1 is in the cache until the notification has come.
        await Eventually.True("the stop is told", async () => await StatusAsync(1) == "stopped", ct: Shop.Ct);

        async Task<string?> StatusAsync(int id) => (await shop.BalanceAsync($"card {id}"))["status"];
    }

    [Fact]
    public async Task A_batch_answers_each_code_in_order()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var answer = await shop.Api.PostAsync(
            "/cards/balances",
            """{"codes": ["card 2", "", "nobody", "CARD 1", "card 2", null]}""",
            Shop.Ct
        );
        Assert.True(answer.Status == 200, answer.ToString());
        var results = answer
            .Json.GetProperty("results")
            .EnumerateArray()
            .Select(r =>
                r.GetProperty("balance") is { ValueKind: JsonValueKind.Object } balance
                    ? balance.GetProperty("points").GetString()
                    : r.GetProperty("problem").GetProperty("type").GetString()!.Split(':')[^1]
            );
        Assert.Equal(["2.50", "invalid-code", "card-not-found", "1.50", "2.50", "invalid-code"], results);
        foreach (
            var malformed in (string[])
                [
                    "",
                    "{",
                    "[]",
                    "{\"codes\": []}",
                    "{\"codes\": 1}",
                    "null",
                    $"{{\"codes\": [{string.Join(',', Enumerable.Repeat("\"a\"", 501))}]}}",
                ]
        )
            Assert.Equal(
                (422, "invalid-body"),
                (
                    (await shop.Api.PostAsync("/cards/balances", malformed, Shop.Ct)).Status,
                    (await shop.Api.PostAsync("/cards/balances", malformed, Shop.Ct)).Problem
                )
            );
        Assert.Equal(
            200,
            (
                await shop.Api.PostAsync(
                    "/cards/balances",
                    $"{{\"codes\": [{string.Join(',', Enumerable.Range(0, 500).Select(i => $"\"card {i}\""))}]}}",
                    Shop.Ct
                )
            ).Status
        );
    }

    [Fact]
    public async Task History_pages_hold_every_movement_once_the_newest_first_and_none_of_a_card_that_is_not_there()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var expected = await shop.Engine.RowsAsync(
            "SELECT id FROM point_history WHERE loyalty_card_id = 1 ORDER BY transaction_time DESC, id DESC",
            Shop.Ct
        );
        Assert.Equal(9, expected.Count);
        for (var limit = 1; limit <= 10; limit++)
        {
            var (seen, cursor) = (new List<string>(), (string?)null);
            do
            {
                var page = await shop.GetAsync($"/cards/card%201/history?limit={limit}{(cursor is null ? "" : "&cursor=" + cursor)}");
                Assert.True(page.Status == 200, page.ToString());
                seen.AddRange(page.Json.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("historyId").ToString()));
                cursor = page["nextCursor"];
            } while (cursor is not null);
            Assert.Equal(expected, seen);
        }
        var other = (await shop.GetAsync("/cards/card%201/history?limit=1"))["nextCursor"];
        Assert.Equal(
            (422, "invalid-cursor"),
            (
                (await shop.GetAsync($"/cards/card%202/history?cursor={other}")).Status,
                (await shop.GetAsync($"/cards/card%202/history?cursor={other}")).Problem
            )
        );
        await shop.ChangeAsync("SET session_replication_role = replica; DELETE FROM loyalty_card WHERE id = 1");
        await Eventually.True("the card is gone", async () => (await shop.GetAsync("/cards/card%201/history")).Status == 404, ct: Shop.Ct);
    }

    [Fact]
    public async Task Times_that_cannot_be_told_are_the_nearest_that_can_and_pages_are_exact_to_the_microsecond_all_the_same()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.Pipeline.StopAsync();
        await shop.Engine.ExecuteAsync(
            """
            UPDATE loyalty_cards SET created_at = '200000-01-01', updated_at = '4000-01-01 BC' WHERE id = 1;
            UPDATE point_history SET created_at = '-infinity', transaction_time = CASE id WHEN 1 THEN 'infinity' WHEN 2 THEN '4000-01-01 BC' WHEN 3 THEN '-infinity'
                ELSE timestamptz '200000-01-01' + (id % 3) * interval '1 microsecond' END WHERE loyalty_card_id = 1;
            NOTIFY cdc_card, '*'
            """,
            Shop.Ct
        );
        foreach (var path in (string[])["/cards/card%201", "/cards/odoo/1"])
        {
            var card = await shop.GetAsync(path);
            Assert.True(card is { Status: 200 }, card.ToString());
            Assert.StartsWith("9999-12-31T23:59:59.999999", card.Json.GetProperty("createdAt").GetString(), StringComparison.Ordinal);
            Assert.StartsWith("0001-01-01T00:00:00", card.Json.GetProperty("updatedAt").GetString(), StringComparison.Ordinal);
        }
        Assert.Equal(200, (await shop.GetAsync("/partners/2/cards")).Status);
        var expected = await shop.Engine.RowsAsync(
            "SELECT id FROM point_history WHERE loyalty_card_id = 1 ORDER BY transaction_time DESC, id DESC",
            Shop.Ct
        );
        var (seen, cursor) = (new List<string>(), (string?)null);
        do
        {
            var page = await shop.GetAsync($"/cards/card%201/history?limit=1{(cursor is null ? "" : "&cursor=" + cursor)}");
            Assert.True(page.Status == 200, page.ToString());
            seen.Add(page.Json.GetProperty("items")[0].GetProperty("historyId").ToString());
            cursor = page["nextCursor"];
        } while (cursor is not null);
        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task A_partners_cards_come_in_pages()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var first = await shop.GetAsync("/partners/2/cards?limit=3");
        var second = await shop.GetAsync($"/partners/2/cards?limit=200&cursor={first["nextCursor"]}");
        Assert.Equal(
            [1, 4, 7, 10, 13, 16, 19],
            first
                .Json.GetProperty("cards")
                .EnumerateArray()
                .Concat(second.Json.GetProperty("cards").EnumerateArray())
                .Select(c => c.GetProperty("odooCardId").GetInt32())
        );
        Assert.Null(second["nextCursor"]);
        Assert.Equal("[]", (await shop.GetAsync("/partners/777/cards")).Json.GetProperty("cards").ToString());
    }
}
