using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Capture;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

public sealed class PreflightTests(TestServers servers)
{
    private const string CardTable = "CREATE TABLE card (id serial PRIMARY KEY, code varchar, points float8); ";
    private const string HistoryTable = "CREATE TABLE history (id serial PRIMARY KEY, card_id int); ";
    private const string Card = "card: id integer, code text, points float";
    private const string History = "history: id integer, card_id integer";

    [Fact]
    public async Task A_source_that_is_ready_has_no_errors_before_and_after_the_slot_exists()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        Assert.DoesNotContain(await CheckAsync(bed), f => f.IsError);
        await new SlotSetup(bed.Options, bed.Entities).DropSlotAsync(Ct);
        await bed.RunAsync("DROP PUBLICATION cdc_test");
        Assert.DoesNotContain(await CheckAsync(bed), f => f.IsError);
    }

    [Theory]
    [InlineData("ALTER TABLE card REPLICA IDENTITY NOTHING", "replica-identity")]
    [InlineData("ALTER TABLE card DROP CONSTRAINT card_pkey", "key-not-primary", "replica-identity")]
    [InlineData(
        "ALTER TABLE card ALTER code SET NOT NULL; CREATE UNIQUE INDEX u ON card (code); ALTER TABLE card REPLICA IDENTITY USING INDEX u",
        "replica-identity"
    )]
    [InlineData("ALTER TABLE card DROP points", "column-missing")]
    [InlineData("ALTER TABLE card ALTER points TYPE text", "column-type")]
    [InlineData("ALTER TABLE card DROP points; ALTER TABLE card ADD points float8 GENERATED ALWAYS AS (id * 2) STORED", "column-generated")]
    [InlineData("ALTER TABLE card DROP CONSTRAINT card_pkey, ADD PRIMARY KEY (id) DEFERRABLE", "replica-identity")]
    [InlineData("ALTER TABLE card DROP CONSTRAINT card_pkey, ADD PRIMARY KEY (code)", "key-not-primary", "replica-identity")]
    [InlineData("ALTER TABLE card SET UNLOGGED", "table-unlogged")]
    [InlineData("DROP TABLE card", "table-missing")]
    [InlineData("ALTER TABLE card RENAME TO real_card; CREATE VIEW card AS SELECT * FROM real_card", "table-kind")]
    [InlineData("ALTER TABLE card RENAME TO real_card; CREATE MATERIALIZED VIEW card AS SELECT * FROM real_card", "table-kind")]
    [InlineData(
        "DROP TABLE card; CREATE TABLE card (id int PRIMARY KEY, code varchar, points float8) PARTITION BY RANGE (id)",
        "table-kind"
    )]
    [InlineData(
        "DROP TABLE card; CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE card (id int, code varchar, points float8) SERVER s",
        "table-kind"
    )]
    public async Task A_table_that_cannot_be_followed_is_refused_before_the_publication_exists(string ddl, params string[] codes)
    {
        await using var database = await CreateAsync(CardTable);
        await database.ExecuteAsync(ddl, Ct);
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities(Card), Ct);
        Assert.Equal(codes, Errors(findings));
        Assert.All(findings, f => Assert.NotEmpty(f.Remedy));
        // The table is Odoo's.
        Assert.All(findings.Where(f => f.Code != "replica-identity"), f => Assert.DoesNotMatch("(?i)ALTER TABLE|ALTER COLUMN", f.Remedy));
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM pg_publication", Ct));
    }

    [Theory]
    [InlineData("SELECT")]
    [InlineData("ALTER TABLE rel DROP CONSTRAINT rel_pkey, ADD PRIMARY KEY (b, a)")]
    [InlineData("ALTER TABLE rel ALTER a TYPE smallint")]
    [InlineData(
        "ALTER TABLE rel DROP CONSTRAINT rel_pkey; CREATE UNIQUE INDEX u ON rel (a, b); ALTER TABLE rel REPLICA IDENTITY USING INDEX u"
    )]
    [InlineData("ALTER TABLE rel ALTER b TYPE bigint", "key-too-wide")]
    [InlineData("ALTER TABLE rel ALTER b TYPE text", "column-type")]
    [InlineData("ALTER TABLE rel DROP CONSTRAINT rel_pkey, ADD PRIMARY KEY (a, b, c)", "key-not-primary")]
    [InlineData("ALTER TABLE rel DROP CONSTRAINT rel_pkey, ADD PRIMARY KEY (a)", "key-not-primary", "replica-identity")]
    // Nothing says that two rows are not equal.
    [InlineData("ALTER TABLE rel DROP CONSTRAINT rel_pkey; ALTER TABLE rel REPLICA IDENTITY FULL", "key-not-primary")]
    [InlineData("ALTER TABLE rel DROP CONSTRAINT rel_pkey; CREATE UNIQUE INDEX u ON rel (a, b)", "key-not-primary", "replica-identity")]
    [InlineData(
        "ALTER TABLE rel DROP CONSTRAINT rel_pkey; CREATE UNIQUE INDEX u ON rel (a, b, c); ALTER TABLE rel REPLICA IDENTITY USING INDEX u",
        "key-not-primary"
    )]
    public async Task A_key_of_two_columns_is_the_primary_key_or_the_index_that_is_the_identity(string ddl, params string[] codes)
    {
        await using var database = await CreateAsync("CREATE TABLE rel (a int, b int, c int NOT NULL, PRIMARY KEY (a, b)); ");
        await database.ExecuteAsync(ddl, Ct);
        var rel = Declared.Entities("rel: a integer, b integer")[0];
        EntitySet entities = new([rel with { SecondKey = rel.SourceColumns[1] }]);
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), entities, Ct);
        Assert.Equal(codes, Errors(findings));
    }

    [Theory]
    [InlineData("code text PRIMARY KEY")]
    [InlineData("code varchar(9) PRIMARY KEY")]
    [InlineData("code text PRIMARY KEY, more int", "column-type", "code char(9) PRIMARY KEY")]
    [InlineData("code text PRIMARY KEY", "key-not-primary", "code text, b int, PRIMARY KEY (code, b)")]
    public async Task A_key_of_text_is_one_whose_text_is_all_of_it(string columns, string? code = null, string? instead = null)
    {
        await using var database = await CreateAsync($"CREATE TABLE rel ({instead ?? columns}); ");
        var rel = Declared.Entities("rel: code text")[0];
        EntitySet entities = new([rel with { HashedKey = [rel.SourceColumns[0]] }]);
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), entities, Ct);
        Assert.Equal(code is null ? [] : [code], Errors(findings));
    }

    /// <summary>Of one that is declared by one of its columns the remedy is what to declare.</summary>
    [Fact]
    public async Task A_table_of_two_columns_that_is_declared_by_one_is_told_to_declare_both()
    {
        await using var database = await CreateAsync("CREATE TABLE rel (a int, b int, PRIMARY KEY (a, b)); ");
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities("rel: b integer, a integer"), Ct);
        Assert.Contains(
            findings,
            f => f.Code == "key-not-primary" && f.Remedy.Contains("\"key\": [\"a\", \"b\"]", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("ALTER TABLE card REPLICA IDENTITY NOTHING")]
    [InlineData("CREATE PUBLICATION cdc_test FOR TABLE history")]
    [InlineData("CREATE PUBLICATION cdc_test FOR TABLE card WHERE (id > 7), history")]
    [InlineData("CREATE PUBLICATION cdc_test FOR TABLE card (id, code), history WITH (publish = 'insert', publish_via_partition_root)")]
    public async Task The_sql_of_a_finding_mends_it(string ddl)
    {
        await using var database = await CreateAsync(CardTable + HistoryTable);
        await database.ExecuteAsync(ddl, Ct);
        var options = StreamTestBed.OptionsOf(database);
        var findings = await Preflight.CheckAsync(options, Declared.Entities(Card), Ct);
        Assert.Contains(findings, f => f.IsError);
        foreach (var finding in findings.Where(f => f.IsError))
            await database.ExecuteAsync(finding.Remedy, Ct);
        Assert.Empty(Errors(await Preflight.CheckAsync(options, Declared.Entities(Card), Ct)));
    }

    [Fact]
    public async Task Every_missing_privilege_is_named_at_once_with_its_grant()
    {
        await using var database = await CreateAsync(CardTable + HistoryTable + "REVOKE ALL ON SCHEMA public FROM PUBLIC");
        var role = database.Name + "_reader";
        await database.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'secret'", Ct);
        try
        {
            var entities = Declared.Entities(Card, History);
            var options = StreamTestBed.OptionsOf(database);
            options = options with { ConnectionString = $"{options.ConnectionString};Username={role};Password=secret;Pooling=false" };
            var findings = await Preflight.CheckAsync(options, entities, Ct);
            Assert.Equal(["role-replication", "role-usage", "role-select", "role-select", "publication-missing"], Errors(findings));
            foreach (var finding in findings.Where(f => f.IsError))
                await database.ExecuteAsync(finding.Remedy, Ct);
            Assert.Empty(Errors(await Preflight.CheckAsync(options, entities, Ct)));

            await database.ExecuteAsync("ALTER TABLE card ENABLE ROW LEVEL SECURITY", Ct);
            var hidden = Assert.Single(await Preflight.CheckAsync(options, entities, Ct), f => f.IsError);
            Assert.Equal("row-security", hidden.Code);

            await database.ExecuteAsync(hidden.Remedy + "; ALTER PUBLICATION cdc_test DROP TABLE history", Ct);
            Assert.Equal(["publication-tables"], Errors(await Preflight.CheckAsync(options, entities, Ct)));
        }
        finally
        {
            await database.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}", CancellationToken.None);
        }
    }

    [Theory]
    [InlineData("FOR TABLE history", "publication-empty", true)]
    [InlineData("FOR TABLE card, history", "publication-surplus", false)]
    [InlineData("FOR TABLE card WHERE (id > 5)", "publication-filter", true)]
    [InlineData("FOR TABLE card (id)", "publication-columns", true)]
    [InlineData("FOR TABLE card WITH (publish = 'insert, update')", "publication-operations", true)]
    public async Task A_publication_that_would_leave_something_out_is_refused(string definition, string code, bool isError)
    {
        await using var database = await CreateAsync(CardTable + HistoryTable + $"CREATE PUBLICATION cdc_test {definition}");
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities(Card), Ct);
        Assert.Contains((code, isError), findings.Select(f => (f.Code, f.IsError)));
        Assert.Equal(isError ? [code] : [], Errors(findings));
    }

    [Theory]
    [InlineData("")]
    [InlineData("; CREATE VIEW card AS SELECT * FROM real_card")]
    public async Task A_table_that_was_renamed_is_called_that_and_obeyed_remedies_keep_it_published(string instead)
    {
        await using var database = await CreateAsync(CardTable + HistoryTable + "CREATE PUBLICATION cdc_test FOR TABLE card, history");
        await database.ExecuteAsync($"ALTER TABLE card RENAME TO real_card{instead}", Ct);
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities(Card), Ct);
        var renamed = Assert.Single(findings, f => f.Code == "table-renamed");
        Assert.Contains("public.real_card", renamed.Message, StringComparison.Ordinal);
        Assert.Equal((false, "public.card"), (renamed.IsError, renamed.Table));
        Assert.DoesNotContain("real_card", Assert.Single(findings, f => f.Code == "publication-surplus").Message, StringComparison.Ordinal);
        foreach (var finding in findings.Where(f => f.Remedy.StartsWith("ALTER PUBLICATION", StringComparison.Ordinal)))
            await database.ExecuteAsync(finding.Remedy, Ct);
        await database.ExecuteAsync($"{(instead.Length > 0 ? "DROP VIEW card; " : "")}ALTER TABLE real_card RENAME TO card", Ct);
        var mended = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities(Card), Ct);
        Assert.DoesNotContain(mended, f => f.Code != "wal-keep-size");
    }

    [Theory]
    [InlineData("CREATE TABLE other AS TABLE card", "Two tables could be it.")]
    [InlineData("DROP TABLE history", "It could be either of two.")]
    public async Task A_table_that_may_be_another_is_not_called_renamed(string change, string why)
    {
        await using var database = await CreateAsync(CardTable + HistoryTable + "CREATE PUBLICATION cdc_test FOR ALL TABLES");
        await database.ExecuteAsync($"{change}; ALTER TABLE card RENAME TO real_card", Ct);
        string[] declared = change.StartsWith("DROP", StringComparison.Ordinal) ? [Card, "history: id integer"] : [Card];
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities(declared), Ct);
        Assert.True(findings.All(f => f.Code != "table-renamed"), why);
        Assert.Contains("real_card", Assert.Single(findings, f => f.Code == "publication-surplus").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FOR ALL TABLES", "publication-surplus")]
    [InlineData("FOR TABLES IN SCHEMA public", "publication-surplus")]
    [InlineData("FOR ALL TABLES WITH (publish_via_partition_root)", "publication-surplus")]
    [InlineData("FOR TABLE card (id, code, points)")]
    [InlineData("FOR TABLE card WITH (publish_via_partition_root)")]
    public async Task A_publication_of_any_form_that_brings_every_change_is_followed(string definition, params string[] warnings)
    {
        await using var database = await CreateAsync(CardTable + HistoryTable + $"CREATE PUBLICATION cdc_test {definition}");
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities(Card), Ct);
        Assert.Empty(Errors(findings));
        Assert.Equal(warnings, findings.Where(f => f.Code != "wal-keep-size").Select(f => f.Code));
        Assert.Null(await new SlotSetup(StreamTestBed.OptionsOf(database), Declared.Entities(Card)).EnsurePublicationAsync(Ct));
    }

    [Theory]
    [InlineData("", "publication-via-root")]
    [InlineData("publish_via_partition_root = false", null)]
    public async Task A_partition_is_followed_where_its_rows_come_under_its_own_name(string setting, string? error)
    {
        await using var database = await CreateAsync(
            CardTable
                + """
                CREATE TABLE root (id int NOT NULL, code varchar, points float8) PARTITION BY RANGE (id);
                ALTER TABLE root ATTACH PARTITION card DEFAULT;
                CREATE PUBLICATION cdc_test FOR TABLE root WITH (publish_via_partition_root);
                """
        );
        if (setting.Length > 0)
            await database.ExecuteAsync($"ALTER PUBLICATION cdc_test SET ({setting})", Ct);
        var options = StreamTestBed.OptionsOf(database);
        var findings = await Preflight.CheckAsync(options, Declared.Entities(Card), Ct);
        Assert.Equal(error is null ? [] : [error], Errors(findings));
        foreach (var finding in findings.Where(f => f.IsError))
            await database.ExecuteAsync(finding.Remedy, Ct);
        Assert.Empty(Errors(await Preflight.CheckAsync(options, Declared.Entities(Card), Ct)));
    }

    [Fact]
    public async Task Tables_that_inherit_are_named_and_not_followed()
    {
        await using var database = await CreateAsync(CardTable + "CREATE TABLE archive () INHERITS (card)");
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities(Card), Ct);
        Assert.Empty(Errors(findings));
        Assert.Contains("archive", Assert.Single(findings, f => f.Code == "table-children").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_publication_is_never_put_on_a_table_whose_own_updates_would_fail_by_it()
    {
        await using var database = await CreateAsync(CardTable + HistoryTable + "ALTER TABLE card REPLICA IDENTITY NOTHING");
        var setup = new SlotSetup(StreamTestBed.OptionsOf(database), Declared.Entities(Card, History));
        Assert.Equal("history", Assert.Single((await setup.EnsurePublicationAsync(Ct))!.Added).Name);
        Assert.Null(await setup.EnsurePublicationAsync(Ct));
        await database.ExecuteAsync(
            "INSERT INTO card VALUES (1); UPDATE card SET points = 1; ALTER TABLE card REPLICA IDENTITY DEFAULT",
            Ct
        );
        Assert.Equal("card", Assert.Single((await setup.EnsurePublicationAsync(Ct))!.Added).Name);
    }

    [Fact]
    public async Task A_table_that_will_be_added_to_the_publication_is_a_warning()
    {
        await using var database = await CreateAsync(CardTable + HistoryTable + "CREATE PUBLICATION cdc_test FOR TABLE card");
        var findings = await Preflight.CheckAsync(StreamTestBed.OptionsOf(database), Declared.Entities(Card, History), Ct);
        Assert.Empty(Errors(findings));
        Assert.Contains(findings, f => f.Code == "publication-extended");
    }

    [Fact]
    public async Task A_slot_that_is_not_ours_is_refused()
    {
        await using var database = await CreateAsync(CardTable);
        await using var other = await CreateAsync(CardTable);
        var options = StreamTestBed.OptionsOf(database);
        await using var session = await database.DataSource.OpenConnectionAsync(Ct);
        var create = async (TestDatabase at, string arguments, string function) =>
        {
            await at.ExecuteAsync($"SELECT {function}({arguments})", Ct);
            var errors = Errors(await Preflight.CheckAsync(options, Declared.Entities(Card), Ct));
            await at.ExecuteAsync($"SELECT pg_drop_replication_slot('{options.SlotName}')", Ct);
            return errors;
        };
        Assert.Equal(["slot-plugin"], await create(database, $"'{options.SlotName}'", "pg_create_physical_replication_slot"));
        Assert.Equal(
            ["slot-plugin"],
            await create(database, $"'{options.SlotName}', 'test_decoding'", "pg_create_logical_replication_slot")
        );
        Assert.Equal(["slot-database"], await create(other, $"'{options.SlotName}', 'pgoutput'", "pg_create_logical_replication_slot"));
        await using var command = new NpgsqlCommand(
            $"SELECT pg_create_logical_replication_slot('{options.SlotName}', 'pgoutput', true)",
            session
        );
        await command.ExecuteScalarAsync(Ct);
        Assert.Equal(["slot-temporary"], Errors(await Preflight.CheckAsync(options, Declared.Entities(Card), Ct)));
    }

    [Fact]
    public async Task A_source_that_cannot_be_asked_gives_one_finding_and_only_a_dead_one_is_retried()
    {
        var admin = await servers.Source.ConnectionStringAsync();
        var unknownDatabase = await CheckAsync($"{admin};Database=no_such_database;Pooling=false");
        var unknownRole = await CheckAsync($"{admin};Username=no_such_role;Password=x;Pooling=false");
        var dead = await CheckAsync("Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=5");
        var malformed = await CheckAsync("Hots=x");
        Assert.Equal(
            ("source-database", FailureKind.Configuration),
            (Assert.Single(unknownDatabase).Code, Finding.KindOf(unknownDatabase))
        );
        Assert.Contains(Assert.Single(unknownRole).Code, new[] { "source-login", "source-password" });
        Assert.Equal(("source-unreachable", FailureKind.Unavailable), (Assert.Single(dead).Code, Finding.KindOf(dead)));
        Assert.Equal("source-connection-string", Assert.Single(malformed).Code);
    }

    [Fact]
    public async Task A_server_without_logical_wal_or_free_places_is_refused_all_at_once_and_a_wrong_password_alone()
    {
        var settings = new Dictionary<string, string>
        {
            ["wal_level"] = "replica",
            ["max_replication_slots"] = "1",
            ["max_wal_senders"] = "0",
        };
        await using var cluster = await PgCluster.StartAsync(
            new PgClusterOptions
            {
                Name = "refused",
                SharedBuffers = "16MB",
                Settings = settings,
            },
            Ct
        );
        await using var admin = NpgsqlDataSource.Create(cluster.ConnectionString("postgres"));
        await ExecuteAsync(
            admin,
            CardTable + "SELECT pg_create_physical_replication_slot('taken'); CREATE ROLE odoo LOGIN REPLICATION PASSWORD 'right'"
        );
        Assert.Equal(["wal-level", "slots-full", "senders-full"], Errors(await CheckAsync(cluster.ConnectionString("postgres"))));

        await File.WriteAllTextAsync(Path.Combine(cluster.DataDirectory, "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n", Ct);
        await ExecuteAsync(admin, "SELECT pg_reload_conf()");
        await Eventually.True(
            "the server wants a password",
            async () =>
                (await CheckAsync(cluster.ConnectionString("postgres", "odoo") + ";Password=wrong;Pooling=false"))
                    .Select(f => f.Code)
                    .SequenceEqual(["source-password"]),
            ct: Ct
        );
        Assert.Equal("source-login", Assert.Single(await CheckAsync(cluster.ConnectionString("postgres", "odoo") + ";Pooling=false")).Code);
    }

    [Fact]
    public async Task A_lost_slot_is_found_before_the_start_and_named_when_streaming()
    {
        var settings = new Dictionary<string, string>
        {
            ["max_slot_wal_keep_size"] = "1MB",
            ["max_wal_size"] = "32MB",
            ["min_wal_size"] = "32MB",
        };
        await using var cluster = await PgCluster.StartAsync(
            new PgClusterOptions
            {
                Name = "lost",
                SharedBuffers = "16MB",
                Settings = settings,
            },
            Ct
        );
        var options = new SourceOptions
        {
            ConnectionString = cluster.ConnectionString("postgres"),
            SlotName = "cdc",
            Publication = "cdc",
        };
        await using var admin = NpgsqlDataSource.Create(options.ConnectionString);
        await ExecuteAsync(admin, CardTable);
        var setup = new SlotSetup(options, Declared.Entities(Card));
        await setup.EnsurePublicationAsync(Ct);
        await setup.CreateSlotAsync(Ct);
        await Eventually.True(
            "the slot is lost",
            async () =>
            {
                await ExecuteAsync(admin, "INSERT INTO card (code) SELECT repeat('x', 1000) FROM generate_series(1, 20000)");
                await ExecuteAsync(admin, "SELECT pg_switch_wal()");
                await ExecuteAsync(admin, "CHECKPOINT");
                return (await setup.ReadAsync(Ct))!.IsLost;
            },
            async () => (await setup.ReadAsync(Ct))!.ToString(),
            ct: Ct
        );
        Assert.Equal(["slot-lost"], Errors(await Preflight.CheckAsync(options, Declared.Entities(Card), Ct)));
        Assert.Equal("slot-lost", Assert.IsType<DeclaredGapException>(await StreamTestBed.FailureOfAsync(options)).GapKind);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string[] Errors(IReadOnlyList<Finding> findings) => [.. findings.Where(f => f.IsError).Select(f => f.Code)];

    private static Task<IReadOnlyList<Finding>> CheckAsync(StreamTestBed bed) => Preflight.CheckAsync(bed.Options, bed.Entities, Ct);

    private static Task<IReadOnlyList<Finding>> CheckAsync(string connectionString) =>
        Preflight.CheckAsync(new SourceOptions { ConnectionString = connectionString }, Declared.Entities(Card), Ct);

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private async Task<TestDatabase> CreateAsync(string ddl)
    {
        var database = await servers.Source.CreateDatabaseAsync("capture", ct: Ct);
        await database.ExecuteAsync(ddl, Ct);
        return database;
    }
}
