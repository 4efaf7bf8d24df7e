using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Cdc.Workload.Plan;
using Xunit;

namespace Cdc.Tests.Integration.Workload;

public sealed class WorkloadGeneratorTests(TestServers servers)
{
    private static readonly string[] Tables = ["loyalty_program", "loyalty_card", "loyalty_point_move", "loyalty_point_history"];
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_session_with_one_seed_writes_the_same_rows_every_time()
    {
        await using var first = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        await using var second = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        foreach (var database in (TestDatabase[])[first, second])
            await RunAsync(Options(database) with { Seed = 11, Sessions = 1, Transactions = 400, Mix = WorkloadMix.WithBadRows });
        foreach (var table in Tables)
            Assert.Equal(await ContentAsync(first, table), await ContentAsync(second, table));
    }

    [Fact]
    public async Task Another_seed_writes_other_rows()
    {
        await using var first = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        await using var second = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        await RunAsync(Options(first) with { Seed = 1, Sessions = 1, Transactions = 50 });
        await RunAsync(Options(second) with { Seed = 2, Sessions = 1, Transactions = 50 });
        Assert.NotEqual(await ContentAsync(first, "loyalty_point_history"), await ContentAsync(second, "loyalty_point_history"));
    }

    [Fact]
    public async Task Every_kind_of_behaviour_occurs_and_leaves_its_traces()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        var report = await RunAsync(
            Options(database) with
            {
                Transactions = 2000,
                Mix = WorkloadMix.WithBadRows,
                Initial = InitialRows.Shop(300),
            }
        );

