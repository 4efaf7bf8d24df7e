using System.Net;
using System.Text.RegularExpressions;
using Cdc.Tests.Support.Network;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>Who watches outlives what is watched: the Api of the real program answers whatever has become of its pipeline.</summary>
public sealed class WatchersTests(OwnServers servers) : IClassFixture<OwnServers>
{
    [Fact]
    public async Task In_a_gap_balances_metrics_and_page_answer_and_after_the_reset_the_pipeline_continues_by_itself()
    {
        await using var scene = await SceneAsync();
        using var served = await FollowingAsync(scene);
        await scene.ChangeAsync();
        await scene.CaughtUpAsync(served.Run);
        Assert.Contains("\ncdc_gap{kind=\"\"} 0\n", (await served.GetAsync("/metrics")).Text, StringComparison.Ordinal);
        await scene.DropSlotAsync();
        await scene.ChangeAsync();

        await served.SaysAsync("cdc_gap{kind=\"slot-missing\"} 1");
        await served.SaysAsync("cdc_pipeline_stopped{class=\"declared-gap\"} 1");
        await served.SaysAsync("cdc_breaker_state{state=\"open\"} 1");
        await served.AnswersAsync("/feature-flags", "/cards/card%202/balance", "/health");
        Assert.StartsWith("degraded A break in continuity (slot-missing)", await served.HealthAsync("gap"), StringComparison.Ordinal);
        Assert.StartsWith(
            "degraded The pipeline is in state gap (slot-missing)",
            await served.HealthAsync("state"),
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "degraded The pipeline is stopped (slot-missing)",
            await served.HealthAsync("pipeline"),
            StringComparison.Ordinal
        );
        Assert.Equal("gap", (await served.JsonAsync("/status")).GetProperty("state").GetString());
        Assert.Equal("gap", (await served.JsonAsync("/lag")).GetProperty("state").GetString());
        Assert.Contains("gap (slot-missing): ", await scene.CommandAsync(0, "lag"), StringComparison.Ordinal);
        var pipeline = (await served.JsonAsync("/status")).GetProperty("pipeline");
        Assert.Equal(
            ("stopped", "DeclaredGap", "slot-missing"),
            (pipeline.GetProperty("state").GetString(), pipeline.GetProperty("kind").GetString(), pipeline.GetProperty("gap").GetString())
        );
        Assert.Contains("slot-missing", await scene.CommandAsync(0, "status"), StringComparison.Ordinal);
        Assert.Contains("slot-missing", await scene.CommandAsync(5, "slot", "show"), StringComparison.Ordinal);
        // However often it is looked at again.
        await Eventually.True(
            "it is looked at again",
            async () =>
                Regex.Match((await served.GetAsync("/metrics")).Text, "cdc_errors_total\\{class=\"declared-gap\"\\} (\\d+)").Groups[1].Value
                    is var times
                && int.Parse(times, System.Globalization.CultureInfo.InvariantCulture) >= 3,
            ct: Scene.Ct
        );
        Assert.Equal(1, Regex.Count(served.Run.Tail, "\"RenderedMessage\":\"The pipeline stands still"));

        await scene.CommandAsync(0, "slot", "reset", "--yes");
        await scene.CaughtUpAsync(served.Run);
        await served.SaysAsync("cdc_gap{kind=\"\"} 0");
        await served.SaysAsync("cdc_pipeline_stopped{class=\"declared-gap\"} 0");
        Assert.StartsWith("healthy", await served.HealthAsync("gap"), StringComparison.Ordinal);
        await scene.EndsEqualAsync(served.Run);
    }

