using Cdc.Core.Changes;
using Cdc.Tests.Integration.Crash;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>Restarts, idle times and crashes of the source that are no gap, and must not lose, repeat or hold up anything.</summary>
public sealed class ContinuityTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_slot_that_steps_back_in_a_crash_of_the_source_loses_nothing_and_repeats_nothing()
    {
        await using var odoo = await PgCluster.StartAsync(new PgClusterOptions { Name = "stepback", SharedBuffers = "32MB" }, Ct);
        await using var bed = await PipelineBed.CreateAsync(
            odoo.ConnectionString("postgres"),
            await servers.Engine.ConnectionStringAsync(),
            Ct
        );
        await bed.Source.ExecuteAsync(UpdateCount.Setup, Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (program_id, code, points) SELECT 1, 'card ' || i, i FROM generate_series(1, 20) i",
            Ct
        );
        var steppedBack = false;
        // The server writes the slot down when it likes: mostly not between the last confirmation and the crash.
        for (var attempt = 0; attempt < 5 && !steppedBack; attempt++)
            steppedBack = await CrashAsync(odoo, bed);
        Assert.True(steppedBack, "the slot never stepped back: the test does not test it");

        await bed.StartProcessAsync(ct: Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed, Ct);
    }

    [Fact]
    public async Task A_session_that_ends_after_a_chunk_and_before_its_feedback_is_resumed()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.EngineOptions = bed.EngineOptions with { FeedbackInterval = TimeSpan.FromMinutes(5) };
        await bed.Source.ExecuteAsync(UpdateCount.Setup, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_card (program_id, code, points) VALUES (1, 'one', 1)", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        await Eventually.True(
            "the chunk is read",
            () => bed.Engine.ScalarAsync<bool>("SELECT bool_and(state = 'done') FROM cdc.requests", Ct),
            ct: Ct
        );
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 2", Ct);

        var pipeline = await bed.RestartInProcessAsync();
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 3", Ct);
        await Task.WhenAny(pipeline.Completion, bed.CaughtUpAsync(Ct));
        Assert.False(pipeline.Completion.IsFaulted, pipeline.Completion.Exception?.Message);
        await bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed, Ct);
    }

    [Fact]
    public async Task A_standby_takes_nothing_that_the_active_one_does_for_a_gap()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.EngineOptions = bed.EngineOptions with { FeedbackInterval = TimeSpan.FromMilliseconds(10) };
        await bed.Source.ExecuteAsync(UpdateCount.Setup + "INSERT INTO loyalty_card (program_id, code, points) VALUES (1, 'one', 1)", Ct);
        var active = bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        InProcessPipeline[] standbys = [bed.StartInProcess(), bed.StartInProcess()];
        await Eventually.True("both wait", () => bed.Log.Lines.Count(l => l.Contains("Standby", StringComparison.Ordinal)) == 2, ct: Ct);
        for (var i = 0; i < 500; i++)
            await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        await active.StopAsync();
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);

        await bed.CaughtUpAsync(Ct);
        Assert.All(standbys, standby => Assert.False(standby.Completion.IsCompleted, standby.Completion.Exception?.Message));
        await bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed, Ct);
    }

    [Fact]
    public async Task An_idle_database_pins_no_log_while_others_on_its_server_write()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var other = await servers.Source.CreateDatabaseAsync("other", ct: Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await other.ExecuteAsync("CREATE TABLE noise AS SELECT i FROM generate_series(1, 10000) i", Ct);
        await ConfirmedAsync(bed, await PositionAsync(bed));
    }

    [Fact]
    public async Task Through_reaches_a_position_taken_after_the_last_commit_though_nothing_follows()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_program (name) VALUES ('mine')", Ct);
        await bed.StreamCaughtUpAsync(Ct);
        Assert.Equal(["mine"], await bed.Engine.RowsAsync("SELECT name FROM promotion_programs", Ct));
    }

    [Fact]
    public async Task A_prepared_transaction_arrives_when_it_is_committed_whatever_is_read_meanwhile()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_program (name) VALUES ('one'); INSERT INTO loyalty_card (program_id, code, points) VALUES (1, 'one', 1)",
            Ct
        );
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync($"BEGIN; UPDATE loyalty_card SET points = 2; PREPARE TRANSACTION '{bed.Source.Name}'", Ct);
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        await Eventually.True(
            "the chunk is read",
            () => bed.Engine.ScalarAsync<bool>("SELECT bool_and(state = 'done') FROM cdc.requests", Ct),
            ct: Ct
        );
        Assert.Equal(["1.00"], await bed.Engine.RowsAsync("SELECT points FROM loyalty_cards", Ct));

        // It may have been streamed before a session started that it is not visible to: chunks wait for it.
        await bed.RestartInProcessAsync();
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        await Eventually.True(
            "the chunk waits",
            () => bed.Log.Lines.Any(l => l.Contains("A chunk of card waits", StringComparison.Ordinal)),
            ct: Ct
        );
        await bed.Source.ExecuteAsync($"COMMIT PREPARED '{bed.Source.Name}'", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["2.00"], await bed.Engine.RowsAsync("SELECT points FROM loyalty_cards", Ct));
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_cascade_that_arrives_parent_first_leaves_no_child()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        // Every change is a flush of its own.
        bed.EngineOptions = bed.EngineOptions with
        {
            BatchRows = 1,
        };
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (program_id, code, points) SELECT 1, 'card ' || i, i FROM generate_series(1, 2) i;
            INSERT INTO loyalty_point_move (loyalty_card_id, state) SELECT 1 + i % 2, 'active' FROM generate_series(1, 10) i;
            INSERT INTO loyalty_point_history (loyalty_card_id, point_move_id) SELECT loyalty_card_id, id FROM loyalty_point_move;
            """,
            Ct
        );
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_card WHERE id = 1", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["1|5|5"],
            await bed.Engine.RowsAsync(
                "SELECT (SELECT count(*) FROM loyalty_cards), (SELECT count(*) FROM point_moves), (SELECT count(*) FROM point_history)",
                Ct
            )
        );
        await bed.AssertEqualAsync(Ct);
    }

    /// <summary>kill -9 of both, right after something was confirmed; true if the slot knows less than that afterwards.</summary>
    private static async Task<bool> CrashAsync(PgCluster odoo, PipelineBed bed)
    {
        var process = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        // Its record of running transactions is what lets the server write the slot down; the next one comes later.
        await bed.Source.ExecuteAsync("CHECKPOINT", Ct);
        await ConfirmedAsync(bed, await PositionAsync(bed));
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        var confirmed = await ConfirmedAsync(bed, await PositionAsync(bed));
        await process.StopAsync(Signal.Kill, Ct);
        await odoo.KillAsync(Ct);
        await odoo.StartAgainAsync(Ct);
        await Eventually.True(
            "connections from before the crash are forgotten",
            async () => await TryAsync(() => bed.Source.ScalarAsync<int>("SELECT 1", Ct)),
            ct: Ct
        );
        return Lsn.Parse((await SlotAsync(bed))!) < confirmed;
    }

    private static async Task<Lsn> PositionAsync(PipelineBed bed) =>
        Lsn.Parse(await EngineProgress.SourcePositionAsync(bed.Source.DataSource, Ct));

    private static Task<string?> SlotAsync(PipelineBed bed) =>
        bed.Source.ScalarAsync<string>(
            "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE database = current_database()",
            Ct
        );

    /// <summary>Waits until the slot is confirmed up to there.</summary>
    private static async Task<Lsn> ConfirmedAsync(PipelineBed bed, Lsn target)
    {
        await Eventually.True(
            $"the slot is confirmed up to {target}",
            async () => Lsn.Parse((await SlotAsync(bed))!) >= target,
            async () => (await SlotAsync(bed))!,
            ct: Ct
        );
        return Lsn.Parse((await SlotAsync(bed))!);
    }

    private static async Task<bool> TryAsync(Func<Task> act)
    {
        try
        {
            await act();
            return true;
        }
        catch (Npgsql.NpgsqlException)
        {
            return false;
        }
    }
}
