using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Cutover.Phases;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Cutover;

/// <summary><c>cdc cutover</c>: each decision one transaction with state, flag and record.</summary>
public sealed class CutoverCommandTests(TestServers servers)
{
    [Fact]
    public async Task Reads_move_by_the_plan_with_two_approvals_and_go_back_at_once()
    {
        await using var world = await CutoverWorld.CreateAsync(servers);
        await world.StartAsync();
        Assert.Equal("pilot 0 legacy 0, rest 0 legacy 0", await world.StandAsync());
        await world.AdvanceAsync("pilot");
        // Nothing was raised: whether there is a flag does not matter.
        var first = await world.RunAsync("cutover", "advance", "pilot", "--by", "lead", "--yes");
        Assert.Equal((int)FailureKind.Inconclusive, first.ExitCode);
        Assert.Contains("1 of 2 people have approved of canary", first.Error, StringComparison.Ordinal);
        var same = await world.RunAsync("cutover", "advance", "pilot", "--by", "lead", "--yes");
        Assert.Equal((int)FailureKind.Inconclusive, same.ExitCode);
        await world.AdvanceAsync("pilot", "auditor");
        Assert.Equal("pilot 2 canary 10, rest 0 legacy 0", await world.StandAsync());
        Assert.Equal("t 10 {1}", await world.FlagAsync());
        await world.AdvanceAsync("rest");
        await world.AdvanceAsync("pilot");
        Assert.Equal("t 50 {1}", await world.FlagAsync());

        var back = await world.RunAsync("cutover", "rollback", "pilot", "--to", "shadow", "--why", "slow", "--by", "on-call", "--yes");
        Assert.True(back.ExitCode == 0, back.Error);
        Assert.Equal("pilot 1 shadow 0, rest 1 shadow 0", await world.StandAsync());
        Assert.StartsWith("f", await world.FlagAsync(), StringComparison.Ordinal);
        Assert.Equal(
            "start legacy legacy lead, start legacy legacy lead, approve legacy legacy lead, advance legacy shadow lead, approve shadow shadow lead, "
                + "approve shadow shadow auditor, advance shadow canary auditor, approve legacy legacy lead, advance legacy shadow lead, "
                + "approve canary canary lead, advance canary half lead, rollback half shadow on-call slow",
            await world.EngineAsync<string>(
                "SELECT string_agg(concat_ws(' ', command, from_step, to_step, changed_by, why), ', ' ORDER BY change) FROM cdc.cutover_changes"
            )
        );
        Assert.Equal(
            "pass",
            await world.EngineAsync<string>(
                "SELECT g ->> 'verdict' FROM cdc.cutover_changes, jsonb_array_elements(evidence) g WHERE to_step = 'half' AND g ->> 'name' = 'drift'"
            )
        );
    }

