using System.Text.RegularExpressions;
using Cdc.Api;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Continuous;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Pipeline;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.OnCall;

/// <summary>
/// Every delivered alert is caused in one running system, is seen in a real Prometheus, has its runbook followed word for word, and clears.
/// </summary>
[Trait("Needs", "CDC_DRILL")]
public sealed partial class OnCallDrillTests(OwnServers servers, ITestOutputHelper output) : IClassFixture<OwnServers>
{
    /// <summary>Alerts that cannot be caused here in a reasonable time, each with the reason.</summary>
    private static readonly Dictionary<string, string> NotCaused = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_alert_is_caused_seen_and_cleared_by_what_its_runbook_says()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await using var role = await ReaderRole.CreateAsync(scene.Source, null);
        await scene.Source.ExecuteAsync($"ALTER ROLE {role.Name} SUPERUSER", Ct);
        Configure(scene.Bed, role);
        await using var drill = await StartAsync(scene);
        await NothingIsEverComparedAsync(drill);
        await drill.QuietAsync();
        Func<Drill, Task>[] faults =
        [
            RowsInQuarantineAsync,
            AnOpenTransactionAsync,
            ALockInTheEngineAsync,
            ATableThatCannotBeFollowedAsync,
            RowsThatAreGoneAsync,
            AWayBackThatStandsStillAsync,
            AScopeThatWentBackAsync,
            RowsThatDifferAsync,
            AnEngineThatTakesNoWritesAsync,
            d => ALoginThatIsRefusedAsync(d, role),
            AnEngineThatIsDownAsync,
            ALostSlotAsync,
            APrometheusWithAWrongKeyAsync,
            AProcessThatIsGoneAsync,
        ];
        foreach (var fault in faults)
            await fault(drill);
        await drill.EndAsync(NotCaused);
        output.WriteLine(drill.Took);
        await scene.EndsEqualAsync(drill.Served.Run);
    }

    /// <summary>A comparison every second, once there are any, and thresholds for a shop of fifty cards.</summary>
    private static void Configure(PipelineBed bed, ReaderRole role)
    {
        bed.SourceOptions = bed.SourceOptions with { ConnectionString = role.ConnectionString };
        bed.EngineOptions = bed.EngineOptions with { MaxDeletedRows = 10 };
        bed.ContinuousOptions = new ContinuousOptions
        {
            Enabled = false,
            Interval = TimeSpan.FromSeconds(1),
            LoadPercent = 100,
        };
        bed.AlertOptions = new AlertOptions
        {
            MinRows = 0,
            MinSamples = 1,
            ShortWindow = TimeSpan.FromSeconds(2),
            LongWindow = TimeSpan.FromSeconds(4),
        };
    }

    private static async Task<Drill> StartAsync(Scene scene)
    {
        var served = await Served.StartAsync(scene);
        await scene.CaughtUpAsync(served.Run);
        return await Drill.StartAsync(
            scene,
            served,
            KeyIn(await scene.CommandAsync(0, "keys", "create", "prometheus")),
            KeyIn(await scene.CommandAsync(0, "keys", "create", "on-call", "--scope", "read", "--scope", "operate"))
        );
    }

    /// <summary>As beside <c>cdc capture</c> and <c>cdc apply</c> without a timer, or where it is switched off.</summary>
    private static async Task NothingIsEverComparedAsync(Drill drill)
    {
        await drill.FireAsync(["CdcNeverCompared"]);
        await drill.FollowAsync("consistency", ["Look", "Verify"]);
        await drill.ClearedAsync(["CdcNeverCompared"]);
        drill.Scene.Bed.ContinuousOptions = drill.Scene.Bed.ContinuousOptions with { Enabled = true };
        Assert.Equal(0, await drill.Served.Run.StopAsync(Signal.Terminate, Ct));
        await drill.StartAgainAsync();
    }

    /// <summary>Many new cards break a rule, and one of them has rows below it.</summary>
    private static async Task RowsInQuarantineAsync(Drill drill)
    {
        string[] alerts = ["CdcQuarantine", "CdcQuarantineGrows", "CdcRowsIncomplete"];
        await drill.Scene.Source.ExecuteAsync(
            """
            UPDATE loyalty_card SET points = -1 WHERE id = 17;
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'bad ' || i, -i FROM generate_series(1001, 1150) i;
            INSERT INTO loyalty_point_history (loyalty_card_id, points_amount, points_balance) VALUES (1001, 1, 1)
            """,
            Ct
        );
        await drill.FireAsync(alerts);
        await drill.FollowAsync("quarantine", ["Look", "Do"]);
        await drill.FollowAsync("rows-incomplete", ["Look", "Do"]);
        await drill.Scene.Source.ExecuteAsync("UPDATE loyalty_card SET points = abs(points) WHERE points < 0", Ct);
        drill.Clears(alerts);
    }

    /// <summary>It keeps WAL, and a table that was rewritten is not read before it has ended.</summary>
    private static async Task AnOpenTransactionAsync(Drill drill)
    {
        string[] alerts = ["CdcLongTransaction", "CdcTableNotStreaming", "CdcSlotRetained", "CdcSlotAtRisk"];
        var source = drill.Scene.Source;
        // Its session is going to be ended: it is no pool's.
        await using var odoo = new NpgsqlConnection(source.ConnectionString + ";Pooling=false");
        await odoo.OpenAsync(Ct);
        await using (var begin = new NpgsqlCommand("BEGIN; SELECT pg_current_xact_id()", odoo))
            await begin.ExecuteNonQueryAsync(Ct);
        await source.ExecuteAsync("VACUUM FULL loyalty_point_move", Ct);
        await source.ExecuteAsync(
            "SELECT count(pg_logical_emit_message(false, 'filler', repeat('x', 1000000))) FROM generate_series(1, 50)",
            Ct
        );
        await source.ExecuteAsync("ALTER SYSTEM SET max_slot_wal_keep_size = '500MB'", Ct);
        await source.ExecuteAsync("SELECT pg_reload_conf()", Ct);
        await drill.FireAsync(alerts);
        await drill.FollowAsync("slot-retained", ["Look", "Do"], with: ("4711", $"{odoo.ProcessID}"));
        // What is over is known to a slot after the next checkpoint.
        drill.Clears(alerts, () => source.ExecuteAsync("CHECKPOINT", Ct));
        await drill.ClearedAsync(["CdcTableNotStreaming"]);
    }

    /// <summary>Nothing can be applied, and balances are waited for.</summary>
    private static async Task ALockInTheEngineAsync(Drill drill)
    {
        string[] alerts = ["CdcLag", "CdcApiSlow"];
        var scene = drill.Scene;
        // Its own time series is there: how much it grows can be seen.
        await drill.Served.GetAsync("/cards/card%2029/balance");
        await using (var owner = await scene.Engine.DataSource.OpenConnectionAsync(Ct))
        {
            await using var held = await owner.BeginTransactionAsync(Ct);
            await using (var command = new NpgsqlCommand("LOCK TABLE loyalty_cards IN ACCESS EXCLUSIVE MODE", owner))
                await command.ExecuteNonQueryAsync(Ct);
            await scene.ChangeAsync();
            await drill.FireAsync(alerts, () => drill.Served.GetAsync("/cards/card%2030/balance"));
            await drill.FollowAsync("lag", ["Look", "It applies too slowly"]);
            await drill.FollowAsync("api-down", ["Look"]);
        }
        // Only a commit tells how old the engine is.
        await drill.ClearedAsync(
            ["CdcLag"],
            () => scene.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1 WHERE id = 30", Ct)
        );
        drill.Clears(["CdcApiSlow"]);
    }

    /// <summary>It cannot be compared either.</summary>
    private static async Task ATableThatCannotBeFollowedAsync(Drill drill)
    {
        string[] alerts = ["CdcTableStopped", "CdcNotCompared"];
        await drill.Scene.Source.ExecuteAsync("ALTER TABLE loyalty_point_history REPLICA IDENTITY NOTHING", Ct);
        await drill.FireAsync(alerts);
        var said = await drill.FollowAsync("table-stopped", ["Look"], [("cdc check", 4)]);
        await drill.Scene.Source.ExecuteAsync(Remedy().Match(said).Value, Ct);
        drill.Clears(alerts);
        await drill.ClearedAsync(["CdcTableStopped"]);
    }

    private static async Task RowsThatAreGoneAsync(Drill drill)
    {
        await drill.Scene.Engine.ExecuteAsync(
            "INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) SELECT i, i, 1, 'gone ' || i, 0 FROM generate_series(9001, 9040) i",
            Ct
        );
        await drill.Scene.CommandAsync(0, "snapshot", "card");
        await drill.FireAsync(["CdcDeletesHeld"]);
        await drill.FollowAsync("deletes-held", ["Look", "Do"]);
        drill.Clears(["CdcDeletesHeld"]);
    }

    /// <summary>As a process leaves it that was told by Odoo that its key has ended, and that a code is taken.</summary>
    private static async Task AWayBackThatStandsStillAsync(Drill drill)
    {
        string[] alerts = ["CdcReverseStopped", "CdcReverseLate", "CdcCardsStopped", "CdcConflicts"];
        var engine = drill.Scene.Engine;
        await engine.ExecuteAsync(
            """
            INSERT INTO cdc.reverse_workers (worker, host, state, code, message, remedy, seen_at)
            VALUES ('6b1d5ad5-3f0e-4a3c-8d55-0d1a4a3c9f01', 'here', 'stopped', 'key', 'The key has ended.', 'Make a new one.', now() + interval '1 hour');
            INSERT INTO cdc.sync_log (entity, id, card, number, action, error, created_at)
            VALUES ('card', 17, 17, 1, 'update', 'The code exists.', now() - interval '10 minutes'), ('card', 18, 18, 2, 'update', NULL, now());
            INSERT INTO cdc.conflicts (entity, key, card, kind, field, odoo_value, engine_value, generation, lsn, ordinal)
            VALUES ('card', 17, 17, 'changed', 'partner_id', '4', '5', 1, '0/1', 0)
            """,
            Ct
        );
        await drill.FireAsync(alerts);
        await drill.FollowAsync("way-back", ["Look", "Cards that stopped", "Verify"]);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM cdc.sync_log WHERE error IS NOT NULL", Ct));
        await drill.Scene.CommandAsync(0, "conflicts", "keep", "1");
        // There is no Odoo here that would take them.
        await engine.ExecuteAsync("DELETE FROM cdc.sync_log; DELETE FROM cdc.reverse_workers", Ct);
        drill.Clears(alerts);
    }

    private static async Task AScopeThatWentBackAsync(Drill drill)
    {
        var (engine, plan) = (drill.Scene.Engine, Path.GetTempFileName());
        await File.WriteAllTextAsync(plan, """{ "name": "drill", "scopes": [{ "name": "all" }] }""", Ct);
        await drill.Scene.CommandAsync(0, "cutover", "start", plan, "--yes");
        // The gates of the way there are another test's.
        await engine.ExecuteAsync("UPDATE cdc.cutover_scopes SET step = 2, phase = 'canary', percentage = 10, version = version + 1", Ct);
        await drill.Scene.CommandAsync(0, "cutover", "drill", "all", "--yes");
        await drill.FireAsync(["CdcCutoverTripped"]);
        await drill.FollowAsync("cutover-tripped", ["Look", "Do", "Verify"]);
        await drill.ClearedAsync(["CdcCutoverTripped"]);
        await engine.ExecuteAsync("UPDATE cdc.cutover_plans SET ended_at = now(); NOTIFY cdc_routes", Ct);
        File.Delete(plan);
    }

    private static async Task RowsThatDifferAsync(Drill drill)
    {
        string[] alerts = ["CdcDrift", "CdcConsistency"];
        await drill.Scene.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 1 WHERE id BETWEEN 20 AND 40", Ct);
        // Nobody's notice announces it: a comparison of everything does, such as that of the night.
        await drill.FollowAsync("consistency", ["Verify"], [("cdc reconcile", 10)]);
        await drill.FireAsync(alerts);
        await drill.FollowAsync("consistency", ["Look"], [("cdc reconcile --repair --dry-run", 10)]);
        await drill.FollowAsync("consistency", ["Do", "Verify"]);
        drill.Clears(alerts);
    }

    /// <summary>As a server whose disk is full.</summary>
    private static async Task AnEngineThatTakesNoWritesAsync(Drill drill)
    {
        var engine = drill.Scene.Engine;
        await engine.ExecuteAsync($"ALTER DATABASE {engine.Name} SET default_transaction_read_only = on", Ct);
        await engine.ExecuteAsync(EndSessions, Ct);
        await drill.FireAsync(["CdcRetrying"]);
        await drill.FollowAsync("lag", ["Look"]);
        await using (
            var elsewhere = new NpgsqlConnection(
                new NpgsqlConnectionStringBuilder(engine.ConnectionString) { Database = "postgres" }.ConnectionString
            )
        )
        {
            await elsewhere.OpenAsync(Ct);
            await using var reset = new NpgsqlCommand($"ALTER DATABASE {engine.Name} RESET default_transaction_read_only", elsewhere);
            await reset.ExecuteNonQueryAsync(Ct);
        }
        drill.Scene.ForgetConnections();
        await drill.ClearedAsync(["CdcRetrying"]);
    }

    private static async Task ALoginThatIsRefusedAsync(Drill drill, ReaderRole role)
    {
        await drill.Scene.Source.ExecuteAsync($"ALTER ROLE {role.Name} NOLOGIN", Ct);
        await drill.Scene.Source.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role.Name}'", Ct);
        await drill.FireAsync(["CdcPipelineStopped"]);
        await drill.FollowAsync("pipeline-stopped", ["Look"], [("cdc check", 3)]);
        await drill.Scene.Source.ExecuteAsync($"ALTER ROLE {role.Name} LOGIN", Ct);
        await drill.FollowAsync("pipeline-stopped", ["Verify"]);
        await drill.ClearedAsync(["CdcPipelineStopped"]);
    }

    private async Task AnEngineThatIsDownAsync(Drill drill)
    {
        await servers.Engine.KillAsync(Ct);
        await drill.FireAsync(["CdcServerUnreadable"]);
        await drill.FollowAsync("server-unreachable", ["Look"]);
        await servers.Engine.StartAgainAsync(Ct);
        drill.Scene.ForgetConnections();
        await drill.FollowAsync("server-unreachable", ["Do"]);
        await drill.ClearedAsync(["CdcServerUnreadable"]);
        await drill.Scene.CaughtUpAsync(drill.Served.Run);
    }

    private static async Task ALostSlotAsync(Drill drill)
    {
        await drill.Scene.DropSlotAsync();
        await drill.FireAsync(["CdcGap"]);
        await drill.FollowAsync("slot-reset", ["Look"], [("cdc slot show", 5)]);
        // The check may name the slot, which the reset makes.
        await drill.FollowAsync("slot-reset", ["Decide"], [("cdc check", 0), ("cdc check", 4)]);
        await drill.FollowAsync("slot-reset", ["Do", "Verify", "Afterwards"]);
        await drill.ClearedAsync(["CdcGap"]);
        await drill.Scene.CaughtUpAsync(drill.Served.Run);
    }

    private static async Task APrometheusWithAWrongKeyAsync(Drill drill)
    {
        await drill.GivePrometheusAsync("cdc_wrong");
        await drill.FireAsync(["CdcApiRefuses"]);
        await drill.FollowAsync("api-down", ["Look"]);
        await drill.GivePrometheusAsync(KeyIn(await drill.FollowAsync("api-down", ["Do"])));
        await drill.ClearedAsync(["CdcApiRefuses"]);
    }

    private static async Task AProcessThatIsGoneAsync(Drill drill)
    {
        Assert.Equal(0, await drill.Served.Run.StopAsync(Signal.Terminate, Ct));
        await drill.FireAsync(["CdcApiDown"]);
        var runbook = await Runbook.OpenAsync("ops/runbooks/api-down.md", Ct);
        // curl's code of a refused connection.
        await drill.FollowAsync("api-down", ["Look"], [.. runbook.Blocks.Where(b => b.Section == "Look").Select(b => (b.Text, 7))]);
        await drill.StartAgainAsync();
        await drill.ClearedAsync(["CdcApiDown"]);
    }

    private const string EndSessions =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'cdc%' AND pid <> pg_backend_pid()";

    private static string KeyIn(string said) => Key().Matches(said)[^1].Value;

    [GeneratedRegex("\\bcdc_[a-z0-9]{12}_[A-Za-z0-9_-]{43}")]
    private static partial Regex Key();

    [GeneratedRegex("ALTER TABLE public\\.loyalty_point_history REPLICA IDENTITY DEFAULT;")]
    private static partial Regex Remedy();
}
