using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>What Odoo changes reaches the engine, and never what the engine owns: its base moves, and what was lost is on record.</summary>
public sealed class OwnedRowsTests(TestServers servers, TestKafka kafka)
{
    private const string Cards = "SELECT id, points, partner_id, code, base FROM loyalty_cards ORDER BY id";
    private const string Conflicts = "SELECT entity, key, field, odoo_value, engine_value, base_value FROM cdc.conflicts ORDER BY conflict";

    private const string Odoo = """
        INSERT INTO loyalty_program (name) VALUES ('one');
        INSERT INTO loyalty_card (id, program_id, partner_id, code, points) SELECT i, 1, i, 'c' || i, 100 FROM generate_series(1, 3) i;
        INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount, origin) VALUES (1, 1, 1, 'one'), (2, 2, 1, 'two'), (3, 2, 1, 'three')
        """;

    private const string Born = """
        INSERT INTO loyalty_cards (program_id, code, points) VALUES (1, 'BORN', 5);
        INSERT INTO point_history (loyalty_card_id, points_amount) SELECT id, 5 FROM loyalty_cards WHERE code = 'BORN'
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Odoos_changes_move_the_base_and_add_to_what_is_added_to(bool overKafka)
    {
        await using var log = await StartedAsync(overKafka);
        var bed = log.Bed;
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards SET points = points + 10, partner_id = 20 WHERE id = 2; UPDATE point_history SET origin = 'own' WHERE id = 2",
            Ct
        );
        await bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = points + 5, partner_id = 7, code = 'new' || id; UPDATE loyalty_point_history SET origin = 'odoo', points_amount = 2",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["1|105.00|7|NEW1|", """2|115.00|20|NEW2|{"points": 105.00, "partner_id": 7}""", "3|105.00|7|NEW3|"],
            await bed.Engine.RowsAsync(Cards, Ct)
        );
        Assert.Equal(
            [
                "1|odoo|2.00|",
                """2|own|1.00|{"origin": "odoo", "points_amount": 2.00}""",
                """3|three|1.00|{"origin": "odoo", "points_amount": 2.00}""",
            ],
            await bed.Engine.RowsAsync("SELECT id, origin, points_amount, base FROM point_history ORDER BY id", Ct)
        );
        Assert.Equal(
            [
                "card|2|partner_id|7|20|2",
                "history|2|origin|\"odoo\"|\"own\"|\"two\"",
                "history|2|points_amount|2.00|1.00|1.00",
                "history|3|origin|\"odoo\"|\"three\"|\"three\"",
                "history|3|points_amount|2.00|1.00|1.00",
            ],
            (await bed.Engine.RowsAsync(Conflicts, Ct)).Order(StringComparer.Ordinal)
        );
        // Only what the engine did: nothing of what was applied. Its partner is not sent once more: it is still to be sent.
        Assert.Equal(["card|2", "history|2"], await bed.Engine.RowsAsync("SELECT entity, id FROM cdc.sync_log ORDER BY number", Ct));

        // Odoo takes over what the engine wrote: nothing differs any more.
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET partner_id = 20 WHERE id = 2", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["""115.00|{"points": 105.00}"""],
            await bed.Engine.RowsAsync("SELECT points, base FROM loyalty_cards WHERE id = 2", Ct)
        );
        Assert.Equal(5, (await bed.Engine.RowsAsync(Conflicts, Ct)).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_table_that_is_read_again_or_truncated_leaves_what_the_engine_made_and_owns(bool overKafka)
    {
        await using var log = await StartedAsync(overKafka);
        var bed = log.Bed;
        await bed.Engine.ExecuteAsync(
            Born + "; UPDATE loyalty_cards SET points = points + 10 WHERE id = 2; UPDATE point_history SET origin = 'own' WHERE id = 2",
            Ct
        );
        foreach (var table in (string[])["card", "history"])
            await bed.Engine.ExecuteAsync(
                $"INSERT INTO cdc.requests (kind, entity, allow_deletes) VALUES ('snapshot', '{table}', 100)",
                Ct
            );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["100.00", "110.00", "100.00", "5.00"],
            await bed.Engine.RowsAsync("SELECT points FROM loyalty_cards ORDER BY id", Ct)
        );
        Assert.Equal(["2"], await bed.Engine.RowsAsync("SELECT id FROM point_history WHERE origin = 'own' AND base IS NOT NULL", Ct));

        // Of a card that the engine owns, but the engine has not changed it.
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_point_history WHERE id = 3", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["1", "2", $"{OwnedEntities.First}"], await bed.Engine.RowsAsync("SELECT id FROM point_history ORDER BY id", Ct));

        await bed.Source.ExecuteAsync("TRUNCATE loyalty_card CASCADE", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["2|110.00|null", $"{OwnedEntities.First}|5.00|"],
            await bed.Engine.RowsAsync("SELECT id, points, base FROM loyalty_cards ORDER BY id", Ct)
        );
        Assert.Equal(
            ["2|null", $"{OwnedEntities.First}|"],
            await bed.Engine.RowsAsync("SELECT id, base FROM point_history ORDER BY id", Ct)
        );
        Assert.Equal(
            ["card|2|*", "history|2|*"],
            await bed.Engine.RowsAsync("SELECT entity, key, field FROM cdc.conflicts ORDER BY entity", Ct)
        );
        var refused = await Assert.ThrowsAsync<PostgresException>(() =>
            bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 1 WHERE id = 2", Ct)
        );
        Assert.Contains("Odoo has deleted it", refused.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Own_changes_and_Odoo_s_at_the_same_time_are_each_counted_once()
    {
        await using var bed = await StartedAsync();
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id IN (1, 2)", Ct);
        Task Writer(TestDatabase database, string sql) =>
            Task.Run(
                async () =>
                {
                    for (var i = 0; i < 100; i++)
                        await database.ExecuteAsync(sql, Ct);
                },
                Ct
            );
        await Task.WhenAll(
            Writer(bed.Source, "UPDATE loyalty_card SET points = points + 5, partner_id = partner_id + 100"),
            Writer(bed.Engine, "UPDATE loyalty_cards SET points = points + 1, partner_id = partner_id + 1 WHERE id = 1"),
            Writer(bed.Engine, "UPDATE loyalty_cards SET points = points - 2 WHERE id = 2"),
            Writer(bed.Engine, "INSERT INTO point_history (loyalty_card_id, points_amount) VALUES (1, 1)")
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            [
                """1|700.00|101|{"points": 600.00, "partner_id": 10001}""",
                """2|400.00|2|{"points": 600.00, "partner_id": 10002}""",
                "3|600.00|10003|",
            ],
            await bed.Engine.RowsAsync("SELECT id, points, partner_id, base FROM loyalty_cards ORDER BY id", Ct)
        );
        Assert.Equal(
            ["1|200|1", "2|100|1"],
            await bed.Engine.RowsAsync(
                """
                SELECT card, count(*) FILTER (WHERE entity = 'history' OR after ? 'points'), count(*) FILTER (WHERE predecessor IS DISTINCT FROM earlier OR earlier IS NULL) FROM (
                    SELECT *, lag(number) OVER (PARTITION BY card ORDER BY number) AS earlier FROM cdc.sync_log) l GROUP BY card ORDER BY card
                """,
                Ct
            )
        );
        // However many of them came in one batch.
        Assert.Equal(
            100L,
            await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.conflicts WHERE field = 'partner_id' AND key = 2", Ct)
        );
        // What Odoo's users wrote over is to go out again, once.
        Assert.Equal(
            ["2"],
            await bed.Engine.RowsAsync("SELECT after->>'partner_id' FROM cdc.sync_log WHERE card = 2 AND after ? 'partner_id'", Ct)
        );
    }

    [Fact]
    public async Task What_a_reading_does_not_see_stays_where_the_engine_owns_it()
    {
        await using var bed = await StartedAsync();
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id IN (2, 3)", Ct);
        await bed.StopInProcessAsync();
        // As if its deletes had never been heard of.
        await bed.Engine.ExecuteAsync(
            "BEGIN; SET LOCAL session_replication_role = replica; INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points, owner) VALUES (8, 8, 1, 'E', 1, 'engine'), (9, 9, 1, 'O', 1, NULL); COMMIT",
            Ct
        );
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity, allow_deletes) VALUES ('snapshot', 'card', 100)", Ct);
        bed.StartInProcess();
        await Eventually.True(
            "it is read again",
            () => bed.Engine.ScalarAsync<bool>("SELECT bool_and(state = 'done') FROM cdc.requests", Ct),
            ct: Ct
        );
        Assert.Equal(["1|", "2|", "3|", "8|null"], await bed.Engine.RowsAsync("SELECT id, base FROM loyalty_cards ORDER BY id", Ct));
        Assert.Equal(["card|8|*"], await bed.Engine.RowsAsync("SELECT entity, key, field FROM cdc.conflicts", Ct));
    }

    [Fact]
    public async Task A_reading_that_began_before_the_owner_changed_looks_at_the_owner_when_it_is_written()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await OwnedEntities.UseAsync(bed, Ct);
        await bed.Source.ExecuteAsync(Odoo, Ct);
        await using var markers = await HeldMarkers.SetUpAsync(bed, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await markers.HoldAsync(HeldMarkers.Place.BeforeMarker, Ct);
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity, allow_deletes) VALUES ('snapshot', 'card', 100)", Ct);
        await markers.ReachedAsync(Ct);
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2", Ct);
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 10, partner_id = 20 WHERE id = 2", Ct);
        await markers.ReleaseAsync(HeldMarkers.Place.BeforeMarker, Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["""110.00|20|{"points": 100.00, "partner_id": 2}|t"""],
            await bed.Engine.RowsAsync("SELECT points, partner_id, base, source_ordinal < 0 FROM loyalty_cards WHERE id = 2", Ct)
        );
        Assert.Empty(await bed.Engine.RowsAsync(Conflicts, Ct));
    }

    [Fact]
    public async Task The_comparison_is_of_what_Odoo_has_and_a_repair_leaves_what_the_engine_has()
    {
        await using var bed = await StartedAsync();
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2", Ct);
        await bed.Engine.ExecuteAsync($"{Born}; UPDATE loyalty_cards SET points = points + 10, partner_id = 20 WHERE id = 2", Ct);
        var request = new RunRequest(RunKind.Full, [bed.Entity("card"), bed.Entity("history")]);
        Assert.Equal((6, 0, new OwnNumbers(1, 1, 0)), await DriftAsync(bed, request));
        // Somebody has written over what is kept of Odoo, and over a row of Odoo's.
        await bed.Engine.ExecuteAsync(
            """
            BEGIN; SET LOCAL session_replication_role = replica;
            UPDATE loyalty_cards SET base = jsonb_set(base, '{partner_id}', '9') WHERE id = 2; UPDATE loyalty_cards SET points = 7 WHERE id = 3;
            COMMIT
            """,
            Ct
        );
        var servers = new ComparedServers(bed.Source.DataSource, bed.Engine.DataSource, bed.Gate(), bed.Entities);
        var repair = new Repair(
            servers,
            new KeyReads(bed.Engine.ConnectionString, bed.Log),
            new ReconcileOptions(),
            bed.EngineOptions.DeleteLimit
        );
        var plan = await repair.PlanAsync(await new Reconciler(servers, new ReconcileOptions()).RunAsync(request, Ct), request, Ct);
        Assert.Equal(
            ["2 repaired", "3 repaired"],
            (await repair.RunAsync(plan, Ct)).Keys.OrderBy(k => k.Key).Select(k => $"{k.Key} {k.Outcome}")
        );
        Assert.Equal(
            ["""110.00|20|{"points": 100.00, "partner_id": 2}""", "100.00|3|", "5.00||"],
            await bed.Engine.RowsAsync("SELECT points, partner_id, base FROM loyalty_cards WHERE id > 1 ORDER BY id", Ct)
        );
        Assert.Equal((6, 0, new OwnNumbers(1, 1, 0)), await DriftAsync(bed, request));
        // Past the log of own changes.
        await bed.Engine.ExecuteAsync(
            "BEGIN; SET LOCAL session_replication_role = replica; UPDATE loyalty_cards SET points = 500 WHERE id = 2; COMMIT",
            Ct
        );
        Assert.Equal((6, 1, new OwnNumbers(1, 0, 1)), await DriftAsync(bed, request));
        Assert.Equal(
            ["2|unexplained|own.points|110.00|500.00|drift"],
            await bed.Engine.RowsAsync(
                "SELECT d.key, d.kind, d.field, d.odoo_value, d.engine_value, r.verdict FROM cdc.drift d JOIN cdc.reconcile_runs r ON r.id = d.last_run WHERE d.resolved_at IS NULL",
                Ct
            )
        );
        await bed.Engine.ExecuteAsync(
            "BEGIN; SET LOCAL session_replication_role = replica; UPDATE loyalty_cards SET points = 110 WHERE id = 2; COMMIT",
            Ct
        );
        Assert.Equal((6, 0, new OwnNumbers(1, 1, 0)), await DriftAsync(bed, request));
        Assert.Empty(await bed.Engine.RowsAsync("SELECT key FROM cdc.drift WHERE resolved_at IS NULL", Ct));
    }

    [Fact]
    public async Task Without_the_right_to_switch_triggers_off_whoever_applies_is_known_all_the_same()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await OwnedEntities.UseAsync(bed, Ct);
        await bed.Source.ExecuteAsync(Odoo, Ct);
        var role = $"{bed.Engine.Name}_apply";
        await bed.Engine.ExecuteAsync(
            $"""
            CREATE ROLE {role} LOGIN; GRANT TEMPORARY ON DATABASE "{bed.Engine.Name}" TO {role}; GRANT USAGE ON SCHEMA cdc, public TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cdc, public TO {role};
            ALTER TABLE point_moves DROP CONSTRAINT point_moves_loyalty_card_id_fkey;
            ALTER TABLE point_history DROP CONSTRAINT point_history_loyalty_card_id_fkey, DROP CONSTRAINT point_history_point_move_id_fkey
            """,
            Ct
        );
        bed.EngineOptions = bed.EngineOptions with
        {
            ConnectionString = new NpgsqlConnectionStringBuilder(bed.Engine.ConnectionString) { Username = role }.ConnectionString,
        };
        try
        {
            bed.StartInProcess();
            await bed.CaughtUpAsync(Ct);
            await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2", Ct);
            await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 10 WHERE id = 2", Ct);
            await bed.Source.ExecuteAsync(
                "UPDATE loyalty_card SET points = points + 5; DELETE FROM loyalty_point_history WHERE id = 1",
                Ct
            );
            await bed.CaughtUpAsync(Ct);
            Assert.Equal(["105.00", "115.00", "105.00"], await bed.Engine.RowsAsync("SELECT points FROM loyalty_cards ORDER BY id", Ct));
            Assert.Equal(["card|2"], await bed.Engine.RowsAsync("SELECT entity, id FROM cdc.sync_log", Ct));
            await bed.StopInProcessAsync();
        }
        finally
        {
            await bed.Engine.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}", Ct);
        }
    }

    private static async Task<(long Compared, long Drift, OwnNumbers Own)> DriftAsync(PipelineBed bed, RunRequest request)
    {
        var total = (await bed.ReconcileAsync(request, Ct)).Total;
        return (total.Compared, total.Drift, total.Own);
    }

    /// <summary>Odoo's rows are applied, and the engine owns card 2.</summary>
    private async Task<EitherLogBed> StartedAsync(bool overKafka)
    {
        var log = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct, OwnedEntities.All);
        await OwnedEntities.UseAsync(log.Bed, Ct);
        await log.Bed.Source.ExecuteAsync(Odoo, Ct);
        log.Start();
        await log.Bed.CaughtUpAsync(Ct);
        await log.Bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2", Ct);
        return log;
    }

    private async Task<PipelineBed> StartedAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await OwnedEntities.UseAsync(bed, Ct);
        await bed.Source.ExecuteAsync(Odoo, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        return bed;
    }
}
