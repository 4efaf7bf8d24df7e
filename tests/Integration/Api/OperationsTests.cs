using System.Diagnostics;
using System.Text.Json;
using Cdc.Core.Entities;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Monitoring;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class OperationsTests(TestServers servers)
{
    private static readonly string[] WatchingPaths = ["/metrics", "/health/metrics", "/health/live", "/status", "/lag", "/snapshots", "/"];

    [Fact]
    public async Task Status_lag_snapshots_and_statistics_say_where_the_pipeline_is()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.ChangeAsync(
            "UPDATE loyalty_card SET points = points + 1 WHERE id <= 10; UPDATE loyalty_card SET points = -1 WHERE id = 11"
        );
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        await Eventually.True("the status has it", async () => (await shop.GetAsync("/sync/stats"))["failed"] == "1", ct: Shop.Ct);
        var stats = await shop.GetAsync("/sync/stats");
        Assert.Equal("11", stats["synced"]);
        Assert.Equal(JsonValueKind.Null, stats.Json.GetProperty("reverse").ValueKind);
        Assert.InRange(stats.Json.GetProperty("syncRate").GetDouble(), 0, 1);
        Assert.Equal("streaming", (await shop.GetAsync("/status"))["state"]);
        var lag = await shop.GetAsync("/lag");
        Assert.Equal(
            ["public.loyalty_card", "public.loyalty_point_move", "public.loyalty_point_history", "public.loyalty_program"],
            lag.Json.GetProperty("partitions").EnumerateArray().Select(p => p.GetProperty("topic").GetString()!)
        );
        Assert.All(
            lag.Json.GetProperty("partitions").EnumerateArray(),
            p => Assert.True(p.GetProperty("seconds").GetDouble() >= 0 && p.GetProperty("messages").GetInt64() >= 0)
        );
        Assert.True(lag.Json.GetProperty("slotRetainedBytes").GetInt64() > 0);
        Assert.All(
            (await shop.GetAsync("/snapshots")).Json.GetProperty("entities").EnumerateArray(),
            e => Assert.Equal(100, e.GetProperty("snapshot").GetProperty("percent").GetDouble())
        );
    }

    [Fact]
    public async Task A_quarantined_row_is_listed_explained_retried_and_discarded()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.ChangeAsync("UPDATE loyalty_card SET points = -1 WHERE id IN (6, 7)");
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        var list = await shop.GetAsync("/quarantine?entity=card&limit=1");
        Assert.Equal(("2", 1), (list["total"], list.Json.GetProperty("entries").GetArrayLength()));
        Assert.Equal(JsonValueKind.Null, list.Json.GetProperty("entries")[0].GetProperty("sourceRow").ValueKind);
        var shown = await shop.GetAsync("/quarantine/card/6");
        Assert.Equal(
            ("points-negative", -1),
            (
                shown.Json.GetProperty("entry").GetProperty("reason").GetString(),
                shown.Json.GetProperty("entry").GetProperty("sourceRow").GetProperty("points").GetInt32()
            )
        );
        Assert.NotEmpty(shown.Json.GetProperty("whatToDo").EnumerateArray());

        Assert.Equal("1", (await shop.Api.PostAsync("/quarantine/card/6/retry", "", Shop.Ct))["changed"]);
        await Eventually.True(
            "it was tried again, and stays",
            async () =>
                await shop.Engine.ScalarAsync<bool>(
                    "SELECT attempts = 2 AND NOT retry_requested FROM cdc.quarantine WHERE key = 6",
                    Shop.Ct
                ),
            ct: Shop.Ct
        );
        Assert.Equal("1", (await shop.Api.PostAsync("/quarantine/card/7/discard", "", Shop.Ct))["changed"]);
        Assert.Equal(
            (404, 404, 404),
            (
                (await shop.GetAsync("/quarantine/card/7")).Status,
                (await shop.Api.PostAsync("/quarantine/card/7/retry", "", Shop.Ct)).Status,
                (await shop.GetAsync("/quarantine/bird/7")).Status
            )
        );
        await Eventually.True(
            "the card says that something was discarded",
            async () => (await shop.BalanceAsync("card 7"))["status"] == "discarded",
            ct: Shop.Ct
        );
    }

    [Fact]
    public async Task Health_is_degraded_while_nobody_captures_and_unhealthy_without_the_engine()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await Eventually.True(
            "healthy",
            async () => (await shop.GetAsync("/health"))["status"] == "healthy",
            async () => (await shop.GetAsync("/health")).Text,
            ct: Shop.Ct
        );
        await shop.Pipeline.StopAsync();
        await Eventually.True(
            "degraded",
            async () => (await shop.GetAsync("/health/ready")) is { Status: 200 } answer && answer["status"] == "degraded",
            ct: Shop.Ct
        );
        await shop.Engine.ExecuteAsync("ALTER TABLE cdc.source RENAME TO gone", Shop.Ct);
        await Eventually.True(
            "unhealthy",
            async () => (await shop.GetAsync("/health/ready")) is { Status: 503 } answer && answer["status"] == "unhealthy",
            ct: Shop.Ct
        );
        Assert.Equal(200, (await shop.GetAsync("/health/live")).Status);
    }

    [Fact]
    public async Task What_watches_answers_before_the_first_load_and_before_migrate()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Shop.Ct);
        await using var empty = await servers.Engine.CreateDatabaseAsync("no_engine", ct: Shop.Ct);
        foreach (var (engine, state) in ((string, string)[])[(bed.Engine.ConnectionString, "new"), (empty.ConnectionString, "unknown")])
        {
            await using var api = await ApiBed.StartAsync(bed, Shop.Ct, engine: engine);
            foreach (var path in WatchingPaths)
                Assert.Equal((path, 200), (path, (await api.GetAsync(path, Shop.Ct)).Status));
            Assert.Equal(state, (await api.GetAsync("/status", Shop.Ct))["state"]);
        }
    }

    [Theory]
    [InlineData("history", 200)]
    [InlineData("card", 404)]
    public async Task A_declaration_without_what_balances_are_made_of_is_watched_all_the_same(string without, int balance)
    {
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, pipeline) =>
            {
                bed.Entities = new EntitySet([.. bed.Entities.All.Where(e => e.Name != without)]);
                return ApiBed.StartAsync(bed, Shop.Ct, statistics: pipeline.Statistics);
            }
        );
        foreach (var path in (string[])[.. WatchingPaths, "/health", "/feature-flags", "/quarantine"])
            Assert.Equal((path, 200), (path, (await shop.GetAsync(path)).Status));
        Assert.Equal((balance, 404), ((await shop.BalanceAsync("card 1")).Status, (await shop.GetAsync("/cards/card%201/history")).Status));
    }

    [Fact]
    public async Task A_stopped_table_quarantine_and_fired_alerts_are_in_health_status_and_metrics()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.ChangeAsync("UPDATE loyalty_card SET points = -1 WHERE id = 6");
        await shop.Source.ExecuteAsync("ALTER TABLE loyalty_point_history RENAME COLUMN points_amount TO other", Shop.Ct);
        await shop.ChangeAsync("INSERT INTO loyalty_point_history (loyalty_card_id, points_balance) VALUES (1, 1)");
        await shop.Engine.ExecuteAsync(
            "UPDATE cdc.alerts SET state = 'fired', fired_at = now(), scope = 'card', message = 'much differs' WHERE name = 'alert'",
            Shop.Ct
        );
        await Eventually.True(
            "the table is stopped",
            async () =>
                (await shop.GetAsync("/metrics")).Text.Contains("\ncdc_table_stopped{entity=\"history\"} 1\n", StringComparison.Ordinal),
            async () => (await shop.GetAsync("/status")).Text,
            ct: Shop.Ct
        );
        var health = await shop.GetAsync("/health");
        Assert.Equal((200, "degraded"), (health.Status, health["status"]));
        foreach (var why in (string[])["history is stopped", "1 in quarantine", "'alert' has fired"])
            Assert.Contains(why, health.Text, StringComparison.Ordinal);
        var alert = Assert.Single((await shop.GetAsync("/status")).Json.GetProperty("alerts").EnumerateArray());
        Assert.Equal(("alert", "card"), (alert.GetProperty("name").GetString(), alert.GetProperty("scope").GetString()));
        var metrics = (await shop.GetAsync("/metrics")).Text;
        Assert.Contains("cdc_table_stopped{entity=\"card\"} 0", metrics, StringComparison.Ordinal);
        // The stream is not behind; the table is, and by how much nobody knows.
        Assert.Contains("cdc_table_stopped_age_seconds{entity=\"history\"}", metrics, StringComparison.Ordinal);
        Assert.Contains("cdc_lag_seconds{topic=\"public.loyalty_card\"", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("cdc_lag_seconds{topic=\"public.loyalty_point_history\"", metrics, StringComparison.Ordinal);
        var stopped = (await shop.GetAsync("/lag"))
            .Json.GetProperty("partitions")
            .EnumerateArray()
            .Single(p => p.GetProperty("entity").GetString() == "history");
        Assert.Equal(
            (JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Number),
            (
                stopped.GetProperty("seconds").ValueKind,
                stopped.GetProperty("applied").ValueKind,
                stopped.GetProperty("stoppedSeconds").ValueKind
            )
        );
        var (code, output) = await CdcProcess.RunAsync(["status"], shop.Bed.Environment(), Shop.Ct);
        Assert.True(code == 0 && output.Contains("much differs", StringComparison.Ordinal), output);
    }

    [Fact]
    public async Task Every_route_is_described()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var description = await shop.GetAsync("/openapi/v1.json");
        Assert.True(description.Status == 200, description.Text);
        var paths = description.Json.GetProperty("paths").EnumerateObject().Select(p => p.Name).ToList();
        Assert.All(
            (string[])
                [
                    "/cards/{code}/balance",
                    "/cards/balances",
                    "/cards/odoo/{id}",
                    "/partners/{id}/cards",
                    "/feature-flags/{name}",
                    "/quarantine/{entity}/{key}/retry",
                    "/lag",
                    "/metrics",
                    "/health/ready",
                    "/health/metrics",
                    "/reconcile/latest",
                    "/reconcile/runs/{id}",
                    "/reconcile/drift",
                    "/live",
                    "/caller",
                ],
            p => Assert.Contains(p, paths)
        );
        var balance = description
            .Json.GetProperty("components")
            .GetProperty("schemas")
            .GetProperty("BalanceView")
            .GetProperty("properties");
        // Null where it is not known: of a card in quarantine, say.
        Assert.Equal(["null", "string"], balance.GetProperty("points").GetProperty("type").EnumerateArray().Select(t => t.GetString()!));
    }

    [Fact]
    public async Task Metrics_have_what_the_alerts_need_and_promtool_finds_nothing_to_say()
    {
        await using var shop = await Shop.OpenAsync(servers);
        // Without a commit since the load nobody could say how old the engine is while other tests write to the same server.
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 3 WHERE id = 3");
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        await Eventually.True("the lag is known", async () => (await shop.GetAsync("/lag"))["seconds"] is not null, ct: Shop.Ct);
        await shop.BalanceAsync("card 1");
        await shop.BalanceAsync("card 1");
        await shop.BalanceAsync("somebody's secret");
        var text = "";
        // A request is measured when it has ended, which is after its answer has arrived.
        await Eventually.True(
            "all three requests are measured",
            async () =>
            {
                text = (await shop.GetAsync("/metrics")).Text;
                return ((string[])["200\"} 2", "404\"} 1"]).All(e =>
                    text.Contains(
                        $"cdc_http_request_duration_seconds_count{{route=\"/cards/{{code}}/balance\",method=\"GET\",status=\"{e}\n",
                        StringComparison.Ordinal
                    )
                );
            },
            () => Task.FromResult(text),
            ct: Shop.Ct
        );
        string[] wanted =
        [
            "cdc_lag_seconds{topic=\"public.loyalty_card\",partition=\"0\"} ",
            "cdc_lag_messages{topic=",
            "cdc_slot_retained_bytes ",
            "cdc_slot_wal_status{status=\"reserved\"} 1",
            "cdc_applied_rows_total ",
            "cdc_duplicates_total ",
            "cdc_quarantine_rows{entity=\"card\"} 0",
            "cdc_holes_rows{entity=",
            "cdc_parentless_rows{entity=",
            "cdc_cache_hits_total ",
            "cdc_cache_misses_total ",
            "cdc_http_request_duration_seconds_bucket{route=\"/cards/{code}/balance\",method=\"GET\",status=\"200\",le=\"0.01\"} ",
            "le=\"0.05\"} ",
            "le=\"0.1\"} ",
            "le=\"+Inf\"} 2",
            "cdc_build_info{version=\"test\"} 1",
            "cdc_state{state=\"streaming\"} 1",
            "cdc_up{server=\"engine\"} 1",
            "cdc_breaker_state{state=\"closed\"} 1",
            "cdc_breaker_state{state=\"half-open\"} 0",
            "cdc_errors_total{class=\"unavailable\"} 0",
            "cdc_batch_rows_bucket{le=\"1\"} ",
            "cdc_batch_duration_seconds_count ",
            "cdc_visible_latency_seconds_bucket{le=\"0.01\"} ",
        ];
        Assert.All(wanted, w => Assert.Contains(w, text, StringComparison.Ordinal));
        Assert.DoesNotContain("secret", text, StringComparison.OrdinalIgnoreCase);
        await PromtoolAsync(text);
    }

    private static async Task PromtoolAsync(string text)
    {
        using var promtool = Process.Start(
            new ProcessStartInfo(PrometheusTools.Promtool, ["check", "metrics"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        await promtool.StandardInput.WriteAsync(text);
        promtool.StandardInput.Close();
        var said = await promtool.StandardOutput.ReadToEndAsync(Shop.Ct) + await promtool.StandardError.ReadToEndAsync(Shop.Ct);
        await promtool.WaitForExitAsync(Shop.Ct);
        Assert.True(promtool.ExitCode == 0 && said.Length == 0, said);
    }
}
