using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>Rows that were changed in the engine by hand are put right by a reading, and rows that were born there are left alone.</summary>
public sealed class RowsByHandTests(TestServers servers)
{
    private const string ByHand = """
        SET session_replication_role = replica;
        DELETE FROM loyalty_cards WHERE id IN (10, 110);
        UPDATE loyalty_cards SET points = 7777, code = 'HAND' WHERE id IN (20, 120);
        INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (-4, -4, 1, 'HAND', 1), (60000, 60000, 1, 'HAND', 1);
        INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) SELECT i, i, 1, 'HAND', 1 FROM generate_series(95, 95) i ON CONFLICT DO NOTHING;
        RESET session_replication_role;
        """;

    private const string BornInTheEngine = """
        INSERT INTO loyalty_cards (program_id, code, points) VALUES (1, 'BORN', 5), (1, 'BORN', 6);
        INSERT INTO point_moves (loyalty_card_id, state) SELECT id, 'active' FROM loyalty_cards WHERE code = 'BORN';
        INSERT INTO point_history (loyalty_card_id, points_balance) SELECT id, 5 FROM loyalty_cards WHERE code = 'BORN';
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_range_read_again_while_another_process_runs_is_put_right_and_nothing_else_is_touched()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(
            "DELETE FROM loyalty_point_history WHERE loyalty_card_id = 95; DELETE FROM loyalty_card WHERE id = 95",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.Engine.ExecuteAsync(ByHand, Ct);
        Assert.Contains("done", await bed.CommandAsync(Ct, "snapshot", "card", "--keys", "1..100", "--wait"), StringComparison.Ordinal);
        Assert.Equal(
            ["-4|1.00", "10|10.00", "20|20.00", "120|7777.00", "60000|1.00"],
            await bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards WHERE id IN (-4, 10, 20, 95, 110, 120, 60000) ORDER BY id", Ct)
        );
        await bed.CommandAsync(Ct, "snapshot", "loyalty_card", "--keys", "100..", "--wait");
        Assert.Equal(
            ["-4|1.00", "110|110.00", "120|120.00"],
            await bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards WHERE id IN (-4, 110, 120, 60000) ORDER BY id", Ct)
        );
        await bed.CommandAsync(Ct, "snapshot", "card", "--keys", "..0", "--wait");
        await bed.AssertEqualAsync(Ct);
        // A row that was put right counts as one update; the others as none.
        Assert.Equal(
            ["20|1", "120|1"],
            await bed.Engine.RowsAsync("SELECT id, sync_version FROM loyalty_cards WHERE sync_version <> 0 ORDER BY id", Ct)
        );
    }

    [Fact]
    public async Task A_row_that_shows_a_newer_state_is_taken_back_by_no_older_change()
    {
        await using var bed = await StartedAsync();
        const string Newer = "SELECT id, points FROM loyalty_cards WHERE id <= 6 ORDER BY id";
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 7777, source_lsn = 'FFFF/0' WHERE id <= 6", Ct);
        var shown = await bed.Engine.RowsAsync(Newer, Ct);
        await bed.Source.ExecuteAsync(
            """
            UPDATE loyalty_card SET points = 1 WHERE id IN (1, 7);
            BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM loyalty_card WHERE id = 2; UPDATE loyalty_card SET id = 60001 WHERE id = 3; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (3, 1, 'again', 2); COMMIT;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(shown, await bed.Engine.RowsAsync(Newer, Ct));
        Assert.Equal("1.00", Assert.Single(await bed.Engine.RowsAsync("SELECT points FROM loyalty_cards WHERE id = 7", Ct)));
        // Read in a chunk, or found missing in one, they are not older than that either.
        await bed.CommandAsync(Ct, "snapshot", "card", "--wait");
        Assert.Equal(shown, await bed.Engine.RowsAsync(Newer, Ct));
    }

    [Fact]
    public async Task A_row_put_in_by_hand_gives_way_to_Odoos()
    {
        await using var bed = await StartedAsync();
        await bed.Engine.ExecuteAsync(ByHand, Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'odoo' || i, 3 FROM generate_series(59900, 60100) i",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Empty(await bed.EntriesAsync(Ct));
        Assert.Equal(
            201,
            await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards WHERE code LIKE 'ODOO%' AND points = 3", Ct)
        );
    }

    [Fact]
    public async Task An_update_of_a_row_that_was_deleted_by_hand_brings_it_back()
    {
        await using var bed = await StartedAsync();
        await bed.Engine.ExecuteAsync(ByHand, Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["10|11.00", "110|111.00"],
            await bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards WHERE id IN (10, 110) ORDER BY id", Ct)
        );
    }

    [Fact]
    public async Task Rows_born_in_the_engine_survive_sweep_truncate_load_and_a_new_generation()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Engine.ExecuteAsync(BornInTheEngine, Ct);
        await bed.FillAsync(Ct);
        var process = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        foreach (var entity in new[] { "card", "move", "history" })
            await bed.CommandAsync(Ct, "snapshot", entity, "--wait");
        await AssertBornAsync(bed);

        await bed.Source.ExecuteAsync("TRUNCATE loyalty_card CASCADE", Ct);
        await bed.CaughtUpAsync(Ct);
        await AssertBornAsync(bed);
        await bed.AssertEqualAsync(Ct);

        await process.StopAsync(Signal.Terminate, Ct);
        await bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{bed.SourceOptions.SlotName}')", Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'n' || i, i FROM generate_series(1, 30) i",
            Ct
        );
        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = true };
        await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await AssertBornAsync(bed);
        await bed.AssertEqualAsync(Ct);
    }

    private static async Task AssertBornAsync(PipelineBed bed) =>
        Assert.Equal(
            "2|11.00|2|2",
            Assert.Single(
                await bed.Engine.RowsAsync(
                    """
                    SELECT count(*), sum(points), (SELECT count(*) FROM point_moves WHERE id >= 4294967296), (SELECT count(*) FROM point_history WHERE id >= 4294967296)
                    FROM loyalty_cards WHERE id >= 4294967296 AND odoo_card_id IS NULL AND source_generation = 0
                    """,
                    Ct
                )
            )
        );

    private async Task<PipelineBed> StartedAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct, cards: 200);
        await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        return bed;
    }
}
