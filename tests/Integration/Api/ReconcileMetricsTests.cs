using Cdc.Reconcile;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

/// <summary>What comparisons found is in /metrics, whichever process compared.</summary>
public sealed class ReconcileMetricsTests(TestServers servers)
{
    [Fact]
    public async Task The_rate_the_drift_and_the_alerts_are_those_of_the_engine()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var before = (await shop.GetAsync("/metrics")).Text;
        Assert.DoesNotContain("cdc_reconcile_consistency_ratio", before, StringComparison.Ordinal);
        Assert.Contains("cdc_alert{alert=\"page\"} 0\n", before, StringComparison.Ordinal);

        await shop.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0 WHERE id IN (3, 4)", Shop.Ct);
        var bed = shop.Bed;
        var run = await new Reconciler(
            new ComparedServers(bed.Source.DataSource, bed.Engine.DataSource, bed.Gate(), bed.Entities),
            new ReconcileOptions()
        ).RunAsync(new RunRequest(RunKind.Full, bed.Entities.All), Shop.Ct);
        await new AlertWatch(bed.Engine.DataSource, new AlertOptions(), TimeProvider.System, bed.Log).ObserveAsync(run, Shop.Ct);
        // Another Api: this one keeps what it read for some seconds.
        await using var other = await ApiBed.StartAsync(bed, Shop.Ct);
        var text = (await other.GetAsync("/metrics", Shop.Ct)).Text;
        string[] wanted =
        [
            "cdc_reconcile_consistency_ratio{entity=\"card\"} 0.9\n",
            "cdc_reconcile_consistency_ratio{entity=\"program\"} 1\n",
            "cdc_reconcile_drift{entity=\"card\"} 2\n",
            "cdc_reconcile_in_flight{entity=\"card\"} 0\n",
            "cdc_reconcile_compared{entity=\"card\"} 20\n",
            "cdc_reconcile_age_seconds{entity=\"card\"} ",
            "cdc_alert{alert=\"warning\"} 1\n",
            "cdc_alert{alert=\"page\"} 0\n",
            "cdc_alerts_paused 0\n",
        ];
        Assert.All(wanted, w => Assert.Contains(w, text, StringComparison.Ordinal));
    }
}
