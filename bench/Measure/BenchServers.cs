using Cdc.Log.Kafka;
using Cdc.Testing.Kafka;
using Cdc.Testing.Postgres;
using Cdc.Tests.Support.Kafka;

namespace Cdc.Bench.Measure;

/// <summary>Odoo's cluster, and the engine's with one database for each replica.</summary>
internal sealed class BenchServers : IAsyncDisposable
{
    private readonly PgCluster _source;
    private readonly PgCluster _engine;

    private readonly TestKafka? _kafka;

    private BenchServers(PgCluster source, PgCluster engine, TestKafka? kafka, KafkaOptions? log) =>
        (_source, _engine, _kafka, Kafka) = (source, engine, kafka, log);

    /// <summary>Null: cdc's log is in-process.</summary>
    public KafkaOptions? Kafka { get; }

    public int SourcePort => _source.Port;
    public string Binaries => _source.Binaries;
    public BenchDatabase Odoo => new(_source.ConnectionString("odoo"));
    public BenchDatabase EngineAdmin => new(_engine.ConnectionString("postgres"));

    /// <summary>CPU of all processes of Odoo's server, those that have ended included.</summary>
    public TimeSpan SourceCpu => ProcessCpu.OfServer(_source.Pid);
    public TimeSpan EngineCpu => ProcessCpu.OfServer(_engine.Pid);

    public BenchDatabase EngineDatabase(string name) => new(_engine.ConnectionString(name));

    public string EngineLog => _engine.LogTail();

    public static async Task<BenchServers> StartAsync(bool withKafka, CancellationToken ct)
    {
        var kafka = withKafka ? new TestKafka { Role = KafkaBrokerRole.Measured } : null;
        var log = kafka is null ? null : await kafka.OptionsAsync();
        var source = await PgCluster.StartAsync(
            new PgClusterOptions
            {
                Name = "bench-odoo",
                Fsync = true,
                Settings = SourceSettings,
            },
            ct
        );
        try
        {
            var engine = await PgCluster.StartAsync(
                new PgClusterOptions
                {
                    Name = "bench-engine",
                    Fsync = true,
                    Settings = EngineSettings,
                },
                ct
            );
            await new BenchDatabase(source.ConnectionString("postgres")).ExecuteAsync(ct, "CREATE DATABASE odoo TEMPLATE template0");
            return new BenchServers(source, engine, kafka, log);
        }
        catch
        {
            await source.DisposeAsync();
            if (kafka is not null)
                await kafka.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _source.DisposeAsync();
        if (_kafka is not null)
            await _kafka.DisposeAsync();
    }

    // Vacuum runs between measurements, never beside one by chance.
    private static readonly Dictionary<string, string> Quiet = new()
    {
        ["autovacuum"] = "off",
        ["checkpoint_timeout"] = "1h",
        ["max_wal_size"] = "16GB",
    };

    // cdc asks for it in its connection; a native subscription cannot, so everyone gets it.
    private static readonly Dictionary<string, string> SourceSettings = new(Quiet) { ["logical_decoding_work_mem"] = "256MB" };

    // Or a subscription that is enabled again waits up to 5 s for its worker.
    private static readonly Dictionary<string, string> EngineSettings = new(Quiet) { ["wal_retrieve_retry_interval"] = "100ms" };
}