    [Fact]
    public async Task A_gate_that_fails_lets_nobody_through_and_status_says_which()
    {
        await using var world = await CutoverWorld.CreateAsync(servers);
        await world.StartAsync();
        await world.AdvanceAsync("pilot");
        await world.EngineAsync(
            "INSERT INTO cdc.drift (entity, key, kind, field, first_run, last_run) SELECT 'card', i, 'missing', '*', 1, 1 FROM generate_series(1, 2) i"
        );
        var refused = await world.RunAsync("cutover", "advance", "pilot", "--yes");
        Assert.Equal((int)FailureKind.Refused, refused.ExitCode);
        Assert.Contains("drift: 0.2 percent of the compared rows differ, at most 0.1", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0L, await world.EngineAsync<long>("SELECT count(*) FROM cdc.cutover_approvals WHERE version > 1"));

        // Readers who would have got another answer.
        await world.EngineAsync(
            "DELETE FROM cdc.drift; INSERT INTO cdc.cutover_shadow SELECT scope, hour, 'differs', 'points', 2, 17 FROM cdc.cutover_shadow WHERE scope = 'pilot'"
        );
        var differing = await world.RunAsync("cutover", "advance", "pilot", "--yes");
        Assert.Equal((int)FailureKind.Refused, differing.ExitCode);
        Assert.Contains(
            "shadow: 0.2 percent of 1002 compared reads had different answers, at most 0.1",
            differing.Error,
            StringComparison.Ordinal
        );
        await world.EngineAsync("UPDATE cdc.cutover_shadow SET hour = hour - interval '2 days'");
        var few = await world.RunAsync("cutover", "advance", "pilot", "--yes");
        Assert.Equal((int)FailureKind.Inconclusive, few.ExitCode);
        Assert.Contains("shadow: 0 reads were compared in this step, at least 100", few.Error, StringComparison.Ordinal);

        // A table that was never compared: nothing can be said.
        await world.EngineAsync("DELETE FROM cdc.drift; INSERT INTO cdc.tables (entity, state) VALUES ('move', 'streaming')");
        Assert.Equal((int)FailureKind.Inconclusive, (await world.RunAsync("cutover", "advance", "pilot", "--yes")).ExitCode);

        var shown = await world.RunAsync("cutover", "status", "--json");
        var pilot = JsonDocument.Parse(shown.Out).RootElement.GetProperty("scopes")[0];
        Assert.Equal(
            ("shadow", "canary"),
            (pilot.GetProperty("step").GetString(), pilot.GetProperty("next").GetProperty("step").GetString())
        );
        Assert.Contains(
            pilot.GetProperty("next").GetProperty("gates").EnumerateArray(),
            g => g.GetProperty("name").GetString() == "compared" && g.GetProperty("verdict").GetString() == "inconclusive"
        );
        Assert.Contains("compared cannot say", (await world.RunAsync("cutover", "status")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flag_that_somebody_switched_off_stops_the_way_forward_and_is_not_raised_by_the_way_back()
    {
        await using var world = await CutoverWorld.CreateAsync(servers);
        await world.StartAsync(CutoverWorld.Plan.Replace("\"approvals\": 2", "\"approvals\": 1", StringComparison.Ordinal));
        for (var step = 0; step < 3; step++)
            await world.AdvanceAsync("pilot");
        await world.EngineAsync("UPDATE cdc.feature_flags SET enabled = false, updated_by = 'on-call'");
        var refused = await world.RunAsync("cutover", "advance", "pilot", "--yes");
        Assert.Equal((int)FailureKind.Refused, refused.ExitCode);
        Assert.Contains("the flag rust-engine is off, by on-call", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await world.RunAsync("cutover", "rollback", "pilot", "--to", "canary", "--yes")).ExitCode);
        Assert.StartsWith("f", await world.FlagAsync(), StringComparison.Ordinal);
        var scope = JsonDocument.Parse((await world.RunAsync("cutover", "status", "--json")).Out).RootElement.GetProperty("scopes")[0];
        Assert.Equal((10m, 0m), (scope.GetProperty("percentage").GetDecimal(), scope.GetProperty("readsByEngine").GetDecimal()));
    }

    [Fact]
    public async Task Of_two_who_decide_at_once_about_the_same_state_one_is_refused()
    {
        await using var world = await CutoverWorld.CreateAsync(servers);
        await world.StartAsync();
        await using var other = new NpgsqlConnection(world.EngineConnection);
        await other.OpenAsync(HostWorld.Ct);
        await using var transaction = await other.BeginTransactionAsync(HostWorld.Ct);
        await using (var command = new NpgsqlCommand("SELECT FROM cdc.cutover_plans FOR UPDATE", other))
            await command.ExecuteNonQueryAsync(HostWorld.Ct);
        Task<CommandRun>[] runs = [Advance("a"), Advance("b")];
        await Eventually.True(
            "both have looked, and wait",
            async () =>
                await world.EngineAsync<long>(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                ) == 2,
            ct: HostWorld.Ct
        );
        await transaction.RollbackAsync(HostWorld.Ct);
        var ended = await Task.WhenAll(runs);
        Assert.Equal([0, (int)FailureKind.Refused], ended.Select(r => r.ExitCode).Order());
        Assert.Contains(ended, r => r.Error.Contains("Somebody else has changed pilot meanwhile", StringComparison.Ordinal));
        Assert.Equal("pilot 1 shadow 0, rest 0 legacy 0", await world.StandAsync());

        Task<CommandRun> Advance(string by) => Task.Run(() => world.RunAsync("cutover", "advance", "pilot", "--by", by, "--yes"));
    }

    [Fact]
    public async Task What_a_trigger_took_back_stays_there_until_somebody_releases_it()
    {
        await using var world = await CutoverWorld.CreateAsync(servers);
        await world.StartAsync(CutoverWorld.Plan.Replace("\"approvals\": 2", "\"approvals\": 1", StringComparison.Ordinal));
        await world.AdvanceAsync("pilot");
        // Odoo answers: there is nothing to take back.
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("cutover", "drill", "pilot", "--yes")).ExitCode);
        await world.AdvanceAsync("pilot");
        await world.AdvanceAsync("pilot");
        await world.AdvanceAsync("rest");
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("cutover", "drill", "pilot")).ExitCode);
        Assert.Equal(0, (await world.RunAsync("cutover", "drill", "pilot", "--why", "who is paged?", "--yes")).ExitCode);
        Assert.Equal("pilot 1 shadow 0 trigger drill: who is paged?, rest 1 shadow 0", await world.StandAsync());
        Assert.StartsWith("f ", await world.FlagAsync(), StringComparison.Ordinal);
        var refused = await world.RunAsync("cutover", "advance", "pilot", "--yes");
        Assert.Equal((int)FailureKind.Refused, refused.ExitCode);
        Assert.Contains("pilot is held: trigger drill: who is paged?", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await world.RunAsync("cutover", "hold", "pilot", "--release", "--yes")).ExitCode);
        await world.AdvanceAsync("pilot");
    }

    [Fact]
    public async Task Two_who_watch_take_a_scope_back_once_and_what_is_not_known_takes_none()
    {
        await using var world = await CutoverWorld.CreateAsync(servers);
        await world.StartAsync(CutoverWorld.Plan.Replace("\"approvals\": 2", "\"approvals\": 1", StringComparison.Ordinal));
        foreach (var scope in (string[])["pilot", "pilot", "rest", "rest"])
            await world.AdvanceAsync(scope);
        Assert.Empty((await WatchAsync())!);
        await world.EngineAsync(
            "DELETE FROM cdc.reconcile_partitions; DELETE FROM cdc.reconcile_runs; DELETE FROM cdc.cutover_shadow; DELETE FROM cdc.checkpoints"
        );
        Assert.Empty((await WatchAsync())!);
        Assert.Equal("pilot 2 canary 10, rest 2 canary 10", await world.StandAsync());
        await world.EngineAsync(
            "INSERT INTO cdc.cutover_shadow VALUES ('rest', date_trunc('hour', now()) + interval '1 hour', 'missing', '', 100, 7)"
        );
        var seen = await Task.WhenAll(WatchAsync(), WatchAsync(), WatchAsync());
        Assert.Equal(["rest"], seen.SelectMany(s => s!).Select(s => s.Scope.Name));
        Assert.StartsWith(
            "pilot 2 canary 10, rest 1 shadow 0 trigger shadow: 100 percent",
            await world.StandAsync(),
            StringComparison.Ordinal
        );

        async Task<IReadOnlyList<ScopeState>?> WatchAsync()
        {
            await using var connection = new NpgsqlConnection(world.EngineConnection);
            await connection.OpenAsync(HostWorld.Ct);
            return (await CutoverDesk.WatchAsync(connection, HostWorld.Ct))?.Tripped;
        }
    }

    [Fact]
    public async Task What_is_held_goes_back_and_not_forward_and_nothing_happens_without_a_yes()
    {
        await using var world = await CutoverWorld.CreateAsync(servers);
        Assert.Equal((int)FailureKind.Usage, (await world.RunAsync("cutover", "advance", "pilot", "--yes")).ExitCode);
        Assert.Contains("no cutover runs", (await world.RunAsync("cutover", "status")).Out, StringComparison.Ordinal);
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("cutover", "start", await CutoverWorld.FileAsync())).ExitCode);
        await world.StartAsync();
        await world.AdvanceAsync("pilot");
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("cutover", "hold", "pilot")).ExitCode);
        Assert.Equal(0, (await world.RunAsync("cutover", "hold", "pilot", "--why", "audit", "--yes")).ExitCode);
        Assert.Equal("pilot 1 shadow 0 audit, rest 0 legacy 0", await world.StandAsync());
        var held = await world.RunAsync("cutover", "advance", "pilot", "--yes");
        Assert.Equal((int)FailureKind.Refused, held.ExitCode);
        Assert.Contains("pilot is held: audit", held.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await world.RunAsync("cutover", "rollback", "pilot", "--yes")).ExitCode);
        Assert.Equal(0, (await world.RunAsync("cutover", "hold", "pilot", "--release", "--yes")).ExitCode);
        await world.AdvanceAsync("pilot");
        Assert.Equal((int)FailureKind.Usage, (await world.RunAsync("cutover", "rollback", "pilot", "--to", "full", "--yes")).ExitCode);
        Assert.Equal((int)FailureKind.Usage, (await world.RunAsync("cutover", "hold", "nobody", "--yes")).ExitCode);
    }

    [Fact]
    public async Task A_plan_is_shown_with_what_it_changes_and_its_scopes_keep_their_place()
    {
        await using var world = await CutoverWorld.CreateAsync(servers);
        await world.StartAsync();
        await world.AdvanceAsync("pilot");
        var other = CutoverWorld.Plan.Replace("\"percentage\": 50", "\"percentage\": 40", StringComparison.Ordinal);
        var shown = await world.RunAsync("cutover", "plan", await CutoverWorld.FileAsync(other), "--json");
        Assert.True(shown.ExitCode == 0, shown.Error);
        var difference = Assert.Single(JsonDocument.Parse(shown.Out).RootElement.GetProperty("differences").EnumerateArray());
        Assert.Equal(
            ("steps.half.percentage", "50", "40"),
            (
                difference.GetProperty("path").GetString(),
                difference.GetProperty("running").GetString(),
                difference.GetProperty("file").GetString()
            )
        );
        await world.StartAsync(other);
        Assert.Equal("pilot 1 shadow 0, rest 0 legacy 0", await world.StandAsync());
        var dropped = other.Replace("\"pilot\"", "\"pilots\"", StringComparison.Ordinal);
        Assert.Equal(
            (int)FailureKind.Refused,
            (await world.RunAsync("cutover", "start", await CutoverWorld.FileAsync(dropped), "--yes")).ExitCode
        );
        var writes = other.Replace("\"phase\": \"ramp\", \"percentage\": 100", "\"phase\": \"freeze\"", StringComparison.Ordinal);
        var refused = await world.RunAsync("cutover", "plan", await CutoverWorld.FileAsync(writes), "--offline");
        Assert.Equal((int)FailureKind.Configuration, refused.ExitCode);
        Assert.Contains("comes with the next part", refused.Error, StringComparison.Ordinal);
    }
}