        Assert.Equal(Enum.GetValues<TransactionKind>(), report.ByKind.Keys.Order());
        Assert.Equal(2000, report.Transactions + report.Refused);
        Assert.True(await database.ScalarAsync<long>("SELECT count(*) FROM loyalty_point_history WHERE origin = 'Expiry'", Ct) > 100);
        Assert.True(await database.ScalarAsync<long>("SELECT count(*) FROM loyalty_point_history WHERE origin = 'Import'", Ct) > 0);
        Assert.True(
            await database.ScalarAsync<bool>(
                "SELECT EXISTS (SELECT FROM loyalty_point_move WHERE state = 'active' AND remaining_point < initial_point)",
                Ct
            )
        );
        Assert.True(
            await database.ScalarAsync<bool>(
                "SELECT EXISTS (SELECT FROM generate_series(1, 300) id WHERE NOT EXISTS (SELECT FROM loyalty_card c WHERE c.id = id.id))",
                Ct
            )
        );
    }

    [Fact]
    public async Task Children_always_have_their_parents()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        await RunAsync(Options(database) with { Transactions = 1500 });

        // The first rows are written without the foreign keys' triggers.
        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                """
                SELECT (SELECT count(*) FROM loyalty_point_move m LEFT JOIN loyalty_card c ON c.id = m.loyalty_card_id WHERE c.id IS NULL)
                     + (SELECT count(*) FROM loyalty_point_history h LEFT JOIN loyalty_card c ON c.id = h.loyalty_card_id WHERE c.id IS NULL)
                     + (SELECT count(*) FROM loyalty_point_history h LEFT JOIN loyalty_point_move m ON m.id = h.point_move_id WHERE m.id IS NULL AND h.point_move_id IS NOT NULL)
                     + (SELECT count(*) FROM loyalty_card c LEFT JOIN loyalty_program p ON p.id = c.program_id WHERE p.id IS NULL)
                """,
                Ct
            )
        );
    }

    [Fact]
    public async Task Initial_history_ends_at_the_cards_points()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        await RunAsync(Options(database) with { Transactions = 0 });
        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                """
                SELECT count(*) FROM loyalty_card c
                JOIN LATERAL (SELECT points_balance FROM loyalty_point_history h WHERE h.loyalty_card_id = c.id ORDER BY id DESC LIMIT 1) h ON true
                WHERE c.points <> h.points_balance OR c.points < 0
                """,
                Ct
            )
        );
    }

    [Fact]
    public async Task Sessions_that_meet_on_a_card_fail_with_40001_and_try_again()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        var report = await RunAsync(
            Options(database) with
            {
                Sessions = 6,
                Transactions = 1200,
                Mix = WorkloadMix.OrdersOnly with { Order = 0, RepeatableRead = 1 },
            }
        );
        Assert.True(report.Retries > 0, "No session was ever refused.");
        Assert.Equal(1200, report.ByKind[TransactionKind.RepeatableRead]);
        Assert.Equal(0, report.Disconnects);
    }

    [Fact]
    public async Task Preparing_twice_adds_rows_behind_those_that_are_there()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        await RunAsync(Options(database) with { Transactions = 100 });
        await RunAsync(Options(database) with { Transactions = 100, Seed = 2 });
        Assert.True(await database.ScalarAsync<int>("SELECT max(id) FROM loyalty_card", Ct) >= 400);
    }

    [Fact]
    public async Task Preparing_only_when_empty_adds_nothing_the_second_time()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        var options = Options(database) with { Transactions = 0, Initial = InitialRows.Shop(20) with { OnlyWhenEmpty = true } };
        await RunAsync(options);
        await RunAsync(options);
        Assert.Equal(20, await database.ScalarAsync<long>("SELECT count(*) FROM loyalty_card", Ct));
    }

    [Fact]
    public async Task Cancelled_it_ends_without_an_error_and_leaves_no_transaction_open()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        await using var generator = new WorkloadGenerator(Options(database));
        await generator.PrepareAsync(Ct);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var running = generator.RunAsync(stop.Token);
        await Eventually.True(
            "the workload has begun",
            () => generator.Progress.Transactions > 50,
            () => $"{generator.Progress.Transactions} transactions",
            ct: Ct
        );

        await stop.CancelAsync();
        var report = await running;

        Assert.True(report.Transactions > 50);
        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database.Name}' AND application_name = 'cdc-workload' AND state <> 'idle'",
                Ct
            )
        );
    }

    [Fact]
    public async Task It_goes_on_when_its_connections_are_cut()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        await using var generator = new WorkloadGenerator(Options(database));
        await generator.PrepareAsync(Ct);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var running = generator.RunAsync(stop.Token);
        await Eventually.True("the workload has begun", () => generator.Progress.Transactions > 0, ct: Ct);

        await database.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.Name}' AND application_name = 'cdc-workload'",
            Ct
        );
        await Eventually.True("the cut connections are noticed", () => generator.Progress.Disconnects > 0, ct: Ct);
        var before = generator.Progress.Transactions;
        await Eventually.True("transactions go on", () => generator.Progress.Transactions > before + 50, ct: Ct);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task The_rate_is_an_upper_bound_and_its_transactions_are_not_skipped()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("workload", ct: Ct);
        var report = await RunAsync(
            Options(database) with
            {
                TransactionsPerSecond = 200,
                Transactions = 100,
                Mix = WorkloadMix.OrdersOnly,
            }
        );
        Assert.Equal(100, report.Transactions);
        // The last of 100 is due after 99 intervals: a bound from below that no slow machine breaks.
        Assert.True(report.Elapsed >= TimeSpan.FromSeconds(96 / 200.0), $"Took {report.Elapsed}.");
    }

    private static WorkloadOptions Options(TestDatabase database) =>
        new()
        {
            ConnectionString = database.ConnectionString,
            CreateTables = true,
            Initial = InitialRows.Shop(200),
            BulkRows = 50,
            ExpiryRows = 200,
        };

    private static async Task<WorkloadReport> RunAsync(WorkloadOptions options)
    {
        await using var generator = new WorkloadGenerator(options);
        await generator.PrepareAsync(Ct);
        return await generator.RunAsync(Ct);
    }

    /// <summary>All columns but the clock's.</summary>
    private static async Task<IReadOnlyList<string>> ContentAsync(TestDatabase database, string table)
    {
        var columns = await database.RowsAsync(
            $"SELECT string_agg(quote_ident(column_name), ',' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = '{table}' AND data_type NOT IN ('date', 'timestamp without time zone')",
            Ct
        );
        return await database.RowsAsync($"SELECT {columns[0]} FROM {table} ORDER BY id", Ct);
    }
}
