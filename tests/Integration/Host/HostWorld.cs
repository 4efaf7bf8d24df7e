using Cdc.Core.Entities;
using Cdc.Host;
using Cdc.Host.Terminals;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

/// <summary>Two databases, a slot name and the command line over them; all of its own and gone afterwards.</summary>
internal sealed class HostWorld : IAsyncDisposable
{
    private readonly HostServers _servers;
    private readonly string _name = "cdc_host_" + Guid.NewGuid().ToString("N")[..12];

    private HostWorld(HostServers servers) => _servers = servers;

    public string Slot => _name;
    public string SourceConnection { get; set; } = "";
    public string EngineConnection { get; set; } = "";
    public SqlSlotSetup Setup { get; private set; } = null!;
    public EntitySet Entities { get; } = new([Entity(0, "card", "loyalty_card", "loyalty_cards"), Entity(1, "move", "loyalty_point_move", "point_moves", "card")]);

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<HostWorld> CreateAsync(HostServers servers, bool migrated = true)
    {
        var world = new HostWorld(servers);
        world.SourceConnection = await CreateDatabaseAsync(servers.Source, world._name + "_s");
        world.EngineConnection = await CreateDatabaseAsync(servers.Engine, world._name + "_e");
        world.Setup = new SqlSlotSetup(world.SourceConnection, world.Slot);
        if (migrated) await world.EngineAsync(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "schemas", "engine", "0001_cdc.up.sql"), Ct));
        if (migrated) await world.EngineAsync("CREATE TABLE loyalty_cards (id bigint PRIMARY KEY); CREATE TABLE point_moves (id bigint PRIMARY KEY, card_id bigint)");
        return world;
    }

    /// <summary>The engine follows the source's slot, with everything applied that is written now.</summary>
    public async Task FollowAsync()
    {
        var start = await Setup.CreateAsync(Ct);
        var identity = await SourceAsync<string>("SELECT system_identifier::text FROM pg_control_system()");
        await EngineAsync($"""
            INSERT INTO cdc.source (state, generation, session, system_identifier, timeline, database_name, slot, publication, written_lsn)
            VALUES ('streaming', 3, 7, '{identity}', 1, '{_name}_s', '{Slot}', 'cdc_loyalty', '{start}');
            INSERT INTO cdc.checkpoints (partition, generation, last_lsn, last_xid, last_commit_at, through_lsn, owner_token)
            VALUES ('all', 3, '{start}', 99, now() - interval '5 minutes', '{start}', '00000000-0000-0000-0000-000000000001');
            INSERT INTO cdc.tables (entity, state, estimated_rows) VALUES ('card', 'streaming', 1000), ('move', 'streaming', 0)
            """);
    }

    public Task<CommandRun> RunAsync(params string[] args) => RunAsync(null, new StringWriter(), Ct, args);

    /// <param name="answers">Lines typed by somebody at the terminal; null: nobody can be asked.</param>
    public async Task<CommandRun> RunAsync(string? answers, StringWriter output, CancellationToken ct, params string[] args)
    {
        var error = new StringWriter();
        var terminal = new Terminal
        {
            Out = output, Error = error, In = new StringReader(answers ?? ""), OutIsTerminal = false, ErrorIsTerminal = false, CanAsk = answers is not null,
        };
        var code = await CommandLine.RunAsync(args, new CommandHost(Parts(), terminal, Environment(), TimeProvider.System), null, ct);
        return new CommandRun(code, output.ToString(), error.ToString());
    }

    public Task EngineAsync(string sql) => ExecuteAsync(EngineConnection, sql);

    public Task SourceAsync(string sql) => ExecuteAsync(SourceConnection, sql);

    public Task<T> EngineAsync<T>(string sql) => ScalarAsync<T>(EngineConnection, sql);

    public Task<T> SourceAsync<T>(string sql) => ScalarAsync<T>(SourceConnection, sql);

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await ExecuteAsync(_servers.Source, $"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{Slot}'");
        await ExecuteAsync(_servers.Source, $"DROP DATABASE IF EXISTS {_name}_s WITH (FORCE)");
        await ExecuteAsync(_servers.Engine, $"DROP DATABASE IF EXISTS {_name}_e WITH (FORCE)");
    }

    private Parts Parts() => new()
    {
        LoadEntities = _ => Entities,
        Pipeline = (_, _, _) => throw new InvalidOperationException("not expected: pipeline"),
        Preflight = (_, _, _) => throw new InvalidOperationException("not expected: preflight"),
        Migrator = (_, _) => throw new InvalidOperationException("not expected: migrator"),
        SlotSetup = (_, _) => Setup,
        Workload = (_, _, _) => throw new InvalidOperationException("not expected: workload"),
    };

    private Dictionary<string, string> Environment() => new()
    {
        ["CDC__Source__ConnectionString"] = SourceConnection, ["CDC__Engine__ConnectionString"] = EngineConnection, ["CDC__Source__SlotName"] = Slot,
    };

    private static EntityDeclaration Entity(int index, string name, string source, string engine, string? parent = null)
    {
        var key = new SourceColumn(0, "id", SourceType.Integer);
        return new EntityDeclaration
        {
            Index = index, Name = name, SourceSchema = "public", SourceTable = source, EngineSchema = "public", EngineTable = engine, Key = key, EngineKey = "id",
            SourceColumns = [key], Columns = [], Rules = [new RowRule("code-empty", "code <> ''", "a card needs a code", Warn: false)],
            Parents = parent is null ? [] : [new ParentReference("card_id", parent)],
        };
    }

    private static async Task<string> CreateDatabaseAsync(string server, string name)
    {
        await ExecuteAsync(server, $"CREATE DATABASE {name}");
        return new NpgsqlConnectionStringBuilder(server) { Database = name, Pooling = false }.ConnectionString;
    }

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

internal sealed record CommandRun(int ExitCode, string Out, string Error);
