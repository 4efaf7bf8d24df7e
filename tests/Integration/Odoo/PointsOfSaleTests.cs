using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>At which tills a program is valid: a many-to-many table of Odoo's, beside a preset.</summary>
public sealed class PointsOfSaleTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tills_come_and_go_with_their_programs()
    {
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo18,
            "INSERT INTO loyalty_program_pos_config_rel VALUES (7, 1), (7, 2), (8, 2)",
            EntityFile.Parse("""{ "include": ["odoo-18", "points-of-sale"], "entities": [] }""", "own.json"),
            engine: await File.ReadAllTextAsync(SourceTree.PathOf("schemas/entities/points-of-sale/0001_points_of_sale.up.sql"), Ct)
        );
        Assert.DoesNotContain(await MigrationCheck.FindAsync(shop.Bed.Engine.DataSource, shop.Bed.Entities, Ct), f => f.IsError);
        // As Odoo writes a changed list of tills: each link that went, and each that came.
        await shop.ChangeAsync(
            """
            BEGIN;
            DELETE FROM loyalty_program_pos_config_rel WHERE loyalty_program_id = 7 AND pos_config_id IN (1);
            INSERT INTO loyalty_program_pos_config_rel (loyalty_program_id, pos_config_id) VALUES (7, 2), (7, 3) ON CONFLICT DO NOTHING;
            COMMIT
            """
        );
        Assert.Equal(["7|2", "7|3", "8|2"], await TillsAsync(shop));
        // The foreign key takes them along.
        await shop.ChangeAsync("DELETE FROM loyalty_program WHERE id = 7");
        Assert.Equal(["8|2"], await TillsAsync(shop));
    }

    private static Task<IReadOnlyList<string>> TillsAsync(OdooShop shop) =>
        shop.Bed.Engine.RowsAsync("SELECT program_id, pos_config_id FROM odoo_program_points_of_sale ORDER BY id", Ct);
}
