using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>An UPDATE does not say a long text that it leaves alone. The engine has it all the same, or reads it again: never a wrong one.</summary>
public sealed class RowsWithLongTextTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_megabyte_of_text_arrives_and_stays_when_an_update_leaves_it_unsaid()
    {
        await using var bed = await StartedAsync(10);
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_move SET remaining_point = 1", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await bed.Source.ExecuteAsync($"UPDATE loyalty_point_move SET origin = {LongText.Sql('b')} WHERE id < 5", Ct);
        // In one batch: said, left unsaid, said again, left unsaid.
        await bed.Source.ExecuteAsync(
            $"""
            BEGIN; UPDATE loyalty_point_move SET remaining_point = 2; UPDATE loyalty_point_move SET origin = {LongText.Sql(
                'c'
            )} WHERE id = 7;
            UPDATE loyalty_point_move SET remaining_point = 3; COMMIT;
            INSERT INTO loyalty_point_move (id, loyalty_card_id, state, origin) VALUES (20, 1, 'active', {LongText.Sql('d')});
            UPDATE loyalty_point_move SET state = 'expired' WHERE id = 20; UPDATE loyalty_point_move SET origin = NULL WHERE id = 8;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.rereads", Ct));
    }

    [Fact]
    public async Task A_key_update_that_leaves_the_text_unsaid_reads_the_row_again()
    {
        await using var bed = await StartedAsync(4);
        await bed.Source.ExecuteAsync(
            $"""
            UPDATE loyalty_point_move SET id = 101 WHERE id = 1;
            BEGIN; UPDATE loyalty_point_move SET id = 102 WHERE id = 2; UPDATE loyalty_point_move SET remaining_point = 9 WHERE id = 102; COMMIT;
            BEGIN; DELETE FROM loyalty_point_move WHERE id = 4; UPDATE loyalty_point_move SET id = 4 WHERE id = 3; COMMIT;
            BEGIN; INSERT INTO loyalty_point_move (id, loyalty_card_id, state, origin) VALUES (5, 1, 'active', {LongText.Sql('n')});
            UPDATE loyalty_point_move SET id = 105 WHERE id = 5; COMMIT;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(["4", "101", "102", "105"], await bed.Engine.RowsAsync("SELECT id FROM point_moves ORDER BY id", Ct));
    }

    [Fact]
    public async Task A_key_update_onto_a_key_that_the_engine_has_takes_nothing_from_the_row_that_is_there()
    {
        await using var bed = await StartedAsync(2);
        // The row of another key, whole and of this generation, as nothing but a hand leaves it.
        await bed.Engine.ExecuteAsync("UPDATE point_moves SET id = 77, odoo_move_id = 77, origin = 'of another row' WHERE id = 2", Ct);
        await bed.Source.ExecuteAsync(
            "DELETE FROM loyalty_point_move WHERE id = 2; UPDATE loyalty_point_move SET id = 77 WHERE id = 1",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(["77"], await bed.Engine.RowsAsync("SELECT id FROM point_moves", Ct));
    }

    [Fact]
    public async Task Left_unsaid_before_the_row_was_loaded_it_is_a_hole_that_the_load_closes()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await InsertAsync(bed, 5);
        var streamOnly = StartWithoutChunks(bed);
        await streamOnly.Streaming.WaitAsync(Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_move SET remaining_point = 7; DELETE FROM loyalty_point_move WHERE id = 5", Ct);
        await HolesAsync(bed, ["1", "2", "3", "4"]);
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM point_moves", Ct));
        Assert.Equal(4, (await bed.StatusAsync("move", Ct)).GetProperty("holes").GetInt64());
        await streamOnly.StopAsync();
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await HolesAsync(bed, []);
    }

    [Fact]
    public async Task Left_unsaid_after_a_lost_slot_it_is_not_taken_from_the_older_row()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await InsertAsync(bed, 6);
        var first = bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await first.StopAsync();
        await bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{bed.SourceOptions.SlotName}')", Ct);
        await bed.Source.ExecuteAsync(
            $"UPDATE loyalty_point_move SET origin = {LongText.Sql('z')}; DELETE FROM loyalty_point_move WHERE id = 6",
            Ct
        );

        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = true };
        var streamOnly = StartWithoutChunks(bed);
        await streamOnly.Streaming.WaitAsync(Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_move SET remaining_point = 7 WHERE id <= 3", Ct);
        await HolesAsync(bed, ["1", "2", "3"]);
        Assert.Equal(3, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM point_moves WHERE remaining_point = 7", Ct));
        // A second one must not find the row whole because the first has raised its position.
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_move SET remaining_point = 8 WHERE id = 2", Ct);
        await Eventually.True(
            "the second update is applied",
            async () => await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM point_moves WHERE remaining_point = 8", Ct) == 1,
            ct: Ct
        );
        await HolesAsync(bed, ["1", "2", "3"]);
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_point_move WHERE id = 3", Ct);
        await HolesAsync(bed, ["1", "2"]);
        await streamOnly.StopAsync();
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(["1", "2", "4", "5"], await bed.Engine.RowsAsync("SELECT id FROM point_moves ORDER BY id", Ct));
    }

    [Fact]
    public async Task Left_unsaid_by_a_row_that_quarantine_holds_it_is_read_again()
    {
        await using var bed = await StartedAsync(3);
        await bed.Source.ExecuteAsync($"UPDATE loyalty_point_move SET origin = {LongText.Sql('q')}, remaining_point = 'NaN'", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["move|1|remaining-point-not-finite", "move|2|remaining-point-not-finite", "move|3|remaining-point-not-finite"],
            await bed.EntriesAsync(Ct)
        );
        // Still broken, repaired, and deleted, none of them saying the text.
        await bed.Source.ExecuteAsync(
            """
            UPDATE loyalty_point_move SET initial_point = 5 WHERE id = 1;
            UPDATE loyalty_point_move SET remaining_point = 5 WHERE id = 2;
            DELETE FROM loyalty_point_move WHERE id = 3;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["move|1|remaining-point-not-finite"], await bed.EntriesAsync(Ct));
        await bed.AssertEqualAsync(Ct);
    }

    [Theory]
    [InlineData("DEFAULT")]
    [InlineData("FULL")]
    public async Task With_any_replica_identity_updates_key_updates_and_deletes_arrive(string identity)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync($"ALTER TABLE loyalty_point_move REPLICA IDENTITY {identity}", Ct);
        await InsertAsync(bed, 6);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync(
            $"""
            UPDATE loyalty_point_move SET remaining_point = 1; UPDATE loyalty_point_move SET origin = {LongText.Sql('f')} WHERE id = 2;
            UPDATE loyalty_point_move SET id = id + 100 WHERE id IN (3, 4); DELETE FROM loyalty_point_move WHERE id = 5;
            BEGIN; UPDATE loyalty_point_move SET id = 5 WHERE id = 6; UPDATE loyalty_point_move SET remaining_point = 3 WHERE id = 5; COMMIT;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(["1", "2", "5", "103", "104"], await bed.Engine.RowsAsync("SELECT id FROM point_moves ORDER BY id", Ct));
    }

    private async Task<PipelineBed> StartedAsync(int moves)
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await InsertAsync(bed, moves);
        await bed.CaughtUpAsync(Ct);
        return bed;
    }

    /// <summary>Streams, but reads no chunk.</summary>
    private static InProcessPipeline StartWithoutChunks(PipelineBed bed)
    {
        var options = bed.SnapshotOptions;
        bed.SnapshotOptions = options with { Workers = 0 };
        var pipeline = bed.StartInProcess();
        bed.SnapshotOptions = options;
        return pipeline;
    }

    private static Task InsertAsync(PipelineBed bed, int moves) =>
        bed.Source.ExecuteAsync(
            $"""
            INSERT INTO loyalty_program (id, name) VALUES (1, 'p');
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'c', 1);
            INSERT INTO loyalty_point_move (id, loyalty_card_id, initial_point, state, origin) SELECT i, 1, i, 'active', {LongText.Sql(
                'a'
            )} FROM generate_series(1, {moves}) i;
            """,
            Ct
        );

    private static Task HolesAsync(PipelineBed bed, string[] keys) =>
        Eventually.True(
            $"moves {string.Join(", ", keys)} have holes",
            async () =>
                (await bed.Engine.RowsAsync("SELECT key FROM cdc.rereads WHERE entity = 'move' ORDER BY key", Ct)).SequenceEqual(keys),
            async () => string.Join(", ", await bed.Engine.RowsAsync("SELECT entity, key FROM cdc.rereads ORDER BY key", Ct)),
            ct: Ct
        );
}
