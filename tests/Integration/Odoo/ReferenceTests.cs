using Cdc.Core.Entities;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>What cards, programs and histories name by its id: companies, products, rules and rewards, by declaration alone.</summary>
public sealed class ReferenceTests(TestServers servers) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdc-reference-");

    private const string Rows = """
        INSERT INTO res_partner (id, name, active) VALUES (1, 'Shop', true), (2, 'Branch', true);
        INSERT INTO res_company (id, parent_id, partner_id, currency_id, name, active, logo_web) VALUES (1, NULL, 1, 12, 'Shop', true, '\x00'), (2, 1, 2, 12, 'Branch', NULL, NULL);
        INSERT INTO product_template (id, uom_id, categ_id, company_id, type, default_code, name, list_price, active) VALUES
            (10, 1, 4, NULL, 'service', 'GOLD', '{"en_US": "Gold", "fr_FR": "Or"}', 99.995, true), (11, 1, NULL, 2, 'consu', NULL, '{"en_US": "Cup"}', NULL, true);
        INSERT INTO product_product (id, product_tmpl_id, default_code, barcode, standard_price, active) VALUES (20, 10, 'GOLD', NULL, '{"1": 12.5}', true), (21, 11, NULL, '4006381333931', NULL, false);
        INSERT INTO loyalty_rule (id, program_id, minimum_qty, reward_point_mode, minimum_amount_tax_mode, mode, code, minimum_amount, active, reward_point_amount) VALUES
            (30, 7, 1, 'money', 'incl', 'auto', NULL, 0.0, true, 0.333), (31, 8, 0, 'order', 'incl', 'with_code', '10pc', 50, NULL, 1);
        INSERT INTO loyalty_reward (id, program_id, reward_type, description, active, required_points, discount_mode, discount, discount_max_amount, reward_product_id, reward_product_qty) VALUES
            (40, 7, 'discount', '{"en_US": "10% off", "fr_FR": "-10 %"}', true, 200, 'percent', 10, 25.5, NULL, 1), (41, 7, 'product', NULL, true, 0.1, 'percent', NULL, NULL, 21, 2);
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(OdooVersion.Odoo16)]
    [InlineData(OdooVersion.Odoo20)]
    public async Task Companies_products_rules_and_rewards_are_followed_where_they_are_included(OdooVersion version)
    {
        await using var shop = await OdooShop.OpenAsync(servers, version, OdooSchema.Reference + Rows, Included(version));
        await shop.Bed.AssertEqualAsync(Ct);
        Assert.Equal(
            "1 Shop true,2 Branch false 1",
            await RowsAsync("concat_ws(' ', id, name, active::text, parent_id)", "odoo_companies")
        );
        Assert.Equal(
            "10 Or 99.995,11 Cup 2",
            await RowsAsync("concat_ws(' ', id, name, list_price, company_id)", "odoo_product_templates")
        );
        Assert.Equal(
            "20 10 true,21 11 false 4006381333931",
            await RowsAsync("concat_ws(' ', id, template_id, active::text, barcode)", "odoo_products")
        );
        Assert.Equal(
            "30 7 0.333 0.0,31 8 1 50 10pc",
            await RowsAsync("concat_ws(' ', id, program_id, reward_point_amount, minimum_amount, code)", "odoo_loyalty_rules")
        );
        Assert.Equal(
            "40 -10 % 200 10 25.5 1,41 0.1 21 2",
            await RowsAsync(
                "concat_ws(' ', id, description, required_points, discount, discount_max_amount, reward_product_id, reward_product_quantity)",
                "odoo_loyalty_rewards"
            )
        );
        // A language, a rewording, an archived product; a program that goes with its rules and rewards; a field that gets digits.
        await shop.ChangeAsync(
            """
            UPDATE product_template SET name = name || '{"fr_FR": "Tasse"}' WHERE id = 11;
            UPDATE loyalty_reward SET description = '{"en_US": "free cup"}' WHERE id = 41;
            UPDATE product_product SET active = NULL WHERE id = 20;
            DELETE FROM loyalty_program WHERE id = 8;
            ALTER TABLE loyalty_rule ALTER COLUMN reward_point_amount TYPE numeric
            """
        );
        Assert.Equal("Or,Tasse", await RowsAsync("name", "odoo_product_templates"));
        Assert.Equal("-10 %,free cup", await RowsAsync("description", "odoo_loyalty_rewards"));
        Assert.Equal("false,false", await RowsAsync("active::text", "odoo_products"));
        Assert.Equal("30", await RowsAsync("id::text", "odoo_loyalty_rules"));

        Task<string?> RowsAsync(string columns, string table) =>
            shop.Bed.Engine.ScalarAsync<string>($"SELECT string_agg({columns}, ',' ORDER BY id) FROM {table}", Ct);
    }

    [Fact]
    public async Task Tables_of_a_preset_are_made_where_it_is_included_and_taken_back_by_its_name()
    {
        const string Made =
            "SELECT coalesce(string_agg(tablename, ',' ORDER BY tablename), '') FROM pg_tables WHERE tablename LIKE 'odoo\\_%'";
        await using var cdc = await OdooCommands.CreateAsync(servers, OdooVersion.Odoo19);
        // The operator's own table of a name that was ours once.
        await cdc.Engine.ExecuteAsync("CREATE TABLE partners (mine int)", Ct);
        Assert.Equal(0, (await cdc.RunAsync("odoo-19", "migrate")).ExitCode);
        Assert.Equal("", await cdc.Engine.ScalarAsync<string>(Made, Ct));
        var own = Path.Combine(_folder.FullName, "own.json");
        await File.WriteAllTextAsync(own, """{ "include": ["odoo-19", "contacts"], "entities": [] }""", Ct);
        Assert.Contains("contacts", (await cdc.RunAsync(own, "check")).Out, StringComparison.Ordinal);
        Assert.Contains(
            "'cdc migrate' will apply contacts 1",
            (await cdc.RunAsync(own, "migrate", "--plan")).Out,
            StringComparison.Ordinal
        );
        foreach (var _ in (int[])[1, 2])
            Assert.Equal(0, (await cdc.RunAsync(own, "migrate")).ExitCode);
        Assert.Equal("odoo_partners", await cdc.Engine.ScalarAsync<string>(Made, Ct));
        Assert.Equal(0, (await cdc.RunAsync(own, "check")).ExitCode);
        // Those of the declaration's series alone are taken back, also when it is not included any more.
        Assert.Equal(0, (await cdc.RunAsync("odoo-19", "migrate", "--preset", "contacts", "--down", "0", "--yes")).ExitCode);
        Assert.Equal("", await cdc.Engine.ScalarAsync<string>(Made, Ct));
        Assert.Equal(0, (await cdc.RunAsync("odoo-19", "check")).ExitCode);
        var wrong = await cdc.RunAsync("odoo-19", "migrate", "--preset", "contact", "--down", "0");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("Did you mean \"contacts\"?", wrong.Error, StringComparison.Ordinal);
    }

    private static EntitySet Included(OdooVersion version) =>
        EntityFile.Parse(
            $$"""{ "include": ["{{version.Preset()}}", "contacts", "companies", "products", "rewards"], "entities": [] }""",
            "own.json",
            new DeclarationSettings { Language = "fr_FR" }
        );
}