    [Fact]
    public async Task A_supervisor_that_asks_for_it_sees_a_gap_as_exit_code_5()
    {
        await using var scene = await SceneAsync();
        await scene.FollowAsync();
        await scene.DropSlotAsync();
        scene.Bed.ApiOptions = new() { Urls = $"http://127.0.0.1:{FreePort.Next()}" };
        Assert.Contains("cdc slot reset", await scene.CommandAsync(5, "run", "--exit-on-gap"), StringComparison.Ordinal);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ExitOnGap = true };
        await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct), "slot-missing");
    }

    [Fact]
    public async Task Without_the_engine_from_the_start_and_in_the_middle_what_watches_answers_and_keys_are_remembered()
    {
        await using var scene = await SceneAsync();
        await scene.FollowAsync();
        var key = await KeyAsync(scene);
        await servers.Engine.StopAsync(ct: Scene.Ct);
        using var served = await Served.StartAsync(scene);
        try
        {
            // Keys were never known to it: on this machine it may be watched, and balances are not there.
            await served.AnswersAsync();
            await served.SaysAsync("cdc_up{server=\"engine\"} 0");
            await served.SaysAsync("cdc_up{server=\"source\"} 1");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await served.GetAsync("/health")).Status);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await served.GetAsync("/cards/card%202/balance")).Status);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await served.GetAsync("/feature-flags")).Status);
        }
        finally
        {
            await servers.Engine.StartAgainAsync(Scene.Ct);
        }
        await Eventually.True(
            "a key is asked for",
            async () => (await served.GetAsync("/status")).Status == HttpStatusCode.Unauthorized,
            ct: Scene.Ct
        );
        served.Key = key;
        await scene.CaughtUpAsync(served.Run);
        await served.AnswersAsync("/feature-flags", "/cards/card%202/balance");

        await servers.Engine.StopAsync(PgStopMode.Immediate, Scene.Ct);
        try
        {
            await served.SaysAsync("cdc_up{server=\"engine\"} 0");
            await served.AnswersAsync("/feature-flags");
            // Each attempt says "retrying" while it lasts.
            await Eventually.True(
                "the pipeline waits for the engine",
                async () => (await served.JsonAsync("/status")).GetProperty("pipeline").GetProperty("state").GetString() == "waiting",
                ct: Scene.Ct
            );
            served.Key = null;
            Assert.Equal(HttpStatusCode.Unauthorized, (await served.GetAsync("/status")).Status);
            Assert.Contains(
                "cdc_health_check{check=\"engine\"} 0\n",
                (await served.GetAsync("/health/metrics")).Text,
                StringComparison.Ordinal
            );
        }
        finally
        {
            await servers.Engine.StartAgainAsync(Scene.Ct);
        }
        await scene.EndsEqualAsync(served.Run);
    }

    [Fact]
    public async Task Servers_that_hang_keep_nothing_from_answering_in_the_time_that_Prometheus_has()
    {
        // What asks a silent server to cancel holds a thread (see Directory.Build.props): it must not be one of two.
        ThreadPool.GetMinThreads(out var threads, out _);
        Assert.True(threads >= 32);
        await using var scene = await SceneAsync();
        await using var source = TcpProxy.Start(servers.Source.Port);
        await using var engine = TcpProxy.Start(servers.Engine.Port);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = Through(source, scene.Source.ConnectionString) };
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = Through(engine, scene.Engine.ConnectionString) };
        using var served = await FollowingAsync(scene);
        source.GoSilent();
        engine.GoSilent();
        await served.SaysAsync("cdc_up{server=\"engine\"} 0");
        await served.AnswersAsync("/feature-flags");
        Assert.Contains("cdc_up{server=\"source\"} 0\n", (await served.GetAsync("/metrics")).Text, StringComparison.Ordinal);
        source.Heal(tellServer: true);
        engine.Heal(tellServer: true);
        await scene.EndsEqualAsync(served.Run);
    }

    [Fact]
    public async Task A_table_of_the_engine_that_somebody_has_locked_hides_its_own_counts_and_nothing_else()
    {
        await using var scene = await SceneAsync();
        using var served = await FollowingAsync(scene);
        await scene.CaughtUpAsync(served.Run);
        await served.SaysAsync("cdc_parentless_rows{entity=\"history\"} 0");
        await using (var owner = await scene.Engine.DataSource.OpenConnectionAsync(Scene.Ct))
        {
            await using var held = await owner.BeginTransactionAsync(Scene.Ct);
            await using (var command = new NpgsqlCommand("LOCK TABLE loyalty_cards IN ACCESS EXCLUSIVE MODE", owner))
                await command.ExecuteNonQueryAsync(Scene.Ct);
            var metrics = "";
            await Eventually.True(
                "rows without a parent cannot be counted",
                async () =>
                    !(metrics = (await served.GetAsync("/metrics")).Text).Contains(
                        "\ncdc_parentless_rows{entity=\"history\"}",
                        StringComparison.Ordinal
                    ),
                () => Task.FromResult(metrics),
                ct: Scene.Ct
            );
            Assert.Contains("\ncdc_up{server=\"engine\"} 1\n", metrics, StringComparison.Ordinal);
            Assert.Contains("\ncdc_lag_seconds{topic=\"public.loyalty_card\",partition=\"0\"} ", metrics, StringComparison.Ordinal);
            await served.AnswersAsync();
        }
        await scene.EndsEqualAsync(served.Run);
    }

    [Fact]
    public async Task A_role_that_may_not_log_in_any_more_stops_the_pipeline_only_and_given_back_it_continues()
    {
        await using var scene = await SceneAsync();
        await using var role = await ReaderRole.CreateAsync(scene.Source, null);
        await scene.Source.ExecuteAsync($"ALTER ROLE {role.Name} SUPERUSER", Scene.Ct);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = role.ConnectionString };
        using var served = await FollowingAsync(scene);
        await scene.Source.ExecuteAsync(
            $"ALTER ROLE {role.Name} NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role.Name}'",
            Scene.Ct
        );
        await served.SaysAsync("cdc_pipeline_stopped{class=\"configuration\"} 1");
        await served.SaysAsync("cdc_up{server=\"source\"} 0");
        await served.AnswersAsync("/health", "/feature-flags", "/cards/card%202/balance");
        // Open without a key: it says that, and not which role and server it is.
        var why = await served.HealthAsync("pipeline");
        Assert.StartsWith("degraded The pipeline is stopped (Configuration)", why, StringComparison.Ordinal);
        Assert.DoesNotContain(role.Name, why, StringComparison.Ordinal);
        Assert.Contains(
            role.Name,
            (await served.JsonAsync("/status")).GetProperty("pipeline").GetProperty("reason").GetString(),
            StringComparison.Ordinal
        );
        await scene.Source.ExecuteAsync($"ALTER ROLE {role.Name} LOGIN", Scene.Ct);
        await scene.ChangeAsync();
        await scene.EndsEqualAsync(served.Run);
    }

    [Fact]
    public async Task A_privilege_that_is_taken_away_is_said_once_with_its_grant_and_given_back_that_too()
    {
        await using var scene = await SceneAsync();
        await using var role = await ReaderRole.CreateWriterAsync(scene.Engine);
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = role.ConnectionString };
        using var served = await FollowingAsync(scene);
        await scene.Engine.ExecuteAsync($"REVOKE INSERT ON loyalty_cards FROM {role.Name}", Scene.Ct);
        await scene.ChangeAsync();
        await Eventually.True(
            "it is looked at again and again",
            async () =>
                Regex.Match((await served.GetAsync("/metrics")).Text, "cdc_errors_total\\{class=\"preflight\"\\} (\\d+)").Groups[1].Value
                    is var times
                && int.Parse(times, System.Globalization.CultureInfo.InvariantCulture) >= 4,
            () => Task.FromResult(served.Run.Tail),
            ct: Scene.Ct
        );
        Assert.StartsWith("degraded The pipeline is stopped (Preflight)", await served.HealthAsync("pipeline"), StringComparison.Ordinal);
        Assert.Equal((1, 0), (Said("The pipeline stands still"), Said("The pipeline works again")));
        Assert.Contains("GRANT INSERT", served.Run.Tail, StringComparison.Ordinal);
        await scene.Engine.ExecuteAsync($"GRANT INSERT ON loyalty_cards TO {role.Name}", Scene.Ct);
        await served.SaysAsync("cdc_pipeline_stopped{class=\"preflight\"} 0");
        await scene.EndsEqualAsync(served.Run);
        Assert.Equal((1, 1), (Said("The pipeline stands still"), Said("The pipeline works again")));

        int Said(string what) => Regex.Count(served.Run.Tail, $"\"RenderedMessage\":\"{what}");
    }

    [Fact]
    public async Task An_engine_without_tables_is_waited_for_beside_the_Api_and_loaded_after_migrate()
    {
        await using var scene = await SceneAsync();
        await scene.Engine.ExecuteAsync("DROP SCHEMA cdc CASCADE; DROP TABLE public.cdc_migrations CASCADE", Scene.Ct);
        await scene.Engine.ExecuteAsync("DROP TABLE point_history, point_moves, loyalty_cards, promotion_programs CASCADE", Scene.Ct);
        using var served = await Served.StartAsync(scene);
        await served.SaysAsync("cdc_pipeline_stopped{class=\"preflight\"} 1");
        await served.AnswersAsync();
        Assert.Equal("unknown", (await served.JsonAsync("/status")).GetProperty("state").GetString());
        await scene.CommandAsync(0, "migrate");
        await scene.EndsEqualAsync(served.Run);
    }

    private Task<Scene> SceneAsync() => Scene.CreateAsync(servers.Source, servers.Engine);

    private static async Task<Served> FollowingAsync(Scene scene)
    {
        var served = await Served.StartAsync(scene);
        await scene.CaughtUpAsync(served.Run);
        return served;
    }

    private static async Task<string> KeyAsync(Scene scene) =>
        Regex.Match(await scene.CommandAsync(0, "keys", "create", "on-call"), "cdc_[A-Za-z0-9_-]+").Value;

    private static string Through(TcpProxy network, string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = network.Port }.ConnectionString;
}
