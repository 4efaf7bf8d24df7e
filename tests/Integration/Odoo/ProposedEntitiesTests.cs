using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>'cdc entities propose' writes what can be followed as it stands.</summary>
public sealed class ProposedEntitiesTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private const string Product = """
        CREATE TABLE product_template (id serial PRIMARY KEY, company_id int4, create_uid int4, name jsonb NOT NULL, description jsonb, standard_price jsonb, properties jsonb,
            list_price numeric, weight double precision, sale_ok bool, "default" varchar, color char(3), tags text[], source_key varchar, uid uuid, write_date timestamp);
        INSERT INTO product_template (company_id, name, standard_price, properties, list_price, weight, sale_ok, "default", write_date) VALUES
            (3, '{"en_US": "Chair", "fr_FR": "Chaise"}', '{"3": 12.5}', '{"new": true}', 10.00, 0.1, NULL, 'x', '2026-01-01'),
            (NULL, '{"en_US": "Desk"}', NULL, NULL, NULL, NULL, true, NULL, NULL);
        """;

    [Fact]
    public async Task Tables_as_they_are_become_a_declaration_and_a_migration_that_are_followed_without_a_change()
    {
        await using var cdc = await OdooCommands.CreateAsync(servers, OdooVersion.Odoo18);
        await cdc.InstallAsync("18.0.1.3");
        await cdc.Source.ExecuteAsync(
            Product
                + "INSERT INTO res_partner (name, active) VALUES ('Ada', true); INSERT INTO loyalty_program (id, currency_id, program_type, applies_on, name) VALUES (6, 1, 'loyalty', 'both', '{}'); INSERT INTO loyalty_program_pos_config_rel VALUES (6, 1), (6, 2); "
                + "CREATE TABLE route (uid uuid, a int8, code varchar, PRIMARY KEY (code, a, uid)); INSERT INTO route SELECT md5(i::text)::uuid, i, 'c,' || i FROM generate_series(1, 9) i",
            Ct
        );
        var folder = Directory.CreateTempSubdirectory("cdc-propose-");
        try
        {
            var proposed = await cdc.RunAsync(
                null,
                "entities",
                "propose",
                "product_template",
                "res_partner",
                "loyalty_program_pos_config_rel",
                "route",
                "--out",
                folder.FullName
            );
            Assert.True(proposed.ExitCode == 0, proposed.Error);
            var (declaration, migrations) = (Path.Combine(folder.FullName, "entities.json"), Path.Combine(folder.FullName, "migrations"));
            var text = await File.ReadAllTextAsync(declaration, Ct);
            Assert.All(
                (string[])
                    [
                        "\"include\": \"odoo-18\"",
                        "// translated",
                        "// a value for each company",
                        "\"weight\": \"number\"",
                        "\"key\": [\"loyalty_program_id\", \"pos_config_id\"]",
                        "\"key\": { \"hash\": [\"code\", \"a\", \"uid\"] }",
                        "\"value\": \"uid::text\"",
                        "// \"color\": \"character(3)\", // no declared type reads it",
                        "coalesce(name ->> '{language}', name ->> 'en_US')",
                        "standard_price ->> company_id::text",
                    ],
                part => Assert.Contains(part, text, StringComparison.Ordinal)
            );
            Assert.Equal("odoo-18", EntityFile.Load(declaration).Preset);
            foreach (
                var command in (string[][])
                    [
                        ["migrate"],
                        ["check"],
                    ]
            )
            {
                var run = await cdc.RunAsync(declaration, migrations, command);
                Assert.True(run.ExitCode == 0, run.Out + run.Error);
            }
            await RunUntilEqualAsync(cdc, declaration, migrations);
            Assert.Equal(
                "Chair 12.5 10.00 0.1 f|Desk - - - t",
                await cdc.Engine.ScalarAsync<string>(
                    "SELECT string_agg(concat_ws(' ', name, coalesce(standard_price, '-'), coalesce(list_price::text, '-'), coalesce(weight::text, '-'), sale_ok), '|' ORDER BY id) FROM odoo_product_template",
                    Ct
                )
            );
            // Nothing is written over.
            var again = await cdc.RunAsync(null, "entities", "propose", "res_partner", "--out", folder.FullName);
            Assert.NotEqual(0, again.ExitCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("nobody", "There is no table public.nobody")]
    [InlineData("nameless", "is not of integers, texts and uuids (it has none)")]
    [InlineData("dated", "(a bigint, b date)")]
    [InlineData("padded", "(code character(5))")]
    public async Task What_cannot_be_followed_is_said(string table, string said)
    {
        await using var cdc = await OdooCommands.CreateAsync(servers, OdooVersion.Odoo19);
        await cdc.Source.ExecuteAsync(
            """
            CREATE TABLE nameless (a int); CREATE TABLE dated (a bigint, b date, PRIMARY KEY (a, b)); CREATE TABLE padded (code char(5) PRIMARY KEY)
            """,
            Ct
        );
        var proposed = await cdc.RunAsync(null, "entities", "propose", table);
        Assert.Equal(2, proposed.ExitCode);
        Assert.Contains(said, proposed.Error, StringComparison.Ordinal);
    }

    private static async Task RunUntilEqualAsync(OdooCommands cdc, string declaration, string migrations)
    {
        await using var run = await cdc.StartAsync(declaration, migrations);
        await EngineProgress.CatchUpAsync(cdc.Source.DataSource, cdc.Engine.DataSource, Ct);
        var report = await new EqualityCheck(EntityFile.Load(declaration)).CompareAsync(cdc.Source.DataSource, cdc.Engine.DataSource, Ct);
        Assert.True(report.AreEqual, report.ToString());
    }
}
