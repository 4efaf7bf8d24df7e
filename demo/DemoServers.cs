using Cdc.Log.Kafka;
using Cdc.Testing.Kafka;
using Cdc.Testing.Postgres;
using Npgsql;

namespace Cdc.Demo;

/// <summary>Odoo's server and the engine's, each with one database.</summary>
internal sealed class DemoServers : IAsyncDisposable
{
    private const string SourceDatabase = "odoo";
    private const string EngineDatabase = "engine";
    private readonly PgCluster _source;
    private readonly PgCluster _engine;

    private readonly string? _preset;

    private DemoServers(PgCluster source, PgCluster engine, DemoKafka? kafka, string? preset)
    {
        (_source, _engine, Kafka, _preset) = (source, engine, kafka, preset);
        (Source, Engine) = (NpgsqlDataSource.Create(SourceString), NpgsqlDataSource.Create(EngineString));
    }

    public string SourceString => _source.ConnectionString(SourceDatabase);
    public string EngineString => _engine.ConnectionString(EngineDatabase);
    public NpgsqlDataSource Source { get; }
    public NpgsqlDataSource Engine { get; }

    /// <summary>Where <c>cdc run</c> serves its Api: beside another copy of the demo the default port may be taken.</summary>
    public string ApiUrl { get; } = $"http://127.0.0.1:{FreePort.Next()}";

    public string SourcePsql => Psql(_source, SourceDatabase);
    public string EnginePsql => Psql(_engine, EngineDatabase);

    /// <summary>What the real program is started with.</summary>
    public IReadOnlyDictionary<string, string?> CdcSettings =>
        new Dictionary<string, string?>([
            .. Kafka?.Options.Environment() ?? [],
            .. _preset is null ? [] : new Dictionary<string, string?> { ["CDC__Entities"] = _preset },
        ])
        {
            ["CDC__Source__ConnectionString"] = SourceString,
            ["CDC__Engine__ConnectionString"] = EngineString,
            ["CDC__Api__Urls"] = ApiUrl,
        };

    /// <summary>Null: there is none.</summary>
    public DemoKafka? Kafka { get; }

    /// <param name="withKafka">A broker too.</param>
    /// <param name="preset">Of the declaration; null: the delivered one.</param>
    public static async Task<DemoServers> StartAsync(bool withKafka, string? preset, CancellationToken ct)
    {
        var kafka = withKafka ? await DemoKafka.StartAsync(ct) : null;
        try
        {
            return await StartAsync(kafka, preset, ct);
        }
        catch
        {
            if (kafka is not null)
                await kafka.DisposeAsync();
            throw;
        }
    }

    private static async Task<DemoServers> StartAsync(DemoKafka? kafka, string? preset, CancellationToken ct)
    {
        var source = PgCluster.StartAsync(new PgClusterOptions { Name = "demo-odoo", Fsync = true }, ct);
        var engine = PgCluster.StartAsync(new PgClusterOptions { Name = "demo-engine", Fsync = true }, ct);
        try
        {
            await Task.WhenAll(source, engine);
        }
        catch
        {
            foreach (var started in (Task<PgCluster>[])[source, engine])
                if (started.IsCompletedSuccessfully)
                    await started.Result.DisposeAsync();
            throw;
        }
        var servers = new DemoServers(await source, await engine, kafka, preset);
        await CreateDatabaseAsync(servers._source, SourceDatabase, ct);
        await CreateDatabaseAsync(servers._engine, EngineDatabase, ct);
        return servers;
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Engine.DisposeAsync();
        await _source.DisposeAsync();
        await _engine.DisposeAsync();
        if (Kafka is not null)
            await Kafka.DisposeAsync();
    }

    private static async Task CreateDatabaseAsync(PgCluster cluster, string name, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(cluster.ConnectionString("postgres"));
        await using var command = admin.CreateCommand($"CREATE DATABASE {name} TEMPLATE template0");
        await command.ExecuteNonQueryAsync(ct);
    }

    private static string Psql(PgCluster cluster, string database) => $"psql -h 127.0.0.1 -p {cluster.Port} -U postgres {database}";
}
