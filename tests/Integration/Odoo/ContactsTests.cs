using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>Who holds a card, and of which program it is: by declaration alone, and in the card's answer.</summary>
public sealed class ContactsTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Program_and_partner_come_with_the_card_and_go_with_their_rows()
    {
        var entities = EntityFile.Parse(
            """{ "include": ["odoo-19", "contacts"], "entities": [] }""",
            "own.json",
            new DeclarationSettings { Language = "id_ID" }
        );
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo19,
            """
            INSERT INTO res_partner (id, name, active) VALUES (44, 'Grace', true), (45, 'G. Hopper', true);
            INSERT INTO loyalty_card (id, program_id, partner_id, code, points, active) VALUES (16, 7, 44, 'one', 38, true), (17, 7, 45, 'two', 12, true), (18, NULL, NULL, 'gift', 1, true)
            """,
            entities
        );
        Assert.Equal(("Poin CDC", "G. Hopper"), await NamesAsync("two"));
        Assert.Equal((null, null), await NamesAsync("gift"));
        Assert.Null((await shop.CardAsync("two", ""))["partner"]);
        // Merged, in the order of Odoo's WAL; then its contact is made anonymous, and another is deleted before its cards know.
        await shop.ChangeAsync(
            """
            BEGIN;
            UPDATE loyalty_card SET points = 50, write_date = now() WHERE id = 16;
            UPDATE loyalty_card SET active = false, points = 0, write_date = now() WHERE id = 17;
            UPDATE res_partner SET commercial_partner_id = 44 WHERE id = 45;
            UPDATE loyalty_card SET partner_id = 44 WHERE id = 17;
            DELETE FROM res_partner WHERE id = 45;
            COMMIT;
            """
        );
        Assert.Equal(("Poin CDC", "Grace"), await NamesAsync("two"));
        Assert.Equal("archived", (await shop.CardAsync("two"))["spendableReason"]);
        await shop.ChangeAsync("UPDATE res_partner SET name = 'Anonymous' WHERE id = 44");
        Assert.Equal(("Poin CDC", "Anonymous"), await NamesAsync("one"));
        await shop.ChangeAsync("DELETE FROM res_partner WHERE id = 44");
        Assert.Equal(("Poin CDC", null), await NamesAsync("one"));

        async Task<(string?, string?)> NamesAsync(string code)
        {
            var position = await shop.Bed.Source.ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text", Ct);
            var card = (await shop.GetAsync($"/cards/{code}?expand=program,partner&min-position={position}&wait=10")).Json;
            return (Name(card, "program"), Name(card, "partner"));
        }

        static string? Name(System.Text.Json.JsonElement card, string what) =>
            card.GetProperty(what) is { ValueKind: System.Text.Json.JsonValueKind.Object } there
                ? there.GetProperty("name").GetString()
                : null;
    }

    [Fact]
    public async Task What_cannot_be_expanded_is_said()
    {
        await using var shop = await OdooShop.OpenAsync(servers, OdooVersion.Odoo17);
        Assert.Equal("not-declared", (await shop.GetAsync("/cards/x?expand=partner")).Problem);
        Assert.Equal("invalid-expand", (await shop.GetAsync("/cards/x?expand=company")).Problem);
    }
}
