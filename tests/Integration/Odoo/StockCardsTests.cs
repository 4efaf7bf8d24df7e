using Cdc.Api;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>Cards as Odoo means them: what it takes is applied, and what it would not take at the till is said.</summary>
public sealed class StockCardsTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private const string Card = "INSERT INTO loyalty_card (program_id, company_id, code, active, points) VALUES ";

    [Fact]
    public async Task Whatever_Odoo_accepts_is_applied_and_what_is_odd_about_it_is_said()
    {
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo19,
            $"""
            {Card} (7, 1, '0449-afec-4831', true, NULL), (7, 1, 'neg-1', true, 5.25), (7, 1, 'negz-1', true, -0.004), (7, 1, 'negz-2', true, -0.005),
                (7, 1, '', true, 3), (7, 1, ' ', true, 4), (7, 1, repeat('x', 200), true, 5), (NULL, 1, 'noprog', true, 1),
                (7, 1, 'nan-1', true, 'NaN'), (7, 1, 'inf-1', true, 'Infinity'), (7, 1, 'huge-1', true, 1e17),
                (7, 1, 'kwd-1', true, 12.345), (7, 1, 'sum-1', true, 380.59999999999997);
            """
        );
        Assert.Equal(("0.00", "false", null), Of(await shop.CardAsync("0449-afec-4831")));
        Assert.Equal(("5.25", "false", null), Of(await shop.CardAsync("neg-1")));
        await shop.ChangeAsync("UPDATE loyalty_card SET points = -40 WHERE code = 'neg-1'");
        Assert.Equal(("-40.00", "true", "points-negative"), Of(await shop.CardAsync("neg-1")));
        Assert.Equal(("0.00", "false", "points-rounded"), Of(await shop.CardAsync("negz-1")));
        Assert.Equal(("-0.01", "true", "points-negative"), Of(await shop.CardAsync("negz-2")));
        Assert.Equal(("4.00", "false", "code-blank"), Of(await shop.CardAsync(" ")));
        Assert.Equal(("5.00", "false", null), Of(await shop.CardAsync(new string('x', 200))));
        Assert.Equal(("1.00", "false", "program-missing"), Of(await shop.CardAsync("noprog")));
        Assert.Equal(("12.35", "false", "points-rounded"), Of(await shop.CardAsync("kwd-1")));
        Assert.Equal(("380.60", "false", null), Of(await shop.CardAsync("sum-1")));
        foreach (var code in (string[])["nan-1", "inf-1", "huge-1"])
            Assert.Equal((409, "card-quarantined"), ((await shop.CardAsync(code)).Status, (await shop.CardAsync(code)).Problem));
        Assert.Equal("current", (await shop.CardAsync("neg-1"))["status"]);
        await shop.Bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task Codes_are_Odoos_own_and_a_folded_one_is_found_where_only_one_card_has_it()
    {
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo18,
            $"{Card} (7, 1, 'vip-1', true, 1), (7, 1, 'VIP-1', true, 2), (7, 1, '  sp 1 ', true, 3), (7, 1, '044d-224b-47f0', true, 4)"
        );
        Assert.Equal(("vip-1", "1.00"), Found(await shop.CardAsync("vip-1")));
        Assert.Equal(("VIP-1", "2.00"), Found(await shop.CardAsync("VIP-1")));
        Assert.Equal(("  sp 1 ", "3.00"), Found(await shop.CardAsync("SP 1")));
        Assert.Equal(("044d-224b-47f0", "4.00"), Found(await shop.CardAsync("044D-224B-47F0")));
        var vague = await shop.CardAsync("Vip-1");
        Assert.Equal((409, "code-ambiguous"), (vague.Status, vague.Problem));
        // In one batch each code is answered by itself.
        var batch = await shop.Api.PostAsync("/cards/balances", """{"codes": ["VIP-1", "vip-1", "vIP-1", "044D-224B-47F0"]}""", Ct);
        Assert.Equal(
            ["2.00", "1.00", null, "4.00"],
            batch
                .Json.GetProperty("results")
                .EnumerateArray()
                .Select(r =>
                    r.GetProperty("balance") is { ValueKind: not System.Text.Json.JsonValueKind.Null } b
                        ? b.GetProperty("points").GetString()
                        : null
                )
        );
        // What is in memory knows of the other one as soon as there is one.
        await shop.ChangeAsync("UPDATE loyalty_card SET code = '044D-224B-47F0' WHERE code = 'VIP-1'");
        Assert.Equal(("044D-224B-47F0", "2.00"), Found(await shop.CardAsync("044D-224B-47F0")));
        Assert.Equal(("vip-1", "1.00"), Found(await shop.CardAsync("VIP-1")));
    }

    [Fact]
    public async Task Expired_archived_and_out_of_a_program_s_days_is_not_spendable_by_the_clock_of_the_company()
    {
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo19,
            $"""
            INSERT INTO loyalty_program (id, company_id, currency_id, program_type, applies_on, name, active, date_from, date_to) VALUES
                (21, 1, 1, 'loyalty', 'both', '{EnglishName}', true, NULL, current_date - 2), (22, 1, 1, 'loyalty', 'both', '{EnglishName}', true, current_date + 2, NULL),
                (23, 1, 1, 'loyalty', 'both', '{EnglishName}', true, current_date - 2, current_date + 2), (24, 1, 1, 'loyalty', 'both', '{EnglishName}', NULL, NULL, NULL);
            {Card} (7, 1, 'good', true, 10), (7, 1, 'arch', false, 10), (7, 1, 'empty', true, 0), (7, 1, 'owes', true, -1), (NULL, 1, 'noprog', true, 1),
                (21, 1, 'ended', true, 10), (22, 1, 'early', true, 10), (23, 1, 'within', true, 10), (24, 1, 'gone', true, 10), (7, 1, 'null', NULL, 10);
            INSERT INTO loyalty_card (program_id, code, active, points, expiration_date, partner_id) VALUES
                (7, 'exp', true, 10, current_date - 2, 3), (7, 'last', true, 10, current_date + 2, 3);
            """
        );
        (string Code, string? Spendable, string? Reason)[] expected =
        [
            ("good", "true", null),
            ("arch", "false", "archived"),
            ("empty", "false", "no-points"),
            ("owes", "false", "no-points"),
            ("noprog", "false", "no-program"),
            ("ended", "false", "program-ended"),
            ("early", "false", "not-yet-valid"),
            ("within", "true", null),
            ("gone", "false", "program-archived"),
            ("null", "false", "archived"),
            ("exp", "false", "expired"),
            ("last", "true", null),
        ];
        foreach (var card in expected)
        {
            var answer = await shop.CardAsync(card.Code);
            Assert.Equal((card, 200), ((card.Code, Lower(answer["spendable"]), answer["spendableReason"]), answer.Status));
        }
        // The list can leave out what cannot be spent: each open quotation has cards without points.
        Assert.Equal(2, (await shop.GetAsync("/partners/3/cards")).Json.GetProperty("cards").GetArrayLength());
        Assert.Equal(1, (await shop.GetAsync("/partners/3/cards?spendable=true")).Json.GetProperty("cards").GetArrayLength());

        // A program that changes changes its cards, whose rows do not: neither memory nor an entity tag may say otherwise.
        var before = await shop.CardAsync("good");
        await shop.ChangeAsync("UPDATE loyalty_program SET active = false WHERE id = 7");
        await Eventually.True(
            "the program's end is known",
            async () => (await shop.GetAsync("/cards/good/balance"))["spendableReason"] == "program-archived",
            ct: Ct
        );
        Assert.NotEqual(before.Headers["ETag"], (await shop.CardAsync("good")).Headers["ETag"]);
    }

    [Fact]
    public async Task A_day_ends_where_the_company_is()
    {
        // Of these two zones one is always a day ahead of the other.
        var days = new Dictionary<string, string?>();
        foreach (var zone in (string[])["Etc/GMT+12", "Etc/GMT-14"])
        {
            var today = DateOnly.FromDateTime(
                TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, TimeZoneInfo.FindSystemTimeZoneById("Etc/GMT+12")).DateTime
            );
            await using var shop = await OdooShop.OpenAsync(
                servers,
                OdooVersion.Odoo19,
                $"INSERT INTO loyalty_card (program_id, code, active, points, expiration_date) VALUES (7, 'day', true, 1, '{today:yyyy-MM-dd}')",
                api: new ApiOptions { TimeZone = zone }
            );
            days[zone] = (await shop.CardAsync("day"))["spendableReason"];
        }
        Assert.Equal((null, "expired"), (days["Etc/GMT+12"], days["Etc/GMT-14"]));
    }

    [Fact]
    public async Task Names_are_in_the_language_that_is_chosen_and_in_English_where_they_have_none()
    {
        var entities = EntityFile.Load("odoo-19", new DeclarationSettings { Language = "id_ID" });
        await using var shop = await OdooShop.OpenAsync(servers, OdooVersion.Odoo19, entities: entities);
        Assert.Equal("Poin CDC|10% Discount Coupons", await NamesAsync());
        // A language is installed; names that are no object, that lack English, that are null.
        await shop.ChangeAsync(
            """
            UPDATE loyalty_program SET name = name || '{"id_ID": "Kupon"}' WHERE id = 8;
            UPDATE loyalty_program SET name = name || '{"fr_FR": "Cartes"}'; UPDATE loyalty_program SET portal_point_name = portal_point_name || '{"fr_FR": "Points"}';
            INSERT INTO loyalty_program (id, currency_id, program_type, applies_on, name) VALUES (9, 1, 'x', 'y', '"bare"'), (10, 1, 'x', 'y', '{"fr_FR": "seul"}'),
                (11, 1, 'x', 'y', '{"id_ID": null, "en_US": "one", "en_US": "two"}'), (12, 1, 'x', 'y', 'null'), (13, 1, 'x', 'y', '{"en_US": 7}')
            """
        );
        Assert.Equal("Poin CDC|Kupon|-|-|two|-|7", await NamesAsync());

        Task<string?> NamesAsync() =>
            shop.Bed.Engine.ScalarAsync<string>("SELECT string_agg(coalesce(name, '-'), '|' ORDER BY id) FROM promotion_programs", Ct);
    }

    [Fact]
    public async Task A_field_that_gets_digits_while_it_is_followed_is_followed()
    {
        await using var shop = await OdooShop.OpenAsync(servers, OdooVersion.Odoo18, $"{Card} (7, 1, 'd', true, 5.005)");
        await shop.Bed.Source.ExecuteAsync(
            $"ALTER TABLE loyalty_card ALTER COLUMN points TYPE numeric USING points::numeric; {Card} (7, 1, 'e', true, 1.235)",
            Ct
        );
        await Eventually.True("all are there", async () => (await shop.CardAsync("e")).Status == 200, ct: Ct);
        await shop.ChangeAsync("UPDATE loyalty_card SET points = points + 1");
        Assert.Equal(("6.01", "2.24"), ((await shop.CardAsync("d"))["points"], (await shop.CardAsync("e"))["points"]));
    }

    [Fact]
    public async Task Three_decimals_are_kept_where_the_declaration_and_its_table_have_them()
    {
        const string Three = """
            { "include": "odoo-19", "entities": [ { "name": "card", "engine": { "columns": [
                { "name": "points", "type": "numeric(18,3)", "value": "round(coalesce(points::numeric, 0), 3)" },
                { "name": "warning", "value": "CASE WHEN round(points::numeric, 3) <> points::numeric THEN 'points-rounded' END" } ] },
              "rules": [ { "name": "points-rounded", "check": "round(points::numeric, 3) = points::numeric" }, { "name": "points-negative", "remove": true },
                         { "name": "code-blank", "remove": true }, { "name": "program-missing", "remove": true } ] } ] }
            """;
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo19,
            $"{Card} (7, 1, 'kwd-1', true, 12.345), (7, 1, 'sum-1', true, 380.59999999999997), (7, 1, 'four', true, 0.0005)",
            EntityFile.Parse(Three, "kwd.json"),
            engine: "ALTER TABLE loyalty_cards ALTER COLUMN points TYPE numeric(18,3)"
        );
        Assert.Equal(("12.345", "false", null), Of(await shop.CardAsync("kwd-1")));
        Assert.Equal(("380.600", "false", null), Of(await shop.CardAsync("sum-1")));
        Assert.Equal(("0.001", "false", "points-rounded"), Of(await shop.CardAsync("four")));
        await shop.Bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task Who_wants_negative_points_in_quarantine_says_so()
    {
        var entities = EntityFile.Load("odoo-19", new DeclarationSettings { Quarantine = ["points-negative"] });
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo19,
            $"{Card} (7, 1, 'neg', true, -1), (7, 1, ' ', true, 1)",
            entities
        );
        Assert.Equal("card-quarantined", (await shop.CardAsync("neg")).Problem);
        Assert.Equal("code-blank", (await shop.CardAsync(" "))["warning"]);
    }

    private static (string? Points, string? Negative, string? Warning) Of(Answer answer) =>
        (answer["points"], Lower(answer["negative"]), answer["warning"]);

    private static (string? Code, string? Points) Found(Answer answer) => (answer["code"], answer["points"]);

    private static string? Lower(string? truth) => truth?.ToLowerInvariant();

    private const string EnglishName = "{\"en_US\": \"P\"}";
}
