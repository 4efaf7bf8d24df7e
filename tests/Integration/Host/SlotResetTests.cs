using Cdc.Apply;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Tables;
using Cdc.Testing.Waiting;
using Cdc.Tests.Support.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class SlotResetTests(TestServers servers)
{
    private const string Tables =
        "SELECT string_agg(concat_ws('/', entity, state, reason, whole_generation, whole_lsn, barrier_xid), ' ' ORDER BY entity) FROM cdc.tables";
    private const string Chunks =
        "SELECT string_agg(concat_ws('/', entity, generation, kind, state, from_key), ' ' ORDER BY entity, generation, kind) FROM cdc.chunks";

    [Fact]
    public async Task A_reset_begins_a_generation_in_which_everything_is_read_again()
    {
        await using var world = await BrokenAsync();
        Assert.Equal(0, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);

        Assert.Equal(
            "4 streaming",
            await world.EngineAsync<string>("SELECT concat_ws(' ', generation, state, gap_kind, gap_detail) FROM cdc.source")
        );
        Assert.Equal("card/loading/4/0/0/0 move/loading/4/0/0/0", await world.EngineAsync<string>(Tables));
        Assert.Equal("card/4/load/pending move/4/load/pending", await world.EngineAsync<string>(Chunks));
        Assert.Equal("open", await world.EngineAsync<string>("SELECT state FROM cdc.requests"));
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
    }

    /// <summary>A gap that is recorded does not hide what repairs its cause; and a reset before that would begin the same gap again.</summary>
    [Fact]
    public async Task A_publication_that_leaves_something_out_is_repaired_before_a_reset()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.SourceAsync("ALTER PUBLICATION cdc_loyalty SET (publish = 'insert, update')");
        await world.EngineAsync("UPDATE cdc.source SET state = 'gap', gap_kind = 'publication-partial', gap_detail = 'seen'");
        const string Repair = "ALTER PUBLICATION cdc_loyalty SET (publish = 'insert, update, delete, truncate');";
        Assert.Contains(Repair, (await world.RunAsync("slot", "show")).Out, StringComparison.Ordinal);
        const string Generation = "SELECT generation::text FROM cdc.source";
        var generation = await world.EngineAsync<string>(Generation);
        var refused = await world.RunAsync("slot", "reset", "--yes");
        Assert.Equal((int)FailureKind.Refused, refused.ExitCode);
        Assert.Contains(Repair, refused.Error, StringComparison.Ordinal);
        Assert.Equal(generation, await world.EngineAsync<string>(Generation));
        await world.SourceAsync(Repair);
        Assert.Equal(0, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
    }

    [Fact]
    public async Task Nobody_goes_on_with_the_old_checkpoint()
    {
        await using var world = await BrokenAsync();
        await world.RunAsync("slot", "reset", "--yes");
        Assert.True(
            await world.EngineAsync<bool>(
                """
                SELECT generation = 4 AND last_lsn = '0/0' AND last_xid = 0 AND owner_token <> '00000000-0000-0000-0000-000000000001'
                       AND through_lsn = (SELECT written_lsn FROM cdc.source) FROM cdc.checkpoints
                """
            )
        );
    }

    [Theory(Timeout = 180_000)]
    [InlineData("after-generation-begun", "reset")]
    [InlineData("after-publication", "reset")]
    [InlineData("after-slot-dropped", "create")]
    [InlineData("after-slot", "reset")]
    public async Task A_reset_that_is_killed_is_completed_by_the_next_command_in_the_generation_that_it_began(string point, string next)
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        Assert.Equal(0, (await world.RunAsync("slot", "create", "--yes")).ExitCode);
        Assert.Equal(137, (await world.RunProcessAsync(point, "slot", "reset", "--yes")).ExitCode);
        Assert.Equal("2 creating", await world.EngineAsync<string>("SELECT concat_ws(' ', generation, state) FROM cdc.source"));
        Assert.Equal("creating", await SlotTests.VerdictAsync(world));

        Assert.Equal(0, (await world.RunAsync("slot", next, "--yes")).ExitCode);
        Assert.Equal("2 streaming", await world.EngineAsync<string>("SELECT concat_ws(' ', generation, state) FROM cdc.source"));
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_reset_that_is_killed_is_completed_by_the_next_run()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        await world.RunAsync("slot", "create", "--yes");
        Assert.Equal(137, (await world.RunProcessAsync("after-slot-dropped", "slot", "reset", "--yes")).ExitCode);
        await world.RunUntilAsync("SELECT count(*) = 4 AND bool_and(state = 'streaming' AND whole_generation = 2) FROM cdc.tables");
    }

    [Fact]
    public async Task A_session_that_starts_while_a_generation_is_made_is_fenced()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync("UPDATE cdc.source SET state = 'creating'");
        var before = await SlotTests.StateAsync(world);
        await Assert.ThrowsAsync<FencedException>(() =>
            EngineSession.OpenAsync(
                new EngineOptions { ConnectionString = world.EngineConnection },
                new EngineTableWatch(world.Entities, NullLogger.Instance),
                new PipelineStatistics(),
                NullLogger.Instance,
                HostWorld.Ct
            )
        );
        Assert.Equal(before, await SlotTests.StateAsync(world));
    }

    [Fact]
    public async Task A_gap_that_was_seen_in_an_older_generation_is_not_declared_of_the_new_one()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        var followed = new SourceTable(new EngineOptions { ConnectionString = world.EngineConnection });
        Assert.False(await followed.DeclareGapAsync(2, GapKinds.SlotMissing, "seen while a reset made the slot anew", HostWorld.Ct));
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
        Assert.True(await followed.DeclareGapAsync(3, GapKinds.SlotMissing, "d", HostWorld.Ct));
        Assert.Equal("gap", await SlotTests.VerdictAsync(world));
    }

    [Theory]
    [InlineData("cdc apply")]
    [InlineData("cdc apply 3f0c9f5e-6f4b-4b5e-9d8e-0d1f6f6f0c11")]
    [InlineData("cdc capture")]
    public async Task Another_slots_name_in_the_settings_is_no_gap_of_a_pipeline_that_is_at_work(string application)
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        var followed = new SourceTable(new EngineOptions { ConnectionString = world.EngineConnection });
        var settings = new NpgsqlConnectionStringBuilder(world.EngineConnection) { ApplicationName = application, Pooling = false };
        await using (var working = new NpgsqlConnection(settings.ConnectionString))
        {
            await working.OpenAsync(HostWorld.Ct);
            Assert.True(await followed.DeclareGapAsync(3, GapKinds.SlotRenamed, "d", HostWorld.Ct));
            Assert.Equal("streaming", await world.EngineAsync<string>("SELECT state FROM cdc.source"));
        }
        await Eventually.True(
            "the pipeline's connection is gone",
            () =>
                world.EngineAsync<bool>(
                    $"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '{application}' AND datname = current_database())"
                ),
            ct: HostWorld.Ct
        );
        Assert.True(await followed.DeclareGapAsync(3, GapKinds.SlotRenamed, "d", HostWorld.Ct));
        Assert.Equal("gap", await world.EngineAsync<string>("SELECT state FROM cdc.source"));
    }

    [Fact]
    public async Task Of_two_resets_at_once_both_end_and_one_slot_and_one_load_are_left()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => world.RunAsync("slot", "reset", "--yes")));
        Assert.All(runs, run => Assert.True(run.ExitCode is 0, run.Error));
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
        var generation = await world.EngineAsync<int>("SELECT generation FROM cdc.source WHERE state = 'streaming'");
        Assert.Equal($"card/{generation}/load/pending move/{generation}/load/pending", await world.EngineAsync<string>(Chunks));
    }

    [Fact]
    public async Task A_slot_created_again_after_the_reset_is_a_gap_again()
    {
        await using var world = await BrokenAsync();
        await world.RunAsync("slot", "reset", "--yes");
        await world.SourceAsync($"SELECT pg_drop_replication_slot('{world.Slot}')");
        await world.SourceAsync("CREATE TABLE written_meanwhile ()");
        await world.CreateSlotAsync();
        Assert.Equal("gap", await SlotTests.VerdictAsync(world));
    }

    [Fact]
    public async Task An_engine_that_follows_nothing_is_not_reset()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);
        Assert.Equal(0, await world.SourceAsync<long>($"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{world.Slot}'"));
    }

    /// <summary>The slot is gone in the middle of a load; one table is stopped.</summary>
    private async Task<HostWorld> BrokenAsync()
    {
        var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.SourceAsync($"SELECT pg_drop_replication_slot('{world.Slot}')");
        await world.EngineAsync(
            """
            UPDATE cdc.source SET state = 'gap', gap_kind = 'slot-missing', gap_detail = 'd';
            UPDATE cdc.tables SET state = 'stopped', reason = 'column code vanished', relation_oid = 5, barrier_xid = 999, whole_generation = 3, whole_lsn = '0/77' WHERE entity = 'card';
            INSERT INTO cdc.requests (kind, entity, state) VALUES ('snapshot', 'card', 'accepted');
            INSERT INTO cdc.chunks (entity, generation, kind, state, request) VALUES
              ('card', 2, 'load', 'done', NULL), ('card', 3, 'load', 'pending', NULL), ('card', 3, 'snapshot', 'pending', 1)
            """
        );
        return world;
    }
}
