using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Host.Reconciling;
using Cdc.Reconcile;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

/// <summary>A comparison, its exit code, the alerts, the page and /health say the same of the same rows.</summary>
public sealed class VerdictsAgreeTests(TestServers servers)
{
    [Theory]
    [InlineData("UPDATE loyalty_card SET write_date = now() WHERE id = 3", "", "consistent", 0, false)]
    // Its row in the engine is older than Odoo's, and waits.
    [InlineData("UPDATE loyalty_card SET points = -1 WHERE id = 3", "", "inconclusive", (int)FailureKind.Inconclusive, false)]
    // The engine knowingly differs.
    [InlineData("UPDATE loyalty_card SET points = -1 WHERE id = 3", "DISCARD", "drift", (int)FailureKind.NotEqual, false)]
    [InlineData("", "UPDATE loyalty_cards SET points = 0 WHERE id = 3", "drift", (int)FailureKind.NotEqual, false)]
    [InlineData(
        "",
        "UPDATE cdc.tables SET state = 'stopped', reason = 'test' WHERE entity = 'move'",
        "inconclusive",
        (int)FailureKind.Inconclusive,
        true
    )]
    // The pipeline has not met it yet.
    [InlineData("", "ALTER TABLE point_moves RENAME TO elsewhere", "inconclusive", (int)FailureKind.Inconclusive, true)]
    public async Task They_agree_on(string odoo, string engine, string verdict, int exitCode, bool paused)
    {
        await using var shop = await Shop.OpenAsync(servers);
        var bed = shop.Bed;
        if (odoo.Length > 0)
            await bed.Source.ExecuteAsync(odoo, Shop.Ct);
        await bed.CaughtUpAsync(Shop.Ct);
        if (engine == "DISCARD")
            await DiscardAsync(bed);
        else if (engine.Length > 0)
            await bed.Engine.ExecuteAsync(engine, Shop.Ct);

        var report = await CompareAsync(bed);
        Assert.Equal((verdict, exitCode), (report.Run.Verdict, ReconcileOutcome.ExitCodeOf(report)));
        Assert.Equal(verdict, report.Rows.Word);
        Assert.Contains($"<span class=\"verdict {verdict}\">", HtmlReport.Of(report), StringComparison.Ordinal);
        await new AlertWatch(bed.Engine.DataSource, new AlertOptions(), TimeProvider.System, bed.Log).ObserveAsync(report.Run.Id, Shop.Ct);
        Assert.Equal(
            paused,
            await bed.Engine.ScalarAsync<bool>("SELECT entity IS NULL FROM cdc.reconcile_samples ORDER BY id DESC LIMIT 1", Shop.Ct)
        );

        // Another Api: this one keeps what it read for some seconds.
        await using var other = await ApiBed.StartAsync(bed, Shop.Ct);
        var checks = (await other.GetAsync("/health", Shop.Ct)).Json.GetProperty("checks").EnumerateArray().ToList();
        var consistency = checks.Single(c => c.GetProperty("name").GetString() == "consistency");
        Assert.Equal(verdict == "consistent" ? "healthy" : "degraded", consistency.GetProperty("status").GetString());
        Assert.Contains($"\"verdict\":{{\"word\":\"{verdict}\"", await FirstTickAsync(other), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_of_some_keys_takes_back_nothing_that_a_whole_one_has_left_out()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var bed = shop.Bed;
        await bed.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'stopped', reason = 'test' WHERE entity = 'move'", Shop.Ct);
        await CompareAsync(bed);
        await bed.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'streaming', reason = NULL WHERE entity = 'move'", Shop.Ct);
        Assert.Equal("degraded", await ConsistencyAsync(bed));
        foreach (
            var part in (RunRequest[])
                [
                    new RunRequest(RunKind.Full, bed.Entities.All, new KeyRange(1, 2)),
                    new RunRequest(RunKind.Full, bed.Entities.All, Since: DateTimeOffset.UtcNow.AddHours(-1)),
                ]
        )
        {
            await CompareAsync(bed, part);
            Assert.Equal("degraded", await ConsistencyAsync(bed));
        }
        await CompareAsync(bed);
        Assert.Equal("healthy", await ConsistencyAsync(bed));
    }

    /// <summary>Of another Api each time: one keeps what it read for some seconds.</summary>
    private static async Task<string?> ConsistencyAsync(PipelineBed bed)
    {
        await using var api = await ApiBed.StartAsync(bed, Shop.Ct);
        var checks = (await api.GetAsync("/health", Shop.Ct)).Json.GetProperty("checks").EnumerateArray();
        return checks.Single(c => c.GetProperty("name").GetString() == "consistency").GetProperty("status").GetString();
    }

    private static async Task<RunReport> CompareAsync(PipelineBed bed, RunRequest? request = null)
    {
        var run = await new Reconciler(
            new ComparedServers(bed.Source.DataSource, bed.Engine.DataSource, bed.Gate(), bed.Entities),
            new ReconcileOptions()
        ).RunAsync(request ?? new RunRequest(RunKind.Full, bed.Entities.All), Shop.Ct);
        return await bed.ReportAsync(run, Shop.Ct);
    }

    private static async Task DiscardAsync(PipelineBed bed)
    {
        await using var connection = await bed.Engine.DataSource.OpenConnectionAsync(Shop.Ct);
        await Cdc.Engine.Tables.QuarantineQueries.DiscardAsync(
            connection,
            new Cdc.Core.Operations.QuarantineFilter(null, []),
            bed.Entities,
            Shop.Ct
        );
    }

    /// <summary>What the page gets first.</summary>
    private static async Task<string> FirstTickAsync(ApiBed api)
    {
        await using var stream = await api.Client.GetStreamAsync("live", Shop.Ct);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(Shop.Ct) is { } line)
            if (line.StartsWith("data:", StringComparison.Ordinal))
                return line;
        return "";
    }
}
