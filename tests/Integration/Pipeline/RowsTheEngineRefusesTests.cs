using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>
/// The engine refuses a row for a reason that the declaration does not know (a CHECK constraint added by hand): that row alone is held,
/// under the SQLSTATE, however it came.
/// </summary>
public sealed class RowsTheEngineRefusesTests(TestServers servers)
{
    private const string Refuse13 = "ALTER TABLE loyalty_cards ADD CONSTRAINT not_thirteen CHECK (points <> 13)";
    private const string Allow13 = "ALTER TABLE loyalty_cards DROP CONSTRAINT not_thirteen";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(20_000)]
    [InlineData(700)]
    public async Task In_one_large_transaction_only_the_refused_rows_are_held(int batchRows)
    {
        await using var bed = await StartedAsync(batchRows);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'old' || i, 1 FROM generate_series(1, 1000) i",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        // Rows of either kind, straight in and through staging, and rows around them in other tables.
        await bed.Source.ExecuteAsync(
            """
            BEGIN;
            UPDATE loyalty_card SET points = CASE id WHEN 400 THEN 13 ELSE 2 END;
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'new' || i, CASE WHEN i IN (1001, 2500, 6000) THEN 13 ELSE 1 END FROM generate_series(1001, 6000) i;
            INSERT INTO loyalty_point_history (loyalty_card_id, points_amount, points_balance) SELECT i, 1, 1 FROM generate_series(1, 6000) i;
            COMMIT;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["card|400|23514", "card|1001|23514", "card|2500|23514", "card|6000|23514"], await bed.EntriesAsync(Ct));
        Assert.Equal(
            "5997|999|1|6000",
            Assert.Single(
                await bed.Engine.RowsAsync(
                    """
                    SELECT count(*), count(*) FILTER (WHERE points = 2), (SELECT points::int FROM loyalty_cards WHERE id = 400), (SELECT count(*) FROM point_history)
                    FROM loyalty_cards
                    """,
                    Ct
                )
            )
        );
        Assert.Contains("not_thirteen", await bed.CommandAsync(Ct, "quarantine", "show", "card", "2500"), StringComparison.Ordinal);
        await RetriedAsync(bed);
    }

    [Fact]
    public async Task In_a_load_only_the_refused_rows_are_held()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Engine.ExecuteAsync(Refuse13, Ct);
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (id, name) VALUES (1, 'p');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'c' || i, CASE WHEN i % 1000 = 0 THEN 13 ELSE 1 END FROM generate_series(1, 3000) i;
            """,
            Ct
        );
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 1700 };
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["card|1000|23514", "card|2000|23514", "card|3000|23514"], await bed.EntriesAsync(Ct));
        Assert.Equal(2997, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards", Ct));
        await RetriedAsync(bed);
    }

    [Fact]
    public async Task A_retry_reads_the_row_from_Odoo_and_never_what_was_kept_of_it()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'a', 13), (2, 1, 'b', 13), (3, 1, 'c', 13)",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.Engine.ExecuteAsync(
            """UPDATE cdc.quarantine SET source_row = '{"id": 1, "program_id": 1, "code": "forged", "points": 1}'""",
            Ct
        );
        await bed.CommandAsync(Ct, "quarantine", "retry", "card", "2");
        await Eventually.True("card 2 was tried again", async () => await AttemptsAsync(bed, 2) == 2, ct: Ct);
        Assert.Equal(1, await AttemptsAsync(bed, 1));
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards", Ct));
        await RetriedAsync(bed);
        Assert.Equal(
            ["1|A|13.00", "2|B|13.00", "3|C|13.00"],
            await bed.Engine.RowsAsync("SELECT id, code, points FROM loyalty_cards ORDER BY id", Ct)
        );
    }

    [Fact]
    public async Task A_retry_of_a_row_that_is_gone_closes_the_entry()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'a', 13)", Ct);
        await bed.CaughtUpAsync(Ct);
        // An entry whose row Odoo does not have, as one that came from another time: only a look at Odoo can tell.
        await bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.quarantine SELECT entity, 99, generation, lsn, ordinal, reason, detail, source_row, commit_at FROM cdc.quarantine",
            Ct
        );
        await RetriedAsync(bed);
        Assert.Equal(["1"], await bed.Engine.RowsAsync("SELECT id FROM loyalty_cards", Ct));
    }

    [Fact]
    public async Task A_discarded_row_is_forgotten_until_it_changes_again()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'a', 1), (2, 1, 'b', 13)", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 13 WHERE id = 1", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["card|1|23514", "card|2|23514"], await bed.EntriesAsync(Ct));
        await bed.CommandAsync(Ct, "quarantine", "discard", "card", "--yes");
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (3, 1, 'c', 1)", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Empty(await bed.EntriesAsync(Ct));
        Assert.Equal(["1|1.00", "3|1.00"], await bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards ORDER BY id", Ct));

        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 14", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    /// <summary>The discarded change may be the one that set the column which a later UPDATE leaves unsaid.</summary>
    [Fact]
    public async Task After_a_discard_an_unsaid_column_is_read_again_and_not_taken_from_the_older_version()
    {
        await using var bed = await StartedAsync();
        await bed.Engine.ExecuteAsync("ALTER TABLE point_moves ADD CONSTRAINT not_thirteen CHECK (initial_point <> 13)", Ct);
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'a', 1)", Ct);
        await bed.Source.ExecuteAsync(
            $"INSERT INTO loyalty_point_move (id, loyalty_card_id, initial_point, state, origin) VALUES (1, 1, 1, 'active', {LongText.Sql('a')})",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync($"UPDATE loyalty_point_move SET initial_point = 13, origin = {LongText.Sql('b')}", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["move|1|23514"], await bed.EntriesAsync(Ct));
        await bed.CommandAsync(Ct, "quarantine", "discard", "move", "1", "--yes");
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_move SET initial_point = 2", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_refused_update_that_leaves_a_column_unsaid_is_held_and_a_retry_makes_it_whole()
    {
        await using var bed = await StartedAsync();
        await bed.Engine.ExecuteAsync("ALTER TABLE point_moves ADD CONSTRAINT not_thirteen CHECK (initial_point <> 13)", Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, i, 1 FROM generate_series(1, 50) i",
            Ct
        );
        await bed.Source.ExecuteAsync(
            $"INSERT INTO loyalty_point_move (id, loyalty_card_id, initial_point, state, origin) SELECT i, i, 1, 'active', {LongText.Sql('a')} FROM generate_series(1, 50) i",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_move SET initial_point = CASE id WHEN 33 THEN 13 ELSE 2 END", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["move|33|23514"], await bed.EntriesAsync(Ct));
        Assert.Equal(49, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM point_moves WHERE initial_point = 2", Ct));
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_move SET remaining_point = 5 WHERE id = 33", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["move|33|23514"], await bed.EntriesAsync(Ct));
        await bed.Engine.ExecuteAsync("ALTER TABLE point_moves DROP CONSTRAINT not_thirteen", Ct);
        await bed.CommandAsync(Ct, "quarantine", "retry", "--all");
        await bed.NoneQuarantinedAsync(Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    private async Task<PipelineBed> StartedAsync(int batchRows = 20_000)
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.EngineOptions = bed.EngineOptions with { BatchRows = batchRows };
        await bed.Engine.ExecuteAsync(Refuse13, Ct);
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_program (id, name) VALUES (1, 'p')", Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        return bed;
    }

    private static async Task RetriedAsync(PipelineBed bed)
    {
        await bed.Engine.ExecuteAsync(Allow13, Ct);
        await bed.CommandAsync(Ct, "quarantine", "retry", "--all");
        await bed.NoneQuarantinedAsync(Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    private static Task<int> AttemptsAsync(PipelineBed bed, long key) =>
        bed.Engine.ScalarAsync<int>($"SELECT attempts FROM cdc.quarantine WHERE entity = 'card' AND key = {key}", Ct);
}
