using System.Diagnostics;
using System.Text.RegularExpressions;
using Cdc.Api;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Monitoring;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Api;

/// <summary>The delivered alert rules, before Prometheus itself.</summary>
public sealed partial class AlertTests(TestServers servers)
{
    private static string RulesPath => SourceTree.PathOf("ops/prometheus/cdc.rules.yml");

    [Fact]
    public async Task Promtool_finds_the_rules_right_and_their_tests_pass()
    {
        await PromtoolAsync("check", "rules", RulesPath);
        await PromtoolAsync("test", "rules", SourceTree.PathOf("ops/prometheus/cdc.rules.test.yml"));
    }

    [Fact]
    public async Task Every_alert_has_a_runbook_a_test_and_metrics_that_there_are()
    {
        var rules = await File.ReadAllTextAsync(RulesPath, Shop.Ct);
        var tests = await File.ReadAllTextAsync(SourceTree.PathOf("ops/prometheus/cdc.rules.test.yml"), Shop.Ct);
        var alerts = rules.Split("- alert: ")[1..];
        Assert.NotEmpty(alerts);
        foreach (var alert in alerts)
        {
            var name = alert[..alert.IndexOf('\n')];
            Assert.Contains($"alertname: {name}", tests, StringComparison.Ordinal);
            Assert.True(File.Exists(SourceTree.PathOf(Runbook().Match(alert).Groups[1].Value)), $"{name} has no runbook.");
        }
        await using var shop = await Shop.OpenAsync(servers);
        await shop.BalanceAsync("card 1");
        // What depends on a comparison, a cutover, a setting of the server, or an open transaction is not always there.
        string[] sometimes =
        [
            "cdc_reconcile_drift",
            "cdc_reconcile_age_seconds",
            "cdc_alert",
            "cdc_alerts_paused",
            "cdc_slot_safe_wal_bytes",
            "cdc_source_oldest_transaction_seconds",
            "cdc_lag_seconds",
            "cdc_cutover_tripped",
        ];
        var text = (await shop.GetAsync("/metrics")).Text;
        text += (await shop.GetAsync("/health/metrics")).Text;
        foreach (var metric in Metric().Matches(rules).Select(m => m.Value).Distinct().Except(sometimes))
            Assert.True(
                text.Contains($"\n{metric}{{", StringComparison.Ordinal) || text.Contains($"\n{metric} ", StringComparison.Ordinal),
                $"There is no metric {metric}."
            );
    }

    [Fact]
    public Task Amtool_finds_the_inhibitions_right() =>
        RunAsync(PrometheusTools.Amtool, "check-config", SourceTree.PathOf("ops/prometheus/alertmanager.yml"));

    [Fact]
    public async Task Every_alert_that_explains_or_is_explained_is_one_of_the_rules()
    {
        var rules = await File.ReadAllTextAsync(RulesPath, Shop.Ct);
        var named = Alert().Matches(await File.ReadAllTextAsync(SourceTree.PathOf("ops/prometheus/alertmanager.yml"), Shop.Ct));
        Assert.NotEmpty(named);
        Assert.All(named, n => Assert.Contains($"- alert: {n.Value}\n", rules, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rules_fire_and_clear_in_a_real_Prometheus_that_scrapes_the_Api()
    {
        var options = new ApiOptions { Urls = $"http://127.0.0.1:{FreePort.Next()}" };
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, pipeline) => ApiBed.StartAsync(bed, Shop.Ct, options, statistics: pipeline.Statistics)
        );
        // The delivered rules, without the minutes for which they wait.
        var rules = For()
            .Replace(await File.ReadAllTextAsync(RulesPath, Shop.Ct), "for: 0s")
            .Replace("cdc_lag_seconds) > 60", "cdc_lag_seconds) > 2", StringComparison.Ordinal);
        await using var prometheus = await PrometheusServer.StartAsync(Scraping(shop.Api.Address), rules, Shop.Ct);
        await FiresAsync(prometheus, "CdcApiDown", false);

        await shop.ChangeAsync("UPDATE loyalty_card SET points = -1 WHERE id = 6");
        await FiresAsync(prometheus, "CdcQuarantine", true);
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 1 WHERE id = 6");
        await FiresAsync(prometheus, "CdcQuarantine", false);

        await using (var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct))
        {
            await using var held = await connection.BeginTransactionAsync(Shop.Ct);
            await using (var command = new NpgsqlCommand("LOCK TABLE loyalty_cards IN SHARE MODE", connection))
                await command.ExecuteNonQueryAsync(Shop.Ct);
            await shop.ChangeAsync("UPDATE loyalty_card SET points = 2");
            await FiresAsync(prometheus, "CdcLag", true);
        }
        // Other tests write to the same server: only a commit of ours tells how old the engine is.
        await FiresAsync(prometheus, "CdcLag", false, () => shop.ChangeAsync("UPDATE loyalty_card SET points = points + 1 WHERE id = 1"));

        await shop.Api.StopAsync();
        await FiresAsync(prometheus, "CdcApiDown", true);
        await using var again = await ApiBed.StartAsync(shop.Bed, Shop.Ct, options);
        await FiresAsync(prometheus, "CdcApiDown", false);
    }

    private static async Task FiresAsync(PrometheusServer prometheus, string alert, bool fires, Func<Task>? meanwhile = null)
    {
        IReadOnlyList<string>? firing = null;
        await Eventually.True(
            $"{alert} {(fires ? "fires" : "does not fire")}",
            async () =>
            {
                if (meanwhile is not null)
                    await meanwhile();
                firing = await prometheus.FiringAsync(Shop.Ct);
                return firing is not null && firing.Contains(alert) == fires;
            },
            () => Task.FromResult($"{string.Join(' ', firing ?? [])} {prometheus.Tail}"),
            ct: Shop.Ct
        );
    }

    /// <summary>The delivered jobs, often.</summary>
    private static string Scraping(Uri target) =>
        $$"""
            global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 200ms }
            rule_files: [cdc.rules.yml]
            scrape_configs:
              - job_name: cdc
                static_configs: [{ targets: ["{{target.Authority}}"] }]
              - job_name: cdc-health
                metrics_path: /health/metrics
                static_configs: [{ targets: ["{{target.Authority}}"] }]
            """;

    private static Task PromtoolAsync(params string[] arguments) => RunAsync(PrometheusTools.Promtool, arguments);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var tool = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var said = tool.StandardOutput.ReadToEndAsync(Shop.Ct);
        var complained = await tool.StandardError.ReadToEndAsync(Shop.Ct);
        await tool.WaitForExitAsync(Shop.Ct);
        Assert.True(tool.ExitCode == 0, await said + complained);
    }

    [GeneratedRegex("for: [0-9]+[smh]")]
    private static partial Regex For();

    [GeneratedRegex("\\bCdc[A-Za-z]+")]
    private static partial Regex Alert();

    [GeneratedRegex("runbook: (.*)")]
    private static partial Regex Runbook();

    [GeneratedRegex("\\bcdc_[a-z_]+")]
    private static partial Regex Metric();
}
