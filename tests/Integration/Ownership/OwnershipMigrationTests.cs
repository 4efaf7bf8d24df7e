using Cdc.Core.Failures;
using Cdc.Engine.Migrations;
using Cdc.Engine.Ownership;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>An engine that is there already gets owners, and can be rid of them again.</summary>
public sealed class OwnershipMigrationTests(TestServers servers)
{
    private const int Before = 16;

    private const string Rows = """
        INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (1, 1, 1, 'ODOO', 1);
        INSERT INTO loyalty_cards (program_id, code, points) VALUES (1, 'BORN', 2), (1, 'KNOWN', 3);
        UPDATE loyalty_cards SET odoo_card_id = 77 WHERE code = 'KNOWN';
        INSERT INTO point_history (loyalty_card_id, points_amount) SELECT id, 4 FROM loyalty_cards ORDER BY id
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Migrator Migrator(TestDatabase engine) => new(engine.DataSource, Migration.ReadAll(SourceTree.PathOf("schemas/engine")));

    [Fact]
    public async Task Rows_that_were_born_in_the_engine_before_are_pending_creates_now()
    {
        await using var engine = await OldEngineAsync();
        var said = new List<string>();
        await DeclaredOwnership.EnsureAsync(engine.DataSource, OwnedEntities.All, said.Add, Ct);
        Assert.Equal(2, said.Count);
        Assert.Contains("1 rows of public.loyalty_cards were born in the engine", said[0], StringComparison.Ordinal);
        Assert.Contains("3 rows of public.point_history were born in the engine", said[1], StringComparison.Ordinal);
        Assert.Equal(
            [
                "history|1|create|4.00|t",
                $"card|{OwnedEntities.First}|create||t",
                $"history|{OwnedEntities.First}|create|4.00|t",
                $"history|{OwnedEntities.First + 1}|create|4.00|t",
            ],
            await engine.RowsAsync(
                "SELECT entity, card, action, after->>'points_amount', predecessor IS NOT DISTINCT FROM lag(number) OVER (PARTITION BY card ORDER BY number) FROM cdc.sync_log ORDER BY card, number",
                Ct
            )
        );
        Assert.Equal(
            ["1||t", $"{OwnedEntities.First}|engine|t", $"{OwnedEntities.First + 1}|engine|t"],
            await engine.RowsAsync(
                "SELECT id, owner, own_number = (SELECT max(number) FROM cdc.sync_log l WHERE l.card = c.id) FROM loyalty_cards c ORDER BY id",
                Ct
            )
        );
        // Again it makes nothing, and adopts nothing.
        await DeclaredOwnership.EnsureAsync(engine.DataSource, OwnedEntities.All, said.Add, Ct);
        Assert.Equal((2, 4L), (said.Count, await engine.ScalarAsync<long>("SELECT count(*) FROM cdc.sync_log", Ct)));
        Assert.Empty(await DeclaredOwnership.FindAsync(engine.DataSource, OwnedEntities.All, Ct));
        await engine.ExecuteAsync("DROP TRIGGER cdc_own_update ON point_moves", Ct);
        Assert.Equal("engine-ownership", Assert.Single(await DeclaredOwnership.FindAsync(engine.DataSource, OwnedEntities.All, Ct)).Code);
        await DeclaredOwnership.EnsureAsync(engine.DataSource, OwnedEntities.All, said.Add, Ct);
        Assert.Empty(await DeclaredOwnership.FindAsync(engine.DataSource, OwnedEntities.All, Ct));
    }

    [Theory]
    [InlineData("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 1", "1 cards belong to the engine, and 0 own changes")]
    [InlineData(
        "INSERT INTO cdc.sync_log (entity, id, card, number, action) VALUES ('card', 1, 1, 1, 'update')",
        "0 cards belong to the engine, and 1 own changes"
    )]
    public async Task The_way_back_is_refused_while_the_engine_owns_a_card_or_something_is_not_in_Odoo(string sql, string said)
    {
        await using var engine = await OwnedEntities.CreateEngineAsync(servers, Ct);
        await OwnedEntities.CardsAsync(engine, 1, null, Ct);
        await engine.ExecuteAsync(sql, Ct);
        var refused = await Assert.ThrowsAsync<CdcException>(() => Migrator(engine).DownAsync(Before, Ct));
        Assert.Equal(FailureKind.Migration, refused.Kind);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.Equal(4L, await engine.ScalarAsync<long>(Columns, Ct));
    }

    [Fact]
    public async Task The_way_back_leaves_the_rows_and_nothing_else()
    {
        await using var engine = await OwnedEntities.CreateEngineAsync(servers, Ct);
        await OwnedEntities.CardsAsync(engine, 2, null, Ct);
        await Migrator(engine).DownAsync(Before, Ct);
        Assert.Equal(0L, await engine.ScalarAsync<long>(Columns, Ct));
        Assert.Equal(
            0L,
            await engine.ScalarAsync<long>(
                "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'cdc\\_own%') + (SELECT count(*) FROM pg_proc WHERE pronamespace = to_regnamespace('cdc')) + (to_regclass('public.sync_log') IS NOT NULL)::int",
                Ct
            )
        );
        Assert.Equal(["1|100.00", "2|100.00"], await engine.RowsAsync("SELECT id, points FROM loyalty_cards ORDER BY id", Ct));
        await Migrator(engine).UpAsync(null, Ct);
        await DeclaredOwnership.EnsureAsync(engine.DataSource, OwnedEntities.All, _ => { }, Ct);
        Assert.Equal(4L, await engine.ScalarAsync<long>(Columns, Ct));
    }

    [Fact]
    public async Task A_declaration_without_owners_any_more_stops_everything_until_nothing_is_the_engine_s()
    {
        await using var engine = await OwnedEntities.CreateEngineAsync(servers, Ct);
        await OwnedEntities.CardsAsync(engine, 1, null, Ct);
        await engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine'", Ct);
        var plain = EntityFile.Load(SourceTree.PathOf("schemas/entities.json"));
        Assert.Equal(
            3,
            (await DeclaredOwnership.FindAsync(engine.DataSource, plain, Ct)).Count(f => f is { Code: "engine-ownership", IsError: true })
        );
        var refused = await Assert.ThrowsAsync<CdcException>(() => DeclaredOwnership.EnsureAsync(engine.DataSource, plain, _ => { }, Ct));
        Assert.Contains("the engine owns 1 of public.loyalty_cards", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await DeclaredOwnership.FindAsync(engine.DataSource, OwnedEntities.All, Ct));
        await engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'odoo'", Ct);
        await DeclaredOwnership.EnsureAsync(engine.DataSource, plain, _ => { }, Ct);
        Assert.Empty(await DeclaredOwnership.FindAsync(engine.DataSource, plain, Ct));
        Assert.Equal(0L, await engine.ScalarAsync<long>("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'cdc\\_own%'", Ct));
    }

    [Fact]
    public async Task A_table_that_is_in_use_is_waited_for_a_little_and_tried_again()
    {
        await using var engine = await servers.CreateEngineAsync("owned_busy", Ct);
        await using var reader = await engine.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await reader.BeginTransactionAsync(Ct);
        await using (var command = new NpgsqlCommand("SELECT count(*) FROM loyalty_cards", reader))
            await command.ExecuteScalarAsync(Ct);
        var waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ensured = DeclaredOwnership.EnsureAsync(engine.DataSource, OwnedEntities.All, _ => waits.TrySetResult(), Ct);
        await waits.Task.WaitAsync(TimeSpan.FromSeconds(60), Ct);
        // Nobody queues behind it meanwhile, and nothing is half made.
        Assert.Equal(0L, await engine.ScalarAsync<long>(Columns, Ct));
        await transaction.CommitAsync(Ct);
        await ensured;
        Assert.Equal(4L, await engine.ScalarAsync<long>(Columns, Ct));
    }

    [Fact]
    public async Task A_column_of_the_operator_s_own_is_not_written_into()
    {
        await using var engine = await servers.CreateEngineAsync("owned_taken", Ct);
        await engine.ExecuteAsync("ALTER TABLE loyalty_cards ADD COLUMN owner integer", Ct);
        var refused = await Assert.ThrowsAsync<CdcException>(() =>
            DeclaredOwnership.EnsureAsync(engine.DataSource, OwnedEntities.All, _ => { }, Ct)
        );
        Assert.Contains("owner integer", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1L, await engine.ScalarAsync<long>(Columns, Ct));
    }

    [Fact]
    public async Task Somebody_else_s_sync_log_stays_what_it_is()
    {
        await using var engine = await OldEngineAsync("CREATE TABLE sync_log (x integer)");
        await Migrator(engine).DownAsync(Before, Ct);
        Assert.Equal(
            "r",
            await engine.ScalarAsync<string>("SELECT relkind::text FROM pg_class WHERE oid = 'public.sync_log'::regclass", Ct)
        );
    }

    private const string Columns =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'loyalty_cards'::regclass AND attname IN ('owner', 'own_number', 'odoo_number', 'base') AND NOT attisdropped";

    /// <summary>As the version before left it, with rows; then migrated.</summary>
    private async Task<TestDatabase> OldEngineAsync(string rows = Rows)
    {
        var engine = await servers.Engine.CreateDatabaseAsync("owned_old", ct: Ct);
        await Migrator(engine).UpAsync(Before, Ct);
        await engine.ExecuteAsync(rows, Ct);
        await Migrator(engine).UpAsync(null, Ct);
        return engine;
    }
}
