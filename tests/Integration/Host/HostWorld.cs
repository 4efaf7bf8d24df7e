using Cdc.Core.Entities;
using Cdc.Engine;
using Cdc.Expressions.Declaration;
using Cdc.Host;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

/// <summary>Two databases, a slot name and the command line over them; all of its own and gone afterwards.</summary>
internal sealed class HostWorld : IAsyncDisposable
{
    private readonly TestDatabase _source;
    private readonly TestDatabase _engine;

    private HostWorld(TestDatabase source, TestDatabase engine, EntitySet entities)
    {
        (_source, _engine, Entities) = (source, engine, entities);
        (SourceConnection, EngineConnection, Slot) = (Unpooled(source), Unpooled(engine), source.Name);
    }

    public string Slot { get; set; }
    public string Publication { get; set; } = "cdc_loyalty";
    public string OwnMigrations { get; set; } = "";
    public string SourceConnection { get; set; }
    public string EngineConnection { get; set; }
    public EntitySet Entities { get; }

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Two entities of keys only: enough for what the commands read and write themselves.</summary>
    public static async Task<HostWorld> CreateAsync(TestServers servers, bool migrated = true)
    {
        var world = await EmptyAsync(
            servers,
            new([Entity(0, "card", "loyalty_card", "loyalty_cards"), Entity(1, "move", "loyalty_point_move", "point_moves", "card")])
        );
        await world.SourceAsync("CREATE TABLE loyalty_card (id int PRIMARY KEY); CREATE TABLE loyalty_point_move (id int PRIMARY KEY)");
        foreach (
            var version in migrated
                ? (string[])
                    [
                        "0001_cdc",
                        "0004_fences",
                        "0005_reconcile",
                        "0009_alerts",
                        "0011_as_of",
                        "0013_guards",
                        "0014_owed_deletes",
                        "0016_pause",
                        "0018_own_changes",
                        "0019_source_keys",
                        "0021_sent_changes",
                    ]
                : []
        )
            await world.EngineAsync(
                await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "schemas", "engine", version + ".up.sql"), Ct)
            );
        if (migrated)
            await world.EngineAsync(
                "CREATE TABLE loyalty_cards (id bigint PRIMARY KEY, source_generation integer); CREATE TABLE point_moves (id bigint PRIMARY KEY, card_id bigint, source_generation integer)"
            );
        return world;
    }

    /// <summary>Odoo's tables and the delivered declaration: what the whole program needs. The engine is as <c>cdc migrate</c> leaves it.</summary>
    public static async Task<HostWorld> CreateWholeAsync(TestServers servers)
    {
        var world = await CreateUnmigratedAsync(servers);
        Assert.Equal(0, (await world.RunAsync("migrate")).ExitCode);
        return world;
    }

    /// <summary>The same with an engine database that is empty.</summary>
    /// <param name="entities">Null: the delivered ones.</param>
    public static async Task<HostWorld> CreateUnmigratedAsync(TestServers servers, EntitySet? entities = null)
    {
        var world = await EmptyAsync(
            servers,
            entities ?? EntityFile.Load(Path.Combine(AppContext.BaseDirectory, "schemas", "entities.json"))
        );
        await world.SourceAsync(OdooSchema.Sql);
        return world;
    }

    private static async Task<HostWorld> EmptyAsync(TestServers servers, EntitySet entities) =>
        new(
            await servers.Source.CreateDatabaseAsync("cdc_host_s", ct: Ct),
            await servers.Engine.CreateDatabaseAsync("cdc_host_e", ct: Ct),
            entities
        );

    /// <summary>The engine follows the source's slot, with everything applied that is written now.</summary>
    public async Task FollowAsync()
    {
        await SourceAsync("CREATE PUBLICATION cdc_loyalty FOR TABLE loyalty_card, loyalty_point_move");
        var start = await CreateSlotAsync();
        var identity = await SourceAsync<string>("SELECT system_identifier::text FROM pg_control_system()");
        await EngineAsync(
            $"""
            INSERT INTO cdc.source (state, generation, session, system_identifier, timeline, database_name, slot, publication, written_lsn)
            VALUES ('streaming', 3, 7, '{identity}', 1, '{_source.Name}', '{Slot}', 'cdc_loyalty', '{start}');
            INSERT INTO cdc.checkpoints (partition, generation, last_lsn, last_xid, last_commit_at, through_lsn, owner_token)
            VALUES ('all', 3, '{start}', 99, now() - interval '5 minutes', '{start}', '00000000-0000-0000-0000-000000000001');
            INSERT INTO cdc.tables (entity, state, estimated_rows) VALUES ('card', 'streaming', 1000), ('move', 'streaming', 0)
            """
        );
    }

    /// <returns>Its confirmed LSN.</returns>
    public Task<string> CreateSlotAsync() =>
        SourceAsync<string>($"SELECT lsn::text FROM pg_create_logical_replication_slot('{Slot}', 'pgoutput')");

    /// <summary>The real program, in a process of its own.</summary>
    /// <param name="crashAt">Where it is killed with SIGKILL.</param>
    public Task<(int ExitCode, string Output)> RunProcessAsync(string? crashAt, params string[] args) =>
        CdcProcess.RunAsync(args, Environment().Append(new("CDC_CRASH_AT", crashAt!)).ToDictionary(e => e.Key, e => (string?)e.Value), Ct);

    public Task<CommandRun> RunAsync(params string[] args) => RunAsync(null, new StringWriter(), Ct, args);

    /// <param name="answers">Lines typed at the terminal; null: there is none.</param>
    public Task<CommandRun> RunAsync(string? answers, StringWriter output, CancellationToken ct, params string[] args) =>
        CommandRun.StartAsync(Parts, Environment(), answers, output, args, ct);

    /// <summary><c>cdc run</c>, until a query of the engine is true; it must then drain and exit with 0.</summary>
    public async Task RunUntilAsync(string reached)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var run = RunAsync(null, new StringWriter(), stop.Token, "run");
        await Eventually.True(reached, async () => run.IsCompleted || await EngineAsync<bool>(reached), ct: Ct);
        await stop.CancelAsync();
        var ended = await run;
        Assert.True(ended.ExitCode == 0, ended.Error);
        Assert.True(await EngineAsync<bool>(reached));
    }

    public Task EngineAsync(string sql) => ExecuteAsync(EngineConnection, sql);

    public Task SourceAsync(string sql) => ExecuteAsync(SourceConnection, sql);

    public Task<T> EngineAsync<T>(string sql) => ScalarAsync<T>(EngineConnection, sql);

    public Task<T> SourceAsync<T>(string sql) => ScalarAsync<T>(SourceConnection, sql);

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _engine.DisposeAsync();
    }

    private Parts Parts => Composition.Connect() with { LoadEntities = _ => Entities };

    private Dictionary<string, string> Environment() =>
        new()
        {
            ["CDC__Source__ConnectionString"] = SourceConnection,
            ["CDC__Engine__ConnectionString"] = EngineConnection,
            ["CDC__Source__SlotName"] = Slot,
            ["CDC__Source__Publication"] = Publication,
            ["CDC__Api__Enabled"] = "false",
            ["CDC__Continuous__Enabled"] = "false",
            ["CDC__Entities__Migrations"] = OwnMigrations,
        };

    private static EntityDeclaration Entity(int index, string name, string source, string engine, string? parent = null)
    {
        var key = new SourceColumn(0, "id", SourceType.Integer);
        return new EntityDeclaration
        {
            Index = index,
            Name = name,
            SourceSchema = "public",
            SourceTable = source,
            EngineSchema = "public",
            EngineTable = engine,
            Key = key,
            EngineKey = "id",
            SourceColumns = [key],
            Columns = [],
            Rules = [new RowRule("code-empty", "code <> ''", "a card needs a code", Warn: false)],
            Parents = parent is null ? [] : [new ParentReference("card_id", parent)],
        };
    }

    private static string Unpooled(TestDatabase database) =>
        new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<T> ScalarAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }
}
