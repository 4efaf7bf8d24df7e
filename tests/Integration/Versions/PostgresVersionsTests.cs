using System.Text.Json;
using Cdc.Capture.Source;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Host;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Versions;

/// <summary>
/// What is essential, and what later versions of PostgreSQL do in another way, on servers of these versions. The whole suite runs on one of
/// them with <c>./dev test --postgres 17</c>.
/// </summary>
public sealed class PostgresVersionsTests(VersionServers servers) : IClassFixture<VersionServers>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = 180_000)]
    [InlineData(17)]
    [InlineData(18)]
    public async Task A_load_the_stream_and_changes_of_the_schema_end_equal_and_a_lost_slot_is_a_gap(int version)
    {
        await using var bed = await BedAsync(version, cards: 2_000);
        var run = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync(
            """
            UPDATE loyalty_card SET points = points + 1 WHERE id % 3 = 0;
            DELETE FROM loyalty_card WHERE id % 100 = 7;
            ALTER TABLE loyalty_card ADD COLUMN remark varchar DEFAULT 'none';
            UPDATE loyalty_card SET code = repeat('x', 100) || id WHERE id <= 50;
            ALTER TABLE loyalty_card ALTER COLUMN points TYPE real;
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (9001, 1, 'later', 0.5);
            INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount) SELECT i, i, 1 FROM generate_series(1, 6) i;
            """,
            Ct
        );
        await bed.Source.ExecuteAsync(
            "BEGIN; TRUNCATE loyalty_point_history; INSERT INTO loyalty_point_history (id, loyalty_card_id) VALUES (1, 1); COMMIT",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Ct));

        await bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{bed.SourceOptions.SlotName}')", Ct);
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_card WHERE id = 9001", Ct);
        Assert.Contains("slot-missing", await CommandAsync(bed, 4, "check"), StringComparison.Ordinal);
        await CommandAsync(bed, 0, "slot", "reset", "--yes");
        run = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await CommandAsync(bed, 0, "reconcile");
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Ct));
    }

    /// <summary>
    /// From 16 on pg_publication_tables opens every table of the publication. Whoever looks at it with a lock on one of them deadlocks with
    /// a transaction that locks several, and PostgreSQL may end that one.
    /// </summary>
    [Theory(Timeout = 180_000)]
    [InlineData(17)]
    [InlineData(18)]
    public async Task A_transaction_that_locks_several_tables_is_not_ended_for_a_reading_of_one_of_them(int version)
    {
        await using var bed = await BedAsync(version, cards: 100);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await using (var odoo = await bed.Source.DataSource.OpenConnectionAsync(Ct))
        {
            // It looks first, and is the one that would be ended.
            await odoo.Statement("BEGIN; SET LOCAL deadlock_timeout = '10ms'; LOCK TABLE loyalty_card").ExecuteAsync(Ct);
            await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'move')", Ct);
            await Eventually.True(
                "the watch and the reader of moves wait for cards",
                () =>
                    bed.Source.ScalarAsync<bool>(
                        "SELECT count(DISTINCT pid) >= 2 FROM pg_locks WHERE NOT granted AND relation = 'loyalty_card'::regclass",
                        Ct
                    ),
                ct: Ct
            );
            await odoo.Statement("LOCK TABLE loyalty_point_move; COMMIT").ExecuteAsync(Ct);
        }
        await bed.EqualByItselfAsync(Ct);
    }

    [Theory(Timeout = 180_000)]
    [InlineData(17)]
    [InlineData(18)]
    public async Task After_a_failover_to_a_standby_that_copies_slots_nothing_is_read_again(int version)
    {
        await using var primary = await PgCluster.StartAsync(Options("primary", version), Ct);
        await using var engine = await PgCluster.StartAsync(Options("engine", version), Ct);
        await using var bed = await PipelineBed.CreateAsync(primary.ConnectionString("postgres"), engine.ConnectionString("postgres"), Ct);
        await CardsAsync(bed, 100);
        await bed.Source.ExecuteAsync("SELECT pg_create_physical_replication_slot('standby')", Ct);
        await using var standby = await primary.StartStandbyAsync(
            new Dictionary<string, string>
            {
                ["primary_slot_name"] = "standby",
                ["hot_standby_feedback"] = "on",
                ["sync_replication_slots"] = "on",
            },
            Ct
        );
        try
        {
            bed.StartInProcess();
            await bed.CaughtUpAsync(Ct);
            await using var other = NpgsqlDataSource.Create(standby.ConnectionString(bed.Source.Name));
            await Eventually.True(
                "the standby has a copy of the slot that survives a failover",
                async () =>
                    await ScalarAsync<bool>(
                        other,
                        $"SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{bed.SourceOptions.SlotName}' AND synced AND NOT temporary AND invalidation_reason IS NULL)"
                    ),
                async () =>
                    $"{await bed.Source.ScalarAsync<string>("SELECT string_agg(to_jsonb(s)::text, ' ') FROM pg_replication_slots s", Ct)} {standby.LogTail()}",
                ct: Ct
            );
            await bed.StopInProcessAsync();
            await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
            var written = await bed.Source.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text", Ct);
            await Eventually.True(
                "the standby has what was written",
                () => ScalarAsync<bool>(other, $"SELECT pg_last_wal_replay_lsn() >= '{written}'"),
                ct: Ct
            );
            await primary.KillAsync(Ct);
            await ScalarAsync<bool>(other, "SELECT pg_promote()");

            bed.SourceOptions = bed.SourceOptions with { ConnectionString = standby.ConnectionString(bed.Source.Name) };
            await using (var command = other.CreateCommand("UPDATE loyalty_card SET points = points + 1 WHERE id <= 10"))
                await command.ExecuteNonQueryAsync(Ct);
            bed.StartInProcess();
            await Eventually.True(
                "the changes of before and after the failover are in the engine",
                () =>
                    bed.Engine.ScalarAsync<bool>(
                        "SELECT count(*) = 100 AND bool_and(points = id + CASE WHEN id <= 10 THEN 2 ELSE 1 END) FROM loyalty_cards",
                        Ct
                    ),
                () => Task.FromResult(string.Join(Environment.NewLine, bed.Log.Lines.TakeLast(20))),
                ct: Ct
            );
            Assert.Equal(1, await bed.Engine.ScalarAsync<int>("SELECT generation FROM cdc.source", Ct));
            await bed.StopInProcessAsync();
        }
        finally
        {
            // What the test made there is dropped.
            if (!primary.IsRunning)
                await primary.StartAgainAsync(CancellationToken.None);
            bed.Source.DataSource.Clear();
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData(17)]
    [InlineData(18)]
    public async Task What_holds_a_slot_back_or_ends_it_is_found_and_told(int version)
    {
        await using var bed = await BedAsync(version, cards: 1);
        await CommandAsync(bed, 0, "slot", "create", "--yes");
        Assert.True(
            await bed.Source.ScalarAsync<bool>("SELECT failover FROM pg_replication_slots WHERE database = current_database()", Ct)
        );
        Assert.Empty(await CodesAsync(bed));

        // A slot that an earlier version of cdc made, where there is a standby.
        var slot = bed.SourceOptions.SlotName;
        await bed.Source.ExecuteAsync(
            $"SELECT pg_drop_replication_slot('{slot}'); SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')",
            Ct
        );
        Assert.DoesNotContain("slot-failover", await CodesAsync(bed));
        await bed.Source.ExecuteAsync($"SELECT pg_create_physical_replication_slot('{slot}_standby')", Ct);
        try
        {
            Assert.Contains("slot-failover", await CodesAsync(bed));

            await bed.Source.ExecuteAsync(
                $"SELECT pg_drop_replication_slot('{slot}'); SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput', failover => true)",
                Ct
            );
            await SetAsync(bed, "synchronized_standby_slots", $"{slot}_standby");
            Assert.Contains("which no standby reads", await StandbysAsync(bed), StringComparison.Ordinal);
            await bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{slot}_standby')", Ct);
            Assert.Contains("which does not exist", await StandbysAsync(bed), StringComparison.Ordinal);
        }
        finally
        {
            await SetAsync(bed, "synchronized_standby_slots", "");
            await bed.Source.ExecuteAsync(
                $"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}_standby'",
                Ct
            );
        }
        Assert.DoesNotContain("standby-slots", await CodesAsync(bed));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_slot_that_was_idle_for_too_long_says_so_and_keeps_nothing()
    {
        await using var bed = await BedAsync(18, cards: 1);
        await CommandAsync(bed, 0, "slot", "create", "--yes");
        await SetAsync(bed, "idle_replication_slot_timeout", "1s");
        try
        {
            Assert.Contains("slot-idle-timeout", await CodesAsync(bed));
            await Eventually.True(
                "the server gives the slot up",
                async () =>
                {
                    await bed.Source.ExecuteAsync("CHECKPOINT", Ct);
                    return await bed.Source.ScalarAsync<string>(
                            $"SELECT invalidation_reason FROM pg_replication_slots WHERE slot_name = '{bed.SourceOptions.SlotName}'",
                            Ct
                        ) == "idle_timeout";
                },
                ct: Ct
            );
        }
        finally
        {
            await SetAsync(bed, "idle_replication_slot_timeout", "0");
        }
        await bed.Source.ExecuteAsync("SELECT pg_logical_emit_message(true, 'filler', repeat('x', 1000000))", Ct);
        var status = JsonDocument
            .Parse(await CommandAsync(bed, 0, "status", "--json"))
            .RootElement.GetProperty("source")
            .GetProperty("slot");
        Assert.Equal(
            ("idle_timeout", 0),
            (status.GetProperty("invalidationReason").GetString(), status.GetProperty("retainedBytes").GetInt64())
        );
        Assert.Contains("idle_replication_slot_timeout", await CommandAsync(bed, 5, "slot", "show"), StringComparison.Ordinal);
        Assert.Contains("slot-lost", await CommandAsync(bed, 4, "check"), StringComparison.Ordinal);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("ALTER TABLE loyalty_card ADD COLUMN twice float8 GENERATED ALWAYS AS (points * 2) STORED, REPLICA IDENTITY FULL")]
    [InlineData("ALTER TABLE loyalty_card ADD COLUMN twice float8 GENERATED ALWAYS AS (points * 2) VIRTUAL, REPLICA IDENTITY FULL")]
    [InlineData(
        "ALTER TABLE loyalty_card ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED NOT NULL; CREATE UNIQUE INDEX both_ids ON loyalty_card (id, twice); ALTER TABLE loyalty_card REPLICA IDENTITY USING INDEX both_ids"
    )]
    public async Task An_identity_with_a_generated_column_is_refused_before_it_stops_Odoo(string ddl)
    {
        await using var bed = await BedAsync(18, cards: 1);
        await bed.Source.ExecuteAsync(ddl, Ct);
        var (code, output) = await CdcProcess.RunAsync(["run"], bed.Environment(), Ct);
        Assert.Equal(4, code);
        Assert.Contains("identity-generated-unpublished", output, StringComparison.Ordinal);
        Assert.Equal(0L, await bed.Source.ScalarAsync<long>("SELECT count(*) FROM pg_publication", Ct));
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 2", Ct);

        // What it would have done.
        var publication = Sql.Identifier(bed.SourceOptions.Publication);
        await bed.Source.ExecuteAsync(
            $"CREATE PUBLICATION {publication} FOR TABLE loyalty_program, loyalty_card, loyalty_point_move, loyalty_point_history",
            Ct
        );
        await Assert.ThrowsAsync<PostgresException>(() => bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 3", Ct));
        var finding = Assert.Single(await FindingsAsync(bed), f => f.GetProperty("isError").GetBoolean());
        Assert.Equal("identity-generated", finding.GetProperty("code").GetString());
        await bed.Source.ExecuteAsync(finding.GetProperty("remedy").GetString()!, Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 3", Ct);
        Assert.Empty(await CodesAsync(bed));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_table_that_comes_to_such_an_identity_while_running_is_not_published_again_and_stops()
    {
        await using var bed = await BedAsync(18, cards: 3);
        bed.StartInProcess();
        await bed.EqualByItselfAsync(Ct);
        await bed.Source.ExecuteAsync(
            $"""
            ALTER PUBLICATION {Sql.Identifier(bed.SourceOptions.Publication)} DROP TABLE loyalty_card;
            ALTER TABLE loyalty_card ADD COLUMN twice float8 GENERATED ALWAYS AS (points * 2) STORED, REPLICA IDENTITY FULL
            """,
            Ct
        );
        var reason = await bed.StoppedAsync("card", Ct);
        Assert.Contains("has generated columns (twice)", reason, StringComparison.Ordinal);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 7", Ct);
        const string Remedy = "ALTER TABLE public.loyalty_card REPLICA IDENTITY DEFAULT;";
        Assert.Contains(Remedy, reason, StringComparison.Ordinal);
        await bed.Source.ExecuteAsync(Remedy, Ct);
        await bed.EqualByItselfAsync(Ct);
    }

    [Theory]
    [InlineData(17)]
    [InlineData(18)]
    public async Task Every_setting_that_a_session_pins_has_its_value_whatever_the_database_says(int version)
    {
        await using var bed = await BedAsync(version, cards: 1);
        var timeouts = SessionSettings
            .Pinned.Where(p => p.Name.EndsWith("_timeout", StringComparison.Ordinal))
            .Select(p => p.Name)
            .ToList();
        Assert.Contains("transaction_timeout", timeouts);
        foreach (var name in timeouts)
            await bed.Source.ExecuteAsync($"ALTER DATABASE {bed.Source.Name} SET {name} = '30min'", Ct);
        await using var connection = await SourceConnection.OpenAsync(bed.SourceOptions, Ct);
        await using var engine = await EngineConnection.OpenAsync(
            new EngineOptions { ConnectionString = bed.SourceOptions.ConnectionString },
            EngineRole.Apply,
            Ct
        );
        foreach (var session in (NpgsqlConnection[])[connection, engine])
        foreach (var (name, value) in SessionSettings.For(session.PostgreSqlVersion).Where(p => timeouts.Contains(p.Name)))
            Assert.Equal((name, value), (name, await session.Statement($"SHOW {name}").ScalarAsync<string>(Ct)));
    }

    private async Task<PipelineBed> BedAsync(int version, int cards)
    {
        var server = (await servers.StartAsync(version)).ConnectionString("postgres");
        var bed = await PipelineBed.CreateAsync(server, server, Ct);
        await CardsAsync(bed, cards);
        return bed;
    }

    private static Task CardsAsync(PipelineBed bed, int cards) =>
        bed.Source.ExecuteAsync(
            $"""
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'card ' || i, i FROM generate_series(1, {cards}) i;
            """,
            Ct
        );

    private static PgClusterOptions Options(string name, int version) =>
        new()
        {
            Name = name,
            Version = version,
            SharedBuffers = "32MB",
        };

    private static async Task SetAsync(PipelineBed bed, string setting, string value)
    {
        await bed.Source.ExecuteAsync($"ALTER SYSTEM SET {setting} = {Sql.Literal(value)}", Ct);
        await bed.Source.ExecuteAsync("SELECT pg_reload_conf()", Ct);
        await Eventually.True(
            $"{setting} is {value}",
            async () => await bed.Source.ScalarAsync<string>($"SELECT current_setting('{setting}')", Ct) == value,
            ct: Ct
        );
    }

    private static async Task<string> StandbysAsync(PipelineBed bed) =>
        Assert
            .Single(await FindingsAsync(bed), f => f.GetProperty("code").GetString() == "standby-slots")
            .GetProperty("message")
            .GetString()!;

    private static async Task<IEnumerable<string>> CodesAsync(PipelineBed bed) =>
        (await FindingsAsync(bed)).Select(f => f.GetProperty("code").GetString()!).Where(c => c != "wal-keep-size");

    private static async Task<IReadOnlyList<JsonElement>> FindingsAsync(PipelineBed bed)
    {
        var check = await RunAsync(bed, "check", "--json");
        return [.. JsonDocument.Parse(check.Out).RootElement.GetProperty("findings").EnumerateArray()];
    }

    private static async Task<string> CommandAsync(PipelineBed bed, int exitCode, params string[] arguments)
    {
        var run = await RunAsync(bed, arguments);
        Assert.True(run.ExitCode == exitCode, $"cdc {string.Join(' ', arguments)} ended with {run.ExitCode}: {run.Out}{run.Error}");
        return run.Out + run.Error;
    }

    private static Task<CommandRun> RunAsync(PipelineBed bed, params string[] arguments) =>
        CommandRun.StartAsync(
            Composition.Connect(),
            bed.Environment().Where(v => v.Value is not null).ToDictionary(v => v.Key, v => v.Value!),
            null,
            new StringWriter(),
            arguments,
            Ct
        );

    private static async Task<T> ScalarAsync<T>(NpgsqlDataSource server, string sql)
    {
        await using var command = server.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }
}
