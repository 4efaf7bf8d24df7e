using Cdc.Core.Entities;
using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>Sums that the engine keeps: those of its rows after every statement, whoever wrote them and in whatever order.</summary>
public sealed class AggregateTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static EntitySet Entities { get; } = EntityFile.Load("odoo-20");

    [Fact]
    public async Task After_any_statement_the_sums_are_those_of_the_rows()
    {
        await using var engine = await CreateAsync();
        var dice = new Random(TestSeed.Draw());
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        await ExecuteAsync(connection, "SET session_replication_role = replica");
        for (var i = 0; i < 250; i++)
        {
            var statement = i == 200 ? "TRUNCATE point_history" : Statement(dice);
            await ExecuteAsync(connection, statement);
            Assert.True(await WrongAsync(connection) == 0, $"{i}: {statement}");
            // What the next differences are made of.
            Assert.True(await engine.ScalarAsync<long>(BooksSql, Ct) == 0, $"{i}, books: {statement}");
        }
        Assert.True(await engine.ScalarAsync<long>("SELECT count(*) FROM card_points WHERE until < 'infinity' AND points <> 0", Ct) > 0);
    }

    [Fact]
    public async Task Without_rows_that_draw_from_others_they_are_too()
    {
        var declared = EntityFile.Load(SourceTree.PathOf("bench/sums.json"));
        await using var engine = await CreateAsync(declared);
        var dice = new Random(TestSeed.Draw());
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        await ExecuteAsync(connection, "SET session_replication_role = replica");
        for (var i = 0; i < 150; i++)
        {
            var statement = i == 100 ? "TRUNCATE point_history" : Statement(dice);
            await ExecuteAsync(connection, statement);
            Assert.True(await WrongAsync(connection, declared) == 0, $"{i}: {statement}");
        }
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM card_points WHERE points = 0", Ct));
    }

    /// <summary>Rows with other draws or ends than there are, and sums of nothing.</summary>
    private const string BooksSql = """
        SELECT (SELECT count(*) FROM card_points WHERE points = 0)
            + (SELECT count(*) FROM cdc_card_points_ends e
                WHERE e.until <> coalesce((SELECT coalesce(h.expiration_date, 'infinity') FROM point_history h WHERE h.odoo_history_id = e.id), 'infinity'))
            + (SELECT count(*) FROM (
                SELECT linked_history_id AS through, loyalty_card_id AS k, coalesce(expiration_date, 'infinity') AS until,
                    coalesce(sum(points_amount) FILTER (WHERE points_amount <> 'NaN'), 0) AS finite, count(*) FILTER (WHERE points_amount = 'NaN') AS odd
                FROM point_history WHERE linked_history_id IS NOT NULL AND loyalty_card_id IS NOT NULL AND points_amount IS NOT NULL GROUP BY 1, 2, 3
            ) h FULL JOIN cdc_card_points_draws d USING (through, k, until)
                WHERE (coalesce(h.finite, 0), coalesce(h.odd, 0)) IS DISTINCT FROM (coalesce(d.finite, 0), coalesce(d.odd, 0)) OR (d.finite = 0 AND d.odd = 0))
        """;

    /// <summary>
    /// A session that has written single rows keeps a plan for a few keys. One that looks through all new sums for each that is there would
    /// take minutes for these statements.
    /// </summary>
    [Theory]
    [InlineData("odoo-20")]
    [InlineData("bench/sums.json")]
    public async Task As_many_cards_as_a_load_brings_are_summed_up_in_its_statement(string entities)
    {
        var declared = EntityFile.Load(entities.EndsWith(".json", StringComparison.Ordinal) ? SourceTree.PathOf(entities) : entities);
        await using var engine = await CreateAsync(declared);
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        await ExecuteAsync(connection, "SET session_replication_role = replica");
        for (var id = 1; id <= 10; id++)
            await ExecuteAsync(connection, Row(id, card: id, points: 5));
        foreach (var first in (int[])[100, 120_100])
            await ExecuteAsync(
                connection,
                $"""
                INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount)
                SELECT g, g, 1 + g % 120000, 3 FROM generate_series({first}, {first + 119_999}) g
                """
            );
        Assert.Equal(0, await WrongAsync(connection, declared));
        Assert.Equal(720_050m, await engine.ScalarAsync<decimal>("SELECT sum(points) FROM card_points", Ct));
    }

    [Fact]
    public async Task Two_writers_whose_rows_draw_from_each_other_s_keep_the_sums_right()
    {
        await using var engine = await CreateAsync();
        var seed = TestSeed.Draw();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(writer => Task.Run(() => WriteAsync(engine, new Random(seed + writer)), Ct)));
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        Assert.Equal(0, await WrongAsync(connection));
        Assert.True(await engine.ScalarAsync<long>("SELECT count(*) FROM card_points", Ct) > 0);
    }

    /// <summary>The second one writes while the first one has not committed: it must wait, and then see those rows.</summary>
    [Fact]
    public async Task Of_two_transactions_that_write_rows_of_one_card_the_later_one_counts_both()
    {
        await using var engine = await CreateAsync();
        await using var first = await engine.DataSource.OpenConnectionAsync(Ct);
        await using var second = await engine.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await first.BeginTransactionAsync(Ct);
        await ExecuteAsync(first, Row(1, card: 7, points: 5));
        var waits = ExecuteAsync(second, Row(2, card: 7, points: 2));
        await Eventually.True(
            "the second one waits",
            async () =>
                await engine.ScalarAsync<bool>(
                    $"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = {second.ProcessID} AND state = 'active'",
                    Ct
                ),
            ct: Ct
        );
        await transaction.CommitAsync(Ct);
        await waits;
        Assert.Equal(0, await WrongAsync(first));
        Assert.Equal(7m, await engine.ScalarAsync<decimal>("SELECT sum(points) FROM card_points", Ct));
    }

    [Fact]
    public async Task Every_card_whose_sums_a_statement_touches_is_announced_and_of_many_all()
    {
        await using var engine = await CreateAsync();
        await using var listener = await engine.DataSource.OpenConnectionAsync(Ct);
        var heard = new List<string>();
        listener.Notification += (_, notice) => heard.Add(notice.Payload);
        await ExecuteAsync(listener, "LISTEN cdc_card");
        Assert.Equal("7", await NoticeAsync(Row(1, card: 7, points: 5)));
        // From one card to another: both.
        Assert.Equal("7,8", await NoticeAsync("UPDATE point_history SET loyalty_card_id = 8 WHERE id = 1"));
        Assert.Equal("8", await NoticeAsync("DELETE FROM point_history WHERE id = 1"));
        Assert.Equal(
            "*",
            await NoticeAsync(
                "INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount) SELECT n, n, n, 1 FROM generate_series(1, 501) n"
            )
        );
        Assert.Equal("*", await NoticeAsync("TRUNCATE point_history"));

        async Task<string> NoticeAsync(string statement)
        {
            heard.Clear();
            await engine.ExecuteAsync(statement, Ct);
            while (heard.Count == 0)
                await listener.WaitAsync(TimeSpan.FromSeconds(20), Ct);
            return string.Join(',', Assert.Single(heard).Split(',').Order(StringComparer.Ordinal));
        }
    }

    private static string Row(int id, int card, int points) =>
        $"INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount) VALUES ({id}, {id}, {card}, {points})";

    [Fact]
    public async Task Migrate_makes_it_check_misses_it_and_a_changed_one_is_made_anew()
    {
        await using var cdc = await OdooCommands.CreateAsync(servers, OdooVersion.Odoo20);
        await cdc.Source.ExecuteAsync("ALTER TABLE loyalty_card DROP COLUMN points", Ct);
        Assert.Contains("engine-aggregate", (await cdc.RunAsync("odoo-20", "check")).Out, StringComparison.Ordinal);
        await cdc.Engine.ExecuteAsync(
            "SET session_replication_role = replica; INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount, expiration_date) VALUES (1, 1, 7, 5, '2030-01-01'), (2, 2, 7, 2, NULL)",
            Ct
        );
        foreach (var _ in (int[])[1, 2])
            Assert.Equal(0, (await cdc.RunAsync("odoo-20", "migrate")).ExitCode);
        Assert.Equal(0, (await cdc.RunAsync("odoo-20", "check")).ExitCode);
        Assert.Equal("2030-01-01 5.00,infinity 2.00", await SumsAsync());
        await cdc.Engine.ExecuteAsync(
            "ALTER TABLE point_history DISABLE TRIGGER cdc_card_points_insert; SET session_replication_role = replica; INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount) VALUES (3, 3, 7, 1)",
            Ct
        );
        Assert.Equal(4, (await cdc.RunAsync("odoo-20", "check")).ExitCode);
        Assert.Equal(0, (await cdc.RunAsync("odoo-20", "migrate")).ExitCode);
        Assert.Equal("2030-01-01 5.00,infinity 3.00", await SumsAsync());

        Task<string?> SumsAsync() =>
            cdc.Engine.ScalarAsync<string>("SELECT string_agg(until || ' ' || points, ',' ORDER BY until) FROM card_points", Ct);
    }

    [Fact]
    public async Task Cards_of_20_have_the_points_of_the_day_and_their_holder_hears_of_each_movement()
    {
        await using var shop = await OdooShop.OpenAsync(
            servers,
            OdooVersion.Odoo20,
            """
            INSERT INTO loyalty_card (id, program_id, company_id, code, active, points) VALUES (22, 7, 1, 'abc', true, 120), (23, 7, 1, 'none', true, NULL);
            INSERT INTO loyalty_history (id, card_id, description, issued, used, points_changed_date, expiration_date, linked_loyalty_history_id) VALUES
                (1, 22, 'old', 50, 0, now(), current_date - 2, NULL), (2, 22, 'of old', 0, 20, now(), NULL, 1), (3, 22, 'new', 30, 0, now(), current_date + 30, NULL),
                (4, 22, 'of new', 0, 4.5, now(), NULL, 3), (5, 22, 'debt', 0, 1, now(), NULL, NULL);
            SELECT setval('loyalty_history_id_seq', 100);
            """
        );
        // The old award is over, and what drew from it too; the column that 19 left behind is not read.
        Assert.Equal("24.50", (await shop.CardAsync("abc"))["points"]);
        Assert.Equal(("0.00", "no-points"), ((await shop.CardAsync("none"))["points"], (await shop.CardAsync("none"))["spendableReason"]));
        for (var i = 1; i <= 20; i++)
        {
            await shop.Bed.Source.ExecuteAsync(
                $"INSERT INTO loyalty_history (card_id, description, issued, used, points_changed_date) VALUES (22, 'more', {i}, 0, now())",
                Ct
            );
            // Never an older answer, also from memory.
            Assert.Equal($"{24.5m + i * (i + 1) / 2:0.00}", (await shop.CardAsync("abc"))["points"]);
            Assert.Equal($"{24.5m + i * (i + 1) / 2:0.00}", (await shop.GetAsync("/cards/abc/balance"))["points"]);
        }
        var tag = (await shop.CardAsync("abc")).Headers["ETag"];
        await shop.ChangeAsync("DELETE FROM loyalty_history WHERE description = 'more'");
        Assert.Equal("24.50", (await shop.CardAsync("abc"))["points"]);
        Assert.NotEqual(tag, (await shop.CardAsync("abc")).Headers["ETag"]);
    }

    private async Task<TestDatabase> CreateAsync(EntitySet? declared = null)
    {
        var engine = await servers.CreateEngineAsync("sums", Ct);
        await engine.ExecuteAsync("ALTER TABLE point_history DROP CONSTRAINT IF EXISTS point_history_loyalty_card_id_fkey", Ct);
        await DeclaredAggregate.EnsureAsync(engine.DataSource, declared ?? Entities, Ct);
        return engine;
    }

    private static async Task WriteAsync(TestDatabase engine, Random dice)
    {
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        // They meet often: a second for each deadlock would be most of the test.
        await ExecuteAsync(connection, "SET deadlock_timeout = '20ms'");
        for (var i = 0; i < 60; i++)
        {
            try
            {
                await using var transaction = await connection.BeginTransactionAsync(Ct);
                for (var n = dice.Next(1, 4); n > 0; n--)
                    await ExecuteAsync(connection, Statement(dice));
                await transaction.CommitAsync(Ct);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected)
            {
                // As in the program: the transaction is tried again, here with other rows.
            }
        }
    }

    /// <summary>Rows of few keys, so that they meet, drawing from rows that are there, were there or are to come.</summary>
    private static string Statement(Random dice)
    {
        var (from, to) = (dice.Next(1, 40), dice.Next(1, 12));
        return dice.Next(9) switch
        {
            0 or 1 or 2 =>
                $"""
                INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount, expiration_date, linked_history_id)
                SELECT n, n, 1 + n % 5, n % 7 - 3, CASE WHEN n % 3 > 0 THEN date '2026-01-01' + {dice.Next(
                    60
                )} + n % 4 END, CASE WHEN n % 2 = 0 THEN 1 + (n + {dice.Next(40)}) % 40 END
                FROM generate_series({from}, {from + to}) n
                ON CONFLICT (id) DO UPDATE SET points_amount = EXCLUDED.points_amount, expiration_date = EXCLUDED.expiration_date, linked_history_id = EXCLUDED.linked_history_id
                """,
            3 =>
                $"UPDATE point_history SET expiration_date = CASE WHEN id % 4 > 0 THEN date '2026-01-01' + {dice.Next(60)} END WHERE id BETWEEN {from} AND {from + to}",
            4 =>
                $"UPDATE point_history SET points_amount = points_amount + {dice.Next(9)}, loyalty_card_id = 1 + (loyalty_card_id + {dice.Next(2)}) % 5 WHERE id BETWEEN {from} AND {from + to}",
            // A key that somebody changes, and one that is no number: what was counted of them is taken back.
            7 =>
                $"UPDATE point_history h SET id = id + 1000, odoo_history_id = odoo_history_id + 1000 WHERE id = {from} AND NOT EXISTS (SELECT FROM point_history o WHERE o.id = h.id + 1000)",
            8 =>
                $"UPDATE point_history SET points_amount = CASE WHEN points_amount = 'NaN' THEN {to} WHEN id % 3 = 0 THEN 'NaN'::numeric END WHERE id BETWEEN {from} AND {from + 2}",
            5 =>
                $"UPDATE point_history SET linked_history_id = nullif(1 + (id + {dice.Next(40)}) % 41, 41) WHERE id BETWEEN {from} AND {from + to}",
            _ => $"DELETE FROM point_history WHERE id BETWEEN {from} AND {from + to}",
        };
    }

    private static async Task<long> WrongAsync(NpgsqlConnection connection, EntitySet? declared = null)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT count(*) FROM ({DeclaredAggregate.Of(declared ?? Entities).Single().Wrong}) w",
            connection
        );
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
