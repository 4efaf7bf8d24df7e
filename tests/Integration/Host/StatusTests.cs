using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class StatusTests(TestServers servers)
{
    private const string NoServer = "Host=127.0.0.1;Port=1;Database=none;Username=nobody;Password=secret;Timeout=2";

    [Fact]
    public async Task Status_tells_state_lag_and_every_entity()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.SourceAsync("CREATE TABLE t AS SELECT generate_series(1, 10000) AS i");
        var status = Json(await world.RunAsync("status", "--json"));

        Assert.Equal("streaming", status.GetProperty("state").GetString());
        Assert.False(status.GetProperty("running").GetBoolean());
        Assert.Equal(
            (3, 7),
            (
                status.GetProperty("engine").GetProperty("generation").GetInt32(),
                status.GetProperty("engine").GetProperty("session").GetInt32()
            )
        );
        Assert.InRange(status.GetProperty("bytesBehind").GetInt64(), 100_000, 100_000_000);
        Assert.InRange(status.GetProperty("secondsBehind").GetDouble(), 299, 3000);
        Assert.Equal("reserved", status.GetProperty("source").GetProperty("slot").GetProperty("walStatus").GetString());
        Assert.InRange(status.GetProperty("source").GetProperty("slot").GetProperty("retainedBytes").GetInt64(), 100_000, 100_000_000);
        Assert.Equal(["card", "move"], status.GetProperty("entities").EnumerateArray().Select(e => e.GetProperty("entity").GetString()!));
    }

    [Fact]
    public async Task Lag_in_process_tells_of_each_table_how_far_its_log_is_and_what_is_applied()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.SourceAsync("CREATE TABLE t AS SELECT generate_series(1, 10000) AS i");
        var lag = Json(await world.RunAsync("lag", "--json"));
        Assert.Equal(
            ["public.loyalty_card", "public.loyalty_point_move"],
            lag.GetProperty("partitions").EnumerateArray().Select(p => p.GetProperty("topic").GetString()!)
        );
        var behind = lag.GetProperty("bytesBehind").GetInt64();
        Assert.InRange(behind, 100_000, 100_000_000);
        Assert.All(
            lag.GetProperty("partitions").EnumerateArray(),
            p => Assert.Equal(behind, p.GetProperty("logEnd").GetInt64() - p.GetProperty("checkpoint").GetInt64())
        );
        var through = await world.EngineAsync<string>("SELECT through_lsn::text FROM cdc.checkpoints");
        Assert.Contains(through, (await world.RunAsync("lag")).Out, StringComparison.Ordinal);

        world.SourceConnection = NoServer;
        Assert.Contains(through, (await world.RunAsync("lag")).Out, StringComparison.Ordinal);
        world.EngineConnection = NoServer;
        Assert.Equal((int)FailureKind.Unavailable, (await world.RunAsync("lag")).ExitCode);
    }

    [Theory]
    [InlineData("cdc.source", "status")]
    [InlineData("cdc.quarantine", "quarantine", "list")]
    public async Task A_lock_on_a_shared_table_is_called_a_lock_with_who_holds_it_and_not_an_engine_that_is_away(
        string table,
        params string[] command
    )
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await using var holder = new NpgsqlConnection(world.EngineConnection);
        await holder.OpenAsync(HostWorld.Ct);
        await using var transaction = await holder.BeginTransactionAsync(HostWorld.Ct);
        await using (var locking = new NpgsqlCommand($"LOCK TABLE {table}", holder))
            await locking.ExecuteNonQueryAsync(HostWorld.Ct);
        world.EngineConnection += ";Command Timeout=1";
        var run = await world.RunAsync([.. command, "--json"]);
        var said = run.Out + run.Error;
        Assert.Contains($"Table {table} is locked by the session with pid {holder.ProcessID}", said, StringComparison.Ordinal);
        Assert.DoesNotContain("cannot be reached", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopped_table_is_not_as_fresh_as_the_stream_that_passes_it_by()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync(
            "UPDATE cdc.tables SET state = 'stopped', reason = 'test', updated_at = now() - interval '1 hour' WHERE entity = 'card'"
        );
        var lag = Json(await world.RunAsync("lag", "--json"));
        var (card, move) = (lag.GetProperty("partitions")[0], lag.GetProperty("partitions")[1]);
        Assert.Equal(JsonValueKind.Null, card.GetProperty("secondsBehind").ValueKind);
        Assert.Equal(JsonValueKind.Null, card.GetProperty("checkpoint").ValueKind);
        Assert.InRange(card.GetProperty("stoppedSeconds").GetDouble(), 3600, 4200);
        Assert.Equal(JsonValueKind.Number, move.GetProperty("checkpoint").ValueKind);
        Assert.Equal(JsonValueKind.Null, move.GetProperty("stoppedAt").ValueKind);
        Assert.Contains("stopped for 1:0", (await world.RunAsync("lag")).Out, StringComparison.Ordinal);

        var entity = Json(await world.RunAsync("status", "--json")).GetProperty("entities")[0];
        Assert.InRange(entity.GetProperty("stoppedSeconds").GetDouble(), 3600, 4200);
        Assert.Equal(card.GetProperty("stoppedAt").GetDateTimeOffset(), entity.GetProperty("stoppedAt").GetDateTimeOffset());
        Assert.Contains("stopped for 1:0", (await world.RunAsync("status")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_behind_a_gap_are_not_passed_off_as_streaming()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        Assert.DoesNotContain("behind the gap", (await world.RunAsync("status")).Out, StringComparison.Ordinal);
        await world.EngineAsync("UPDATE cdc.source SET state = 'gap', gap_kind = 'slot-missing'");
        Assert.All(
            Json(await world.RunAsync("status", "--json")).GetProperty("entities").EnumerateArray(),
            e => Assert.True(e.GetProperty("behindGap").GetBoolean())
        );
        Assert.Contains("streaming (behind the gap)", (await world.RunAsync("status")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_of_which_the_servers_statistics_know_nothing_are_counted()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync("INSERT INTO loyalty_cards SELECT generate_series(1, 3); SELECT pg_stat_force_next_flush()");
        await world.EngineAsync(
            "INSERT INTO point_moves SELECT generate_series(1, 10500); INSERT INTO cdc.chunks (entity, generation, kind, state, rows) VALUES ('move', 3, 'load', 'done', 10400); SELECT pg_stat_force_next_flush()"
        );
        await Eventually.True(
            "they know nothing",
            async () =>
            {
                await world.EngineAsync("SELECT pg_stat_reset()");
                return await world.EngineAsync<long>(
                        "SELECT sum(n_live_tup)::bigint FROM pg_stat_user_tables WHERE relname IN ('loyalty_cards', 'point_moves')"
                    ) == 0;
            },
            ct: HostWorld.Ct
        );
        var entities = Json(await world.RunAsync("status", "--json")).GetProperty("entities");
        Assert.Equal((3, 10_400), (entities[0].GetProperty("rows").GetInt64(), entities[1].GetProperty("rows").GetInt64()));
    }

    [Fact]
    public async Task An_engine_that_follows_nothing_yet_is_new()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        var status = Json(await world.RunAsync("status", "--json"));
        Assert.Equal("new", status.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, status.GetProperty("source").GetProperty("slot").ValueKind);
    }

    [Fact]
    public async Task A_running_load_shows_chunks_percent_rate_and_eta()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync(
            """
            INSERT INTO cdc.chunks (entity, generation, kind, state, rows, created_at, finished_at) VALUES
              ('card', 3, 'load', 'done', 250, now() - interval '1 hour', now()), ('card', 3, 'load', 'pending', 0, now() - interval '1 hour', NULL),
              ('card', 2, 'load', 'done', 9999, now(), now()), ('move', 3, 'load', 'done', 5, now() - interval '1 hour', now())
            """
        );
        var entities = Json(await world.RunAsync("status", "--json")).GetProperty("entities");

        var card = entities[0].GetProperty("snapshot");
        Assert.Equal(
            (true, 1, 2, 25.0),
            (
                card.GetProperty("running").GetBoolean(),
                card.GetProperty("chunksDone").GetInt32(),
                card.GetProperty("chunksTotal").GetInt32(),
                card.GetProperty("percent").GetDouble()
            )
        );
        Assert.Equal(250 / 60.0, card.GetProperty("rowsPerSecond").GetDouble(), 3);
        Assert.Equal(750 / (250 / 60.0), card.GetProperty("etaSeconds").GetDouble(), 3);
        Assert.Equal(
            (false, 100.0),
            (
                entities[1].GetProperty("snapshot").GetProperty("running").GetBoolean(),
                entities[1].GetProperty("snapshot").GetProperty("percent").GetDouble()
            )
        );
    }

    [Fact]
    public async Task Children_wait_while_their_parent_is_in_quarantine_or_read_again_and_absent()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync(
            """
            INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at) VALUES
              ('card', 1, 3, '0/1', 0, 'code-empty', 'd', now()), ('card', 2, 3, '0/1', 0, 'code-empty', 'd', now());
            INSERT INTO cdc.rereads (entity, key, generation, lsn, ordinal) VALUES ('card', 1, 3, '0/1', 0), ('card', 3, 3, '0/1', 0);
            INSERT INTO loyalty_cards VALUES (2);
            INSERT INTO point_moves VALUES (10, 1), (11, 1), (12, 2), (13, 3), (14, 4)
            """
        );
        var entities = Json(await world.RunAsync("status", "--json")).GetProperty("entities");
        Assert.Equal((2, 2, 0), Counts(entities[0]));
        Assert.Equal((0, 0, 3), Counts(entities[1]));
    }

    [Fact]
    public async Task With_the_source_down_the_engine_is_still_shown()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        world.SourceConnection = NoServer;
        var run = await world.RunAsync("status");
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"cannot read: +The source 127\.0\.0\.1:1/none cannot be reached", run.Out);
        Assert.Matches(@"generation: +3, session 7", run.Out);
        Assert.DoesNotContain("secret", run.Out + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_the_engine_down_the_slot_is_still_shown()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        world.EngineConnection = NoServer;
        var run = await world.RunAsync("status");
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"state: +unknown", run.Out);
        Assert.Contains(world.Slot + ", not read, wal reserved", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_both_down_the_exit_code_is_Unavailable()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        (world.SourceConnection, world.EngineConnection) = (NoServer, NoServer);
        Assert.Equal((int)FailureKind.Unavailable, (await world.RunAsync("status")).ExitCode);
    }

    [Fact]
    public async Task An_engine_without_the_schema_is_told_to_migrate()
    {
        await using var world = await HostWorld.CreateAsync(servers, migrated: false);
        var server = Json(await world.RunAsync("status", "--json")).GetProperty("engineServer");
        Assert.Equal(
            (false, "Run 'cdc migrate'. Where it has nothing to do, 'cdc check' names what is missing."),
            (server.GetProperty("readable").GetBoolean(), server.GetProperty("remedy").GetString())
        );
        Assert.Equal((int)FailureKind.Migration, (await world.RunAsync("quarantine", "list")).ExitCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task Watch_off_a_terminal_writes_a_line_each_look_until_it_is_stopped()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(HostWorld.Ct);
        var run = await world.RunAsync(null, new StopAfterLines(2, stop), stop.Token, "status", "--watch");
        Assert.Equal(0, run.ExitCode);
        var lines = run.Out.TrimEnd().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Contains("state=streaming bytes_behind=", line, StringComparison.Ordinal));
    }

    private static (int, int, int) Counts(JsonElement e) =>
        (e.GetProperty("quarantine").GetInt32(), e.GetProperty("holes").GetInt32(), e.GetProperty("waitingForParent").GetInt32());

    private static JsonElement Json(CommandRun run)
    {
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return JsonDocument.Parse(run.Out).RootElement;
    }

    private sealed class StopAfterLines(int lines, CancellationTokenSource stop) : StringWriter
    {
        private int _written;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (++_written == lines)
                stop.Cancel();
        }
    }
}
