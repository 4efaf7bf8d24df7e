using Cdc.Api;
using Cdc.Cutover.Phases;
using Cdc.Cutover.Plans;
using Cdc.Tests.Integration.Api;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Cutover;

/// <summary>Both sides' answers, compared behind the request.</summary>
public sealed class ShadowReadsTests(TestServers servers)
{
    [Fact]
    public async Task What_both_sides_answer_is_compared_and_counted_by_cause()
    {
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, pipeline) => ApiBed.StartAsync(bed, Shop.Ct, new ApiOptions { ShadowPercent = 100 }, statistics: pipeline.Statistics)
        );
        // Nobody else's: what is different does not come in flight.
        await shop.Engine.ExecuteAsync(
            "SET session_replication_role = replica; UPDATE loyalty_cards SET points = 0 WHERE id = 2; DELETE FROM loyalty_cards WHERE id = 3; RESET session_replication_role",
            Shop.Ct
        );
        await using (var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct))
        {
            await CutoverDesk.StartAsync(
                connection,
                PlanFile.Parse("""{ "name": "test", "scopes": [{ "name": "all" }] }""", "test"),
                "lead",
                null,
                Shop.Ct
            );
            await CutoverDesk.AdvanceAsync(connection, new Decision("all", "lead", null, null), Shop.Ct);
        }
        await Eventually.True("shadow is known", async () => (await shop.GetAsync("/route?card=1"))["phase"] == "shadow", ct: Shop.Ct);
        for (var card = 1; card <= 4; card++)
            Assert.Equal("odoo", (await shop.GetAsync($"/cards/odoo/{card}")).Headers["Cdc-Served-By"]);
        await Eventually.True(
            "all four are compared",
            async () =>
            {
                var metrics = (await shop.GetAsync("/metrics")).Text;
                return metrics.Contains("cdc_cutover_compared_total{scope=\"all\",result=\"equal\"} 2", StringComparison.Ordinal)
                    && metrics.Contains("result=\"differs\"} 1", StringComparison.Ordinal)
                    && metrics.Contains("result=\"missing\"} 1", StringComparison.Ordinal);
            },
            ct: Shop.Ct
        );
        // What was found is kept when it ends.
        await shop.Api.StopAsync();
        Assert.Equal(
            ["all|differs|points|1|2", "all|equal||2|4", "all|missing||1|3"],
            await shop.Engine.RowsAsync(
                "SELECT scope, result, field, sum(reads), max(last_card) FROM cdc.cutover_shadow GROUP BY 1, 2, 3 ORDER BY 2",
                Shop.Ct
            )
        );
    }
}
