using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Engine.Privileges;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

/// <summary>
/// The scripts of <c>cdc grants</c> on databases that let nobody in who is not named: what they give is enough, and <c>cdc check</c> knows
/// each part of it. Roles are shared by a server's databases, so each test has its own.
/// </summary>
public sealed class GrantsTests(TestServers servers)
{
    private readonly string _suffix = "_" + Guid.NewGuid().ToString("N")[..12];

    private string SourceRole => "cdc_source" + _suffix;
    private string EngineRole => "cdc_engine" + _suffix;
    private string Owner => "cdc_owner" + _suffix;
    private string[] Comparing => ["cdc_reconcile_source" + _suffix, "cdc_reconcile_engine" + _suffix];

    [Fact(Timeout = 240_000)]
    public async Task The_whole_pipeline_needs_no_more_than_the_printed_grants()
    {
        await using var place = await PlaceAsync();
        var world = place.World;
        await place.MigrateAsync();
        await place.GrantAsync();
        // That one is the server's setting, not a privilege.
        Assert.Equal(["wal-keep-size"], await CodesAsync(world));

        await place.Source(
            """
            INSERT INTO loyalty_program (id, name) VALUES (1, 'Before the load'), (2, 'Deleted later');
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'A', 5)
            """
        );
        await world.RunUntilAsync("SELECT count(*) = 4 AND bool_and(state = 'streaming') FROM cdc.tables");
        await place.Source(
            """
            UPDATE loyalty_card SET points = 7; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (2, 1, ' ', 0);
            INSERT INTO loyalty_point_move (id, loyalty_card_id) VALUES (1, 1); DELETE FROM loyalty_program WHERE id = 2; TRUNCATE loyalty_point_history
            """
        );
        await world.RunUntilAsync(
            """
            SELECT (SELECT points FROM loyalty_cards WHERE id = 1) = 7 AND EXISTS (SELECT FROM cdc.quarantine WHERE key = 2)
               AND EXISTS (SELECT FROM point_moves) AND NOT EXISTS (SELECT FROM promotion_programs WHERE id = 2) AND EXISTS (SELECT FROM cdc.floors)
            """
        );
        Assert.Equal(0, (await world.RunAsync("status")).ExitCode);
        await RepairAsync(place);
        Assert.Equal(0, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
    }

    [Fact(Timeout = 240_000)]
    public async Task Reading_by_membership_leaves_nothing_in_a_dump_of_Odoos_database_and_is_enough()
    {
        // What pg_dump writes down as GRANT.
        const string InDump =
            "SELECT count(*) FROM (SELECT relacl AS acl FROM pg_class UNION ALL SELECT nspacl FROM pg_namespace) a WHERE acl::text LIKE '%{0}%'";
        await using var place = await PlaceAsync();
        await place.MigrateAsync();
        await place.GrantAsync("--read-all");
        Assert.Equal(["wal-keep-size"], await CodesAsync(place.World));
        foreach (var role in (string[])[SourceRole, Comparing[0]])
            Assert.Equal(0L, await place.SourceAsync<long>(string.Format(null, InDump, role)));
        await place.Source("INSERT INTO loyalty_program (id, name) VALUES (1, 'one')");
        await place.World.RunUntilAsync("SELECT EXISTS (SELECT FROM promotion_programs)");
    }

    [Fact(Timeout = 240_000)]
    public async Task Each_right_that_is_missing_at_the_source_is_found_and_its_sql_gives_it_back()
    {
        await using var place = await PlaceAsync();
        await place.MigrateAsync();
        await place.GrantAsync();
        var tables = place.World.Entities.All.Select(e => e.SourceName).ToList();
        (string Code, string Revoke)[] rights =
        [
            ("role-replication", $"ALTER ROLE {SourceRole} NOREPLICATION"),
            ("role-usage", $"REVOKE USAGE ON SCHEMA public FROM {SourceRole}"),
            .. tables.Select(t => ("role-select", $"REVOKE SELECT ON {t} FROM {SourceRole}")),
            (
                "role-function",
                // From 17 on it has one argument more.
                """
                DO $$ BEGIN EXECUTE (SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure) FROM pg_proc
                    WHERE proname = 'pg_logical_emit_message' AND proargtypes[2] = 'text'::regtype); END $$
                """
            ),
            ("role-function", "REVOKE EXECUTE ON FUNCTION pg_current_snapshot() FROM PUBLIC"),
            ("publication-missing", "DROP PUBLICATION cdc_loyalty"),
            .. tables.Select(t => ("publication-tables", $"ALTER PUBLICATION cdc_loyalty DROP TABLE {t}")),
            ("source-connect", $"REVOKE CONNECT ON DATABASE {place.SourceName} FROM {SourceRole}"),
        ];
        foreach (var (code, revoke) in rights)
            await MendsAsync(place, code, revoke, place.Source);
    }

    [Fact(Timeout = 240_000)]
    public async Task Each_right_that_is_missing_in_the_engine_is_found_and_its_sql_gives_it_back()
    {
        await using var place = await PlaceAsync();
        await place.MigrateAsync();
        await place.GrantAsync();
        (string Code, string Revoke)[] rights =
        [
            ("engine-connect", $"REVOKE CONNECT ON DATABASE {place.EngineName} FROM {EngineRole}"),
            ("engine-temporary", $"REVOKE TEMPORARY ON DATABASE {place.EngineName} FROM {EngineRole}"),
            ("engine-schema-usage", $"REVOKE USAGE ON SCHEMA cdc FROM {EngineRole}"),
            ("engine-schema-usage", $"REVOKE USAGE ON SCHEMA public FROM {EngineRole}"),
            ("engine-table-privilege", $"REVOKE SELECT ON cdc_migrations FROM {EngineRole}"),
            ("engine-table-privilege", $"REVOKE INSERT, UPDATE ON loyalty_cards FROM {EngineRole}"),
            ("engine-function", "REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM PUBLIC"),
            ("engine-row-security", "ALTER TABLE loyalty_cards ENABLE ROW LEVEL SECURITY"),
            ("engine-foreign-key-fires", $"REVOKE SET ON PARAMETER session_replication_role FROM {EngineRole}"),
        ];
        foreach (var (code, revoke) in rights)
            await MendsAsync(place, code, revoke, place.Engine);
    }

    [Fact(Timeout = 240_000)]
    public async Task Each_privilege_on_each_table_of_the_engine_is_asked_for()
    {
        await using var place = await PlaceAsync();
        await place.MigrateAsync();
        await place.GrantAsync();
        await place.Engine($"ALTER ROLE {EngineRole} NOBYPASSRLS");
        await using var asked = new NpgsqlConnection(place.World.EngineConnection);
        await asked.OpenAsync(HostWorld.Ct);
        Assert.Empty(await MissingAsync());
        var granted = (
            await place.World.EngineAsync<string[]>(
                $"""
                SELECT array_agg(p.privilege_type || ' ON ' || n.nspname || '.' || c.relname ORDER BY c.relname, p.privilege_type)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) p
                WHERE p.grantee = '{EngineRole}'::regrole AND (c.relkind = 'r' OR p.privilege_type = 'SELECT')
                """
            )
        );
        Assert.True(granted.Length > 100, $"Only {granted.Length} privileges.");
        foreach (var right in granted)
        {
            await place.Engine($"REVOKE {right} FROM {EngineRole}");
            var missing = Assert.Single(await MissingAsync());
            Assert.StartsWith($"GRANT {right} TO {EngineRole};", missing.Remedy, StringComparison.Ordinal);
            await place.Engine(missing.Remedy);
            Assert.Empty(await MissingAsync());
        }

        async Task<IReadOnlyList<Finding>> MissingAsync() =>
            (await EnginePrivileges.ReadAsync(asked, place.World.Entities, HostWorld.Ct)).Missing;
    }

    [Fact(Timeout = 180_000)]
    public async Task A_role_that_may_not_make_tables_is_given_what_migrate_needs()
    {
        await using var place = await PlaceAsync();
        await place.Engine(
            $"CREATE ROLE {Owner} LOGIN; GRANT CONNECT ON DATABASE {place.EngineName} TO {Owner}; GRANT USAGE ON SCHEMA public TO {Owner}"
        );
        place.World.EngineConnection = Place.As(place.World.EngineConnection, Owner);
        var refused = await place.World.RunAsync("migrate");
        Assert.Equal((int)FailureKind.Migration, refused.ExitCode);
        Assert.Contains("cdc grants engine --for migrate", refused.Error, StringComparison.Ordinal);

        var warning = Assert.Single(await FindingsAsync(place.World), f => f.Code == "engine-create");
        await place.Engine(warning.Remedy);
        Assert.DoesNotContain("engine-create", await CodesAsync(place.World));
        Assert.Equal(0, (await place.World.RunAsync("migrate")).ExitCode);

        // Who did not make the tables cannot change them.
        await place.Engine(
            $"DELETE FROM cdc_migrations WHERE version = (SELECT max(version) FROM cdc_migrations); CREATE ROLE {EngineRole} LOGIN; GRANT CONNECT ON DATABASE {place.EngineName} TO {EngineRole}; GRANT USAGE ON SCHEMA public TO {EngineRole}; GRANT SELECT ON cdc_migrations TO {EngineRole}; GRANT USAGE ON SCHEMA cdc TO {EngineRole}"
        );
        place.World.EngineConnection = Place.As(place.World.EngineConnection, EngineRole);
        Assert.Contains(
            $"Run 'cdc migrate' as {Owner}.",
            Assert.Single(await FindingsAsync(place.World), f => f.Code == "engine-create").Remedy,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Scripts_take_names_of_any_kind_and_run_twice()
    {
        await using var place = await PlaceAsync();
        string[] roles = [$"Weird \"name\" $cdc$ %s 'x'{_suffix}", "plain" + _suffix];
        try
        {
            await place.MigrateAsync();
            place.World.Publication = "A \"strange\" one's 100%";
            foreach (var _ in (int[])[1, 2])
            foreach (var (arguments, run) in place.Scripts)
                await run((await place.World.RunAsync(["grants", .. arguments, "--role", roles[0], "--role", roles[1]])).Out);
            Assert.Equal(
                4L,
                await place.World.SourceAsync<long>("SELECT count(*) FROM pg_publication_tables WHERE pubname LIKE 'A \"strange%'")
            );
        }
        finally
        {
            foreach (var role in roles)
                await place.DropRoleAsync(role);
        }
    }

    /// <summary>Snapshot, comparison and repair beside a running pipeline, the comparison also by roles of its own.</summary>
    private async Task RepairAsync(Place place)
    {
        var world = place.World;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(HostWorld.Ct);
        var run = world.RunAsync(null, new StringWriter(), stop.Token, "run");
        Assert.Equal(0, (await world.RunAsync("snapshot", "card", "--wait")).ExitCode);
        Assert.Equal(0, (await world.RunAsync("quarantine", "discard", "card", "2", "--yes")).ExitCode);
        await place.Source("DELETE FROM loyalty_card WHERE id = 2");
        await place.Engine("UPDATE loyalty_cards SET points = 99");
        Assert.Equal((int)FailureKind.NotEqual, (await world.RunAsync("reconcile", "card")).ExitCode);
        var repaired = await world.RunAsync("reconcile", "card", "--repair", "--yes");
        Assert.True(repaired.ExitCode == 0, repaired.Out + repaired.Error);
        var (source, engine) = (world.SourceConnection, world.EngineConnection);
        (world.SourceConnection, world.EngineConnection) = (Place.As(source, Comparing[0]), Place.As(engine, Comparing[1]));
        var compared = await world.RunAsync("reconcile");
        Assert.True(compared.ExitCode == 0, compared.Out + compared.Error);
        (world.SourceConnection, world.EngineConnection) = (source, engine);
        await stop.CancelAsync();
        Assert.Equal(0, (await run).ExitCode);
    }

    /// <summary>Takes one right away: exactly one error of that code, whose remedy, obeyed as it is, ends it.</summary>
    private static async Task MendsAsync(Place place, string code, string revoke, Func<string, Task> onServer)
    {
        await onServer(revoke);
        var errors = (await FindingsAsync(place.World)).Where(f => f.IsError).ToList();
        Assert.True(errors.Select(e => e.Code).Distinct().SequenceEqual([code]), $"{revoke}: {string.Join(", ", errors)}");
        foreach (var error in errors)
            await onServer(error.Remedy);
        Assert.Equal(["wal-keep-size"], await CodesAsync(place.World));
    }

    private static async Task<IEnumerable<string>> CodesAsync(HostWorld world) => (await FindingsAsync(world)).Select(f => f.Code);

    private static async Task<IReadOnlyList<Finding>> FindingsAsync(HostWorld world)
    {
        var check = await world.RunAsync("check", "--json");
        return
        [
            .. JsonDocument
                .Parse(check.Out)
                .RootElement.GetProperty("findings")
                .EnumerateArray()
                .Select(f => new Finding(Text(f, "code"), f.GetProperty("isError").GetBoolean(), Text(f, "message"), Text(f, "remedy"))),
        ];
    }

    private static string Text(JsonElement finding, string name) => finding.GetProperty(name).GetString()!;

    private async Task<Place> PlaceAsync()
    {
        var place = new Place(await HostWorld.CreateUnmigratedAsync(servers), _suffix);
        await place.Source($"REVOKE ALL ON DATABASE {place.SourceName} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC");
        await place.Engine($"REVOKE ALL ON DATABASE {place.EngineName} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC");
        return place;
    }

    /// <summary>A world whose roles are made by scripts; a superuser runs these, and drops the roles afterwards.</summary>
    private sealed class Place(HostWorld world, string suffix) : IAsyncDisposable
    {
        private readonly string _source = world.SourceConnection;
        private readonly string _engine = world.EngineConnection;

        public HostWorld World => world;
        public string SourceName => new NpgsqlConnectionStringBuilder(_source).Database!;
        public string EngineName => new NpgsqlConnectionStringBuilder(_engine).Database!;

        public (string[] Arguments, Func<string, Task> Run)[] Scripts =>
            [
                (["source"], Source),
                (["source", "--for", "reconcile"], Source),
                (["engine", "--for", "migrate"], Engine),
                (["engine"], Engine),
                (["engine", "--for", "reconcile"], Engine),
            ];

        public Task Source(string sql) => ExecuteAsync(_source, sql);

        public Task Engine(string sql) => ExecuteAsync(_engine, sql);

        public static string As(string connection, string role) =>
            new NpgsqlConnectionStringBuilder(connection) { Username = role }.ConnectionString;

        public async Task MigrateAsync()
        {
            await PrintedAsync(Engine, "engine", "--for", "migrate", "--role", "cdc_owner" + suffix);
            world.EngineConnection = As(_engine, "cdc_owner" + suffix);
            var migrated = await world.RunAsync("migrate");
            Assert.True(migrated.ExitCode == 0, migrated.Error);
            Assert.Empty(migrated.Error);
        }

        public async Task<T> SourceAsync<T>(string sql)
        {
            await using var source = NpgsqlDataSource.Create(_source);
            await using var command = source.CreateCommand(sql);
            return (T)(await command.ExecuteScalarAsync(HostWorld.Ct))!;
        }

        public async Task GrantAsync(params string[] source)
        {
            await PrintedAsync(Source, ["source", "--role", "cdc_source" + suffix, .. source]);
            await PrintedAsync(Engine, "engine", "--role", "cdc_engine" + suffix);
            await PrintedAsync(Source, ["source", "--for", "reconcile", "--role", "cdc_reconcile_source" + suffix, .. source]);
            await PrintedAsync(Engine, "engine", "--for", "reconcile", "--role", "cdc_reconcile_engine" + suffix);
            (world.SourceConnection, world.EngineConnection) = (As(_source, "cdc_source" + suffix), As(_engine, "cdc_engine" + suffix));
        }

        public async ValueTask DisposeAsync()
        {
            (world.SourceConnection, world.EngineConnection) = (_source, _engine);
            await Source("DROP PUBLICATION IF EXISTS cdc_loyalty");
            foreach (var role in (string[])["cdc_engine", "cdc_reconcile_engine", "cdc_reconcile_source", "cdc_source", "cdc_owner"])
                await DropRoleAsync(role + suffix);
            await world.DisposeAsync();
        }

        public async Task DropRoleAsync(string role)
        {
            var (name, literal) = (Core.Postgres.Sql.Identifier(role), Core.Postgres.Sql.Literal(role));
            foreach (var (server, parameters) in ((string, bool)[])[(_source, false), (_engine, true)])
            {
                if (!await ExistsAsync(server, literal))
                    continue;
                await ExecuteAsync(server, $"DROP OWNED BY {name} CASCADE");
                if (parameters)
                    await ExecuteAsync(server, $"REVOKE SET ON PARAMETER session_replication_role FROM {name}");
            }
            foreach (var server in (string[])[_source, _engine])
                if (await ExistsAsync(server, literal))
                    await ExecuteAsync(server, $"DROP ROLE {name}");
        }

        private static async Task<bool> ExistsAsync(string server, string role)
        {
            await using var connection = new NpgsqlConnection(server);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand($"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = {role})", connection);
            return (bool)(await command.ExecuteScalarAsync())!;
        }

        private async Task PrintedAsync(Func<string, Task> execute, params string[] arguments)
        {
            var printed = await world.RunAsync(["grants", .. arguments]);
            Assert.Equal((0, ""), (printed.ExitCode, printed.Error));
            await execute(printed.Out);
        }

        private static Task ExecuteAsync(string connectionString, string sql) =>
            SharedCatalog.ChangeAsync(async () =>
            {
                await using var connection = new NpgsqlConnection(connectionString);
                await connection.OpenAsync();
                await using var command = new NpgsqlCommand(sql, connection);
                await command.ExecuteNonQueryAsync();
            });
    }
}
