using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>Values at their bounds and transactions of every shape arrive as they are.</summary>
public sealed class RowsExactTests(TestServers servers)
{
    private const string Bounds = """
        INSERT INTO loyalty_program (id, name) VALUES (2147483647, 'max'), (-2147483648, 'min'), (0, 'zero');
        INSERT INTO loyalty_card (id, program_id, partner_id, code, points, create_date, write_date) VALUES
            (2147483647, 2147483647, NULL, 'max', 9.995, 'infinity', '-infinity'), (-2147483648, -2147483648, -5, 'min', 0, '294276-12-31 23:59:59.999999', '4713-01-01 00:00:00 BC'),
            (-1, 2147483647, 2147483647, 'one', 0.015, NULL, '1999-12-31 23:59:59.999999');
        INSERT INTO loyalty_point_move (id, loyalty_card_id, gain_date, expiration_date, initial_point, remaining_point) VALUES
            (-7, -1, '-infinity', 'infinity', -1e-300, 123456789012.345), (2147483647, 2147483647, '2000-01-01', '294276-12-31', 0.1, '-0');
        INSERT INTO loyalty_point_history (id, loyalty_card_id, point_move_id, points_amount, points_balance, transaction_time, origin) VALUES
            (-9, -1, -7, -0.005, 0.005, 'infinity', ''), (2147483647, 2147483647, 2147483647, 1.005, 2.675, '0001-01-01', E'tab\t newline\n quote'' back\\ é 漢 🙂');
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Values_at_their_bounds_arrive_by_stream_and_by_load(bool loaded)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        if (loaded)
            await bed.Source.ExecuteAsync(Bounds, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        if (!loaded)
            await bed.Source.ExecuteAsync(Bounds, Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Empty(await bed.EntriesAsync(Ct));
        Assert.Equal(["-2147483648", "-1", "2147483647"], await bed.Engine.RowsAsync("SELECT id FROM loyalty_cards ORDER BY id", Ct));
    }

    [Fact]
    public async Task Keys_may_be_deleted_reused_moved_and_codes_swapped_in_one_transaction()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'c' || i, i FROM generate_series(1, 12) i",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync(
            """
            BEGIN; DELETE FROM loyalty_card WHERE id = 1; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'again', 100); COMMIT;
            BEGIN; DELETE FROM loyalty_card WHERE id = 2; UPDATE loyalty_card SET id = 2, points = 200 WHERE id = 3; COMMIT;
            BEGIN; UPDATE loyalty_card SET code = 'swap' WHERE id = 4; UPDATE loyalty_card SET code = 'c4' WHERE id = 5; UPDATE loyalty_card SET code = 'c5' WHERE id = 4; COMMIT;
            BEGIN; UPDATE loyalty_card SET id = 99 WHERE id = 6; UPDATE loyalty_card SET id = 6 WHERE id = 7; UPDATE loyalty_card SET id = 7 WHERE id = 99; COMMIT;
            BEGIN; UPDATE loyalty_card SET id = 98 WHERE id = 8; DELETE FROM loyalty_card WHERE id = 98; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (8, 1, 'c8', 0), (98, 1, 'c98', 0); COMMIT;
            BEGIN; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (50, 1, 'gone', 0); DELETE FROM loyalty_card WHERE id = 50; COMMIT;
            BEGIN; DELETE FROM loyalty_card WHERE id = 9; UPDATE loyalty_card SET id = 9 WHERE id = 10; DELETE FROM loyalty_card WHERE id = 9; COMMIT;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(
            ["1|AGAIN", "2|C3", "4|C5", "5|C4", "6|C7", "7|C6", "8|C8", "11|C11", "12|C12", "98|C98"],
            await bed.Engine.RowsAsync("SELECT id, code FROM loyalty_cards ORDER BY id", Ct)
        );
    }

    [Fact]
    public async Task Of_savepoints_and_subtransactions_only_what_was_kept_arrives()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(
            """
            BEGIN;
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'a', 1);
            SAVEPOINT s; UPDATE loyalty_card SET points = 2; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (2, 1, 'b', 1); ROLLBACK TO s;
            SAVEPOINT t; UPDATE loyalty_card SET points = 3; SAVEPOINT u; DELETE FROM loyalty_card; ROLLBACK TO u; RELEASE t;
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (3, 1, 'c', 1);
            COMMIT;
            BEGIN; UPDATE loyalty_card SET points = 77; ROLLBACK;
            """,
            Ct
        );
        // Every iteration is a subtransaction; odd ones fail, and more than 64 overflow PostgreSQL's cache of them.
        await bed.Source.ExecuteAsync(
            """
            DO $$ BEGIN FOR i IN 10..210 LOOP BEGIN
                INSERT INTO loyalty_card (id, program_id, code, points) VALUES (i, 1, 'x' || i, i);
                IF i % 2 = 1 THEN RAISE EXCEPTION 'odd'; END IF;
            EXCEPTION WHEN raise_exception THEN NULL; END; END LOOP; END $$
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(
            ["1|3.00", "3|1.00"],
            await bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards WHERE id < 10 ORDER BY id", Ct)
        );
        Assert.Equal(101, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards WHERE id >= 10", Ct));
    }

    [Fact]
    public async Task A_prepared_transaction_arrives_when_it_is_committed_and_not_before()
    {
        await using var source = await PgCluster.StartAsync(
            new PgClusterOptions
            {
                Name = "prepared",
                SharedBuffers = "16MB",
                Settings = new Dictionary<string, string> { ["max_prepared_transactions"] = "4" },
            },
            Ct
        );
        await using var bed = await PipelineBed.CreateAsync(
            source.ConnectionString("postgres"),
            await servers.Engine.ConnectionStringAsync(),
            Ct
        );
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_program (id, name) VALUES (1, 'p')", Ct);
        await bed.Source.ExecuteAsync(
            "BEGIN; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (4, 1, 'before', 1); PREPARE TRANSACTION 'early'",
            Ct
        );
        var first = bed.StartInProcess();
        await Eventually.True(
            "the slot waits for the prepared transaction",
            async () =>
                await bed.Source.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted", Ct)
                > 0,
            ct: Ct
        );
        await bed.Source.ExecuteAsync("COMMIT PREPARED 'early'", Ct);
        await first.Streaming;
        await bed.CaughtUpAsync(Ct);

        await bed.Source.ExecuteAsync(
            "BEGIN; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'a', 1); PREPARE TRANSACTION 'kept'",
            Ct
        );
        await bed.Source.ExecuteAsync(
            "BEGIN; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (2, 1, 'b', 1); PREPARE TRANSACTION 'undone'",
            Ct
        );
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (3, 1, 'c', 1)", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["3", "4"], await bed.Engine.RowsAsync("SELECT id FROM loyalty_cards ORDER BY id", Ct));
        await first.StopAsync();
        bed.StartInProcess();
        await bed.Source.ExecuteAsync("ROLLBACK PREPARED 'undone'", Ct);
        await bed.Source.ExecuteAsync("COMMIT PREPARED 'kept'", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(["1", "3", "4"], await bed.Engine.RowsAsync("SELECT id FROM loyalty_cards ORDER BY id", Ct));
    }

    [Fact]
    public async Task History_may_come_before_its_card()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(
            """
            BEGIN; SET LOCAL session_replication_role = replica;
            INSERT INTO loyalty_point_history (id, loyalty_card_id, point_move_id, points_amount, points_balance) VALUES (1, 7, 8, 1, 1);
            COMMIT;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["1|7"], await bed.Engine.RowsAsync("SELECT id, loyalty_card_id FROM point_history", Ct));
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (7, 1, 'late', 1);
            INSERT INTO loyalty_point_move (id, loyalty_card_id, state) VALUES (8, 7, 'active');
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task Children_of_a_card_in_quarantine_are_stored_and_counted_as_waiting()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'bad', 'NaN'), (2, 1, 'good', 1);
            INSERT INTO loyalty_point_move (id, loyalty_card_id, state) VALUES (1, 1, 'active'), (2, 2, 'active');
            INSERT INTO loyalty_point_history (id, loyalty_card_id, point_move_id, points_amount, points_balance) VALUES (1, 1, 1, 1, 1), (2, 1, 1, 1, 1), (3, 2, 2, 1, 1);
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(2, (await bed.StatusAsync("history", Ct)).GetProperty("waitingForParent").GetInt64());
        Assert.Equal(1, (await bed.StatusAsync("move", Ct)).GetProperty("waitingForParent").GetInt64());
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 1", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(0, (await bed.StatusAsync("history", Ct)).GetProperty("waitingForParent").GetInt64());
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_cascade_that_comes_parent_first_leaves_nothing()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, i, 1 FROM generate_series(1, 100) i;
            INSERT INTO loyalty_point_move (loyalty_card_id, state) SELECT i % 100 + 1, 'active' FROM generate_series(1, 1000) i;
            INSERT INTO loyalty_point_history (loyalty_card_id, point_move_id, points_balance) SELECT m.loyalty_card_id, m.id, 1 FROM loyalty_point_move m;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_card WHERE id > 1", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(
            "1|10|10",
            Assert.Single(
                await bed.Engine.RowsAsync(
                    "SELECT (SELECT count(*) FROM loyalty_cards), (SELECT count(*) FROM point_moves), (SELECT count(*) FROM point_history)",
                    Ct
                )
            )
        );
    }

    [Fact]
    public async Task Clocks_that_go_backwards_order_nothing()
    {
        await using var bed = await StartedAsync();
        // A replication origin says when its transactions were committed, and the stream passes that on as the commit time.
        var origin = bed.Source.Name;
        await using (var session = await bed.Source.DataSource.OpenConnectionAsync(Ct))
        {
            await ExecuteAsync(
                session,
                $"SELECT pg_replication_origin_create('{origin}'); SELECT pg_replication_origin_session_setup('{origin}')"
            );
            await ExecuteAsync(
                session,
                "INSERT INTO loyalty_card (id, program_id, code, points, write_date) VALUES (1, 1, 'a', 0, '2030-01-01'), (2, 1, 'b', 0, '2030-01-01')"
            );
            for (var i = 1; i <= 20; i++)
            {
                await ExecuteAsync(
                    session,
                    $"""
                    BEGIN; SELECT pg_replication_origin_xact_setup('0/{i:X}', '2030-01-01'::timestamptz - {i} * interval '1 day');
                    UPDATE loyalty_card SET points = {i}, write_date = '2030-01-01'::timestamp - {i} * interval '1 year'; COMMIT
                    """
                );
                if (i == 10)
                    await bed.CaughtUpAsync(Ct);
            }
            await ExecuteAsync(session, "SELECT pg_replication_origin_session_reset()");
            await ExecuteAsync(session, $"SELECT pg_replication_origin_drop('{origin}')");
        }
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(
            "20.00|20|2029-12-12",
            Assert.Single(
                await bed.Engine.RowsAsync(
                    "SELECT points, sync_version, (source_commit_at AT TIME ZONE 'UTC')::date FROM loyalty_cards WHERE id = 1",
                    Ct
                )
            )
        );
    }

    [Fact]
    public async Task Truncate_cascade_in_the_middle_of_a_load_leaves_only_what_came_after()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (id, name) VALUES (1, 'p');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, i, 1 FROM generate_series(1, 20000) i;
            INSERT INTO loyalty_point_move (loyalty_card_id, state) SELECT i, 'active' FROM generate_series(1, 20000) i;
            """,
            Ct
        );
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 500 };
        bed.StartInProcess();
        await Eventually.True(
            "some chunks are loaded and some are not",
            async () => await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.chunks WHERE state = 'done' AND rows > 0", Ct) >= 3,
            ct: Ct
        );
        for (var round = 0; round < 5; round++)
            await bed.Source.ExecuteAsync(
                $"""
                BEGIN; INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'doomed' || i, 1 FROM generate_series(30000, 30100) i;
                TRUNCATE loyalty_card CASCADE;
                INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'kept' || i, {round} FROM generate_series(1, 20000, 100) i; COMMIT;
                INSERT INTO loyalty_point_move (id, loyalty_card_id, state) SELECT i, i, 'active' FROM generate_series(1, 20000, 100) i;
                """,
                Ct
            );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(200, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards WHERE points = 4", Ct));
    }

    private async Task<PipelineBed> StartedAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_program (id, name) VALUES (1, 'p')", Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        return bed;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
