using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Migrations;

public sealed class MigratorTests(TestServers servers)
{
    private const string Tables = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('public', 'cdc') ORDER BY 1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Schemas => Path.Combine(AppContext.BaseDirectory, "schemas");

    private static IReadOnlyList<Migration> Delivered => Migration.ReadAll(Path.Combine(Schemas, "engine"));

    private static EntitySet Entities => EntityFile.Load(Path.Combine(Schemas, "entities.json"));

    [Fact]
    public async Task Up_twice_does_nothing_the_second_time_and_the_engine_matches_the_declaration()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        var migrator = new Migrator(engine.DataSource, Delivered);
        Assert.Equal(Delivered.Count, (await migrator.UpAsync(null, Ct)).Count);
        Assert.Empty(await migrator.UpAsync(null, Ct));
        Assert.True((await migrator.StatusAsync(Ct)).IsCurrent);
        Assert.Empty(await MigrationCheck.FindAsync(engine.DataSource, Entities, Ct));
    }

    [Fact]
    public async Task Down_to_nothing_and_up_again_leaves_the_same_tables()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        var migrator = new Migrator(engine.DataSource, Delivered);
        await migrator.UpAsync(null, Ct);
        var before = await engine.RowsAsync(Tables, "NULL", Ct);
        await migrator.DownAsync(0, Ct);
        Assert.Equal(["public.cdc_migrations"], await engine.RowsAsync(Tables, "NULL", Ct));
        Assert.Equal(0, (await migrator.StatusAsync(Ct)).Version);
        await migrator.UpAsync(null, Ct);
        Assert.Equal(before, await engine.RowsAsync(Tables, "NULL", Ct));
    }

    [Fact]
    public async Task Up_and_down_stop_at_their_target()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        var migrator = new Migrator(engine.DataSource, Delivered);
        await migrator.UpAsync(2, Ct);
        Assert.Equal(2, (await migrator.StatusAsync(Ct)).Version);
        await migrator.DownAsync(1, Ct);
        Assert.Equal(1, (await migrator.StatusAsync(Ct)).Version);
        var refused = await Assert.ThrowsAsync<CdcException>(() => migrator.UpAsync(99, Ct));
        Assert.Equal(FailureKind.Usage, refused.Kind);
    }

    [Fact]
    public async Task Cards_for_which_an_older_version_has_no_place_are_not_lost_on_the_way_back()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        var migrator = new Migrator(engine.DataSource, Delivered);
        await migrator.UpAsync(null, Ct);
        await DeclaredAggregate.EnsureAsync(engine.DataSource, EntityFile.Load("odoo-20"), Ct);
        await engine.ExecuteAsync(
            "INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (1, 1, NULL, 'a', 1), (2, 2, 7, repeat('x', 129), 1), (3, 3, 7, 'c', 1)",
            Ct
        );
        var refused = await Assert.ThrowsAsync<CdcException>(() => migrator.DownAsync(14, Ct));
        Assert.Equal(FailureKind.Migration, refused.Kind);
        Assert.Contains("2 cards have no program, or a code of more than 128 characters", refused.Message, StringComparison.Ordinal);
        Assert.Contains("SELECT id FROM loyalty_cards WHERE program_id IS NULL", refused.Message, StringComparison.Ordinal);
        Assert.Equal(3L, await engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards WHERE warning IS NULL", Ct));
        await engine.ExecuteAsync("DELETE FROM loyalty_cards WHERE id < 3", Ct);
        await migrator.DownAsync(14, Ct);
        // The sums of Odoo 20 went with the columns that they are made of.
        await engine.ExecuteAsync(
            "INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount, points_balance) VALUES (1, 1, 3, 1, 1)",
            Ct
        );
        await migrator.UpAsync(null, Ct);
        Assert.Equal(1L, await engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards", Ct));
    }

    [Fact]
    public async Task Of_two_at_once_each_migration_is_applied_by_exactly_one()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => new Migrator(engine.DataSource, Delivered).UpAsync(null, Ct)));
        Assert.Equal(Delivered.Select(m => m.Version), applied.SelectMany(a => a).Select(m => m.Version).Order());
    }

    [Fact]
    public async Task A_migration_that_changed_after_it_was_applied_is_refused()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        await new Migrator(engine.DataSource, Delivered).UpAsync(1, Ct);
        var changed = Delivered.Select(m => m.Version == 1 ? m with { Checksum = "other" } : m).ToList();
        var refused = await Assert.ThrowsAsync<CdcException>(() => new Migrator(engine.DataSource, changed).UpAsync(null, Ct));
        Assert.Equal(FailureKind.Migration, refused.Kind);
        Assert.Contains("0001_cdc", refused.Message, StringComparison.Ordinal);
        Assert.True((await new Migrator(engine.DataSource, changed).StatusAsync(Ct)).Migrations[0].Changed);
    }

    [Fact]
    public async Task A_program_older_than_the_engines_schema_is_refused()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        await new Migrator(engine.DataSource, Delivered).UpAsync(null, Ct);
        var refused = await Assert.ThrowsAsync<CdcException>(() =>
            new Migrator(engine.DataSource, [.. Delivered.Take(2)]).DownAsync(0, Ct)
        );
        Assert.Equal(FailureKind.Migration, refused.Kind);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_behind()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        List<Migration> broken = [new Migration(1, "broken", "CREATE TABLE half (); SELECT 1/0", "", "c")];
        var failed = await Assert.ThrowsAsync<CdcException>(() => new Migrator(engine.DataSource, broken).UpAsync(null, Ct));
        Assert.Contains("22012", failed.Message, StringComparison.Ordinal);
        Assert.Empty(await engine.RowsAsync(Tables, "NULL", Ct));
    }

    [Fact]
    public async Task Foreign_keys_exist_only_for_a_role_that_may_switch_their_triggers_off()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        var role = $"cdc_plain_{Guid.NewGuid():N}";
        await engine.ExecuteAsync(
            $"CREATE ROLE {role} LOGIN; GRANT CREATE ON SCHEMA public TO {role}; DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {role}', current_database()); END $$",
            Ct
        );
        await using (
            var plain = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(engine.ConnectionString) { Options = $"-c role={role}" }.ConnectionString
            )
        )
        {
            var notices = new List<string>();
            await new Migrator(plain, Delivered, notices.Add).UpAsync(null, Ct);
            Assert.Contains(notices, n => n.Contains("GRANT SET ON PARAMETER session_replication_role", StringComparison.Ordinal));
            Assert.Equal(
                ["0"],
                await engine.RowsAsync(
                    "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace",
                    "NULL",
                    Ct
                )
            );
            Assert.Equal(
                3,
                (await MigrationCheck.FindAsync(plain, Entities, Ct)).Count(f =>
                    f is { Code: "engine-foreign-key-missing", IsError: false }
                )
            );

            await new Migrator(plain, Delivered).DownAsync(0, Ct);
            await SharedCatalog.ChangeAsync(() => engine.ExecuteAsync($"GRANT SET ON PARAMETER session_replication_role TO {role}", Ct));
            await new Migrator(plain, Delivered).UpAsync(null, Ct);
            Assert.Equal(
                ["3"],
                await engine.RowsAsync(
                    "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace",
                    "NULL",
                    Ct
                )
            );
            Assert.Empty(await MigrationCheck.FindAsync(plain, Entities, Ct));
        }
        await SharedCatalog.ChangeAsync(() =>
            engine.ExecuteAsync($"REVOKE SET ON PARAMETER session_replication_role FROM {role}; DROP OWNED BY {role}; DROP ROLE {role}", Ct)
        );
    }

    [Fact]
    public async Task Every_difference_between_engine_and_declaration_is_found_at_once_and_its_SQL_mends_it()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        await new Migrator(engine.DataSource, Delivered).UpAsync(null, Ct);
        await engine.ExecuteAsync(
            """
            ALTER TABLE loyalty_cards DROP COLUMN partner_id, ALTER COLUMN points TYPE numeric(12,2), ALTER COLUMN code DROP NOT NULL,
                ALTER COLUMN company_id SET NOT NULL, ADD COLUMN extra int NOT NULL, DROP COLUMN source_lsn, DROP COLUMN sync_version;
            ALTER TABLE point_history DROP CONSTRAINT point_history_loyalty_card_id_fkey,
                ADD FOREIGN KEY (loyalty_card_id) REFERENCES loyalty_cards ON DELETE CASCADE;
            DROP TABLE promotion_programs;
            """,
            Ct
        );
        var findings = await MigrationCheck.FindAsync(engine.DataSource, Entities, Ct);
        Assert.Equal(
            [
                "engine-column-missing",
                "engine-column-not-null",
                "engine-column-nullable",
                "engine-column-type",
                "engine-column-missing",
                "engine-column-missing",
                "engine-column-required",
                "engine-table-missing",
                "engine-foreign-key-acts",
            ],
            findings.Select(f => f.Code)
        );
        foreach (var finding in findings)
            await engine.ExecuteAsync(finding.Remedy[IndexOfSql(finding.Remedy)..], Ct);
        Assert.DoesNotContain(await MigrationCheck.FindAsync(engine.DataSource, Entities, Ct), f => f.IsError);
    }

    private static int IndexOfSql(string remedy) =>
        new[] { "CREATE TABLE", "ALTER TABLE" }.Select(s => remedy.IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0).Min();

    [Fact]
    public async Task Ids_born_in_the_engine_start_above_every_id_of_Odoo_and_an_Odoo_row_keeps_its_own()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("migrate", ct: Ct);
        await new Migrator(engine.DataSource, Delivered).UpAsync(null, Ct);
        Assert.Equal(
            ["4294967296|NULL"],
            await engine.RowsAsync(
                "INSERT INTO loyalty_cards (program_id, code, points) VALUES (1, 'A', 0) RETURNING id, odoo_card_id",
                "NULL",
                Ct
            )
        );
        await engine.ExecuteAsync("UPDATE loyalty_cards SET odoo_card_id = 5", Ct);
        await Refused(
            "INSERT INTO loyalty_cards (program_id, code, points, odoo_card_id) VALUES (1, 'B', 0, 5)",
            PostgresErrorCodes.UniqueViolation
        );
        await Refused(
            "INSERT INTO loyalty_cards (id, program_id, code, points, odoo_card_id) VALUES (7, 1, 'B', 0, 8)",
            PostgresErrorCodes.CheckViolation
        );
        await Refused("INSERT INTO loyalty_cards (id, program_id, code, points) VALUES (7, 1, 'B', 0)", PostgresErrorCodes.CheckViolation);
        await engine.ExecuteAsync("INSERT INTO loyalty_cards (id, program_id, code, points, odoo_card_id) VALUES (-7, 1, 'B', 0, -7)", Ct);

        async Task Refused(string sql, string state) =>
            Assert.Equal(state, (await Assert.ThrowsAsync<PostgresException>(() => engine.ExecuteAsync(sql, Ct))).SqlState);
    }
}
