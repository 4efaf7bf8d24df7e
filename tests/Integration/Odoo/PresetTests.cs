using Cdc.Tests.Support;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Cdc.Workload.Plan;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>Each preset over the tables and the habits of its Odoo.</summary>
public sealed class PresetTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Over Kafka all of them only where tests may take long: what differs between logs differs with none of 16 to 18.</summary>
    public static TheoryData<OdooVersion, bool> Presets() =>
        new(
            from version in OdooVersions.All
            where version != OdooVersion.Delivered
            from overKafka in (bool[])[false, true]
            where
                !overKafka
                || version is OdooVersion.Odoo16Points or OdooVersion.Odoo19 or OdooVersion.Odoo20
                || Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1"
            select (version, overKafka)
        );

    [Theory]
    [MemberData(nameof(Presets))]
    public async Task A_preset_is_equal_to_its_Odoo_whatever_that_does(OdooVersion version, bool overKafka)
    {
        await using var bed = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct, version: version);
        await using var odoo = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = bed.Bed.Source.ConnectionString,
                Odoo = version,
                Seed = TestSeed.Draw(),
                Sessions = 2,
                Transactions = 600,
                BulkRows = 50,
                Mix = WorkloadMix.WithBadRows with { Expiry = 300, BulkCopy = 60 },
                SynchronousCommit = false,
                Initial = InitialRows.Shop(300),
            }
        );
        await odoo.PrepareAsync(Ct);
        bed.Start();
        var report = await odoo.RunAsync(Ct);
        Assert.Equal(Enum.GetValues<TransactionKind>(), report.ByKind.Keys.Order());
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        // Of what a stock Odoo does only what is no number, or far too large a one, is refused.
        var reasons = await bed.Bed.Engine.ScalarAsync<string>(
            "SELECT coalesce(string_agg(DISTINCT reason, ',' ORDER BY reason), '') FROM cdc.quarantine",
            Ct
        );
        Assert.Subset(
            new HashSet<string>
            {
                "points-not-finite",
                "points-too-large",
                "code-too-long",
                "points-balance-not-finite",
                "points-balance-too-large",
                "points-amount-too-large",
                "points-amount-not-finite",
            },
            reasons!.Split(',', StringSplitOptions.RemoveEmptyEntries).ToHashSet()
        );
        if (version == OdooVersion.Odoo20)
            await BalancesAreThoseOfOdooAsync(bed.Bed);
        await bed.StopAsync();
    }

    /// <summary>On every day: rows end, and with them what draws from them.</summary>
    private static async Task BalancesAreThoseOfOdooAsync(PipelineBed bed)
    {
        var days = await bed.Source.ScalarAsync<DateOnly[]>(
            "SELECT array_agg(DISTINCT d) FROM (SELECT expiration_date + n AS d FROM loyalty_history, generate_series(-1, 1) n WHERE expiration_date IS NOT NULL UNION SELECT current_date) days",
            Ct
        );
        Assert.True(days!.Length > 10, $"only {days.Length} days");
        foreach (var day in days.Where((_, place) => place % Math.Max(1, days.Length / 25) == 0))
        {
            var expected = await bed.Source.ScalarAsync<string>(
                $"""
                SELECT string_agg(card_id || ' ' || points, ',' ORDER BY card_id) FROM (
                    SELECT h.card_id, sum(round(h.issued::numeric - h.used::numeric, 2)) AS points FROM loyalty_history h
                    LEFT JOIN loyalty_history l ON l.id = h.linked_loyalty_history_id
                    WHERE (h.expiration_date IS NULL OR h.expiration_date >= '{day:yyyy-MM-dd}') AND (l.expiration_date IS NULL OR l.expiration_date >= '{day:yyyy-MM-dd}')
                    GROUP BY 1 HAVING sum(round(h.issued::numeric - h.used::numeric, 2)) <> 0) b
                """,
                Ct
            );
            var kept = await bed.Engine.ScalarAsync<string>(
                $"""
                SELECT string_agg(loyalty_card_id || ' ' || points, ',' ORDER BY loyalty_card_id) FROM (
                    SELECT loyalty_card_id, sum(points) AS points FROM card_points WHERE until >= '{day:yyyy-MM-dd}' GROUP BY 1 HAVING sum(points) <> 0) b
                """,
                Ct
            );
            Assert.Equal(expected, kept);
        }
    }
}
