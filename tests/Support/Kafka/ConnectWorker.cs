using System.Text.Json.Nodes;
using Cdc.Log.Kafka;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Npgsql;

namespace Cdc.Tests.Support.Kafka;

/// <summary>
/// A Kafka Connect worker (standalone) with Debezium's JDBC sink: <c>CDC_CONNECT_HOME</c> names a folder whose <c>plugins</c> has the sink
/// and an Avro converter that asks a registry of Confluent's protocol.
/// </summary>
public sealed class ConnectWorker : IAsyncDisposable
{
    private const string Connector = "sink";
    private const string Converter = "converter.RegistryAvroConverter";

    private readonly string _folder = Directory.CreateTempSubdirectory("cdc-connect-").FullName;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly int _port = FreePort.Next();
    private WatchedProcess? _worker;

    private ConnectWorker() { }

    /// <param name="topics">A regular expression.</param>
    /// <param name="registry">Address of the registry.</param>
    /// <param name="database">Connection string of the database that the sink writes to.</param>
    /// <param name="more">Settings of the connector, over the usual ones.</param>
    /// <exception cref="MissingPrerequisiteException">It is not there: a skip, with CI set a failure.</exception>
    public static async Task<ConnectWorker> StartAsync(
        KafkaOptions kafka,
        string topics,
        Uri registry,
        string database,
        IReadOnlyDictionary<string, string> more,
        CancellationToken ct
    )
    {
        var (plugins, libraries) = Find();
        var worker = new ConnectWorker();
        try
        {
            await worker.WriteAsync("worker.properties", worker.Worker(kafka, plugins, registry), ct);
            await worker.WriteAsync("sink.properties", [.. Sink(topics, new NpgsqlConnectionStringBuilder(database)), .. more], ct);
            worker._worker = await WatchedProcess.StartAsync(
                new WatchedCommand(
                    "java",
                    "-Xmx384m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                    "-cp",
                    Path.Combine(libraries, "*"),
                    "org.apache.kafka.connect.cli.ConnectStandalone",
                    worker.PathOf("worker.properties"),
                    worker.PathOf("sink.properties")
                )
                {
                    OrphanScratch = worker._folder,
                },
                ct
            );
            return worker;
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Why it has failed; null: it has not, as far as it says.</summary>
    public async Task<string?> FailureAsync(CancellationToken ct)
    {
        if (_worker!.HasExited)
            return $"The worker has ended: {_worker.Tail}";
        try
        {
            var status = JsonNode.Parse(
                await _http.GetStringAsync(new Uri($"http://127.0.0.1:{_port}/connectors/{Connector}/status"), ct)
            )!;
            return
                status["tasks"]!.AsArray().Prepend(status["connector"]).FirstOrDefault(p => (string?)p!["state"] == "FAILED")?["trace"]
                    is { } trace
                ? (string?)trace
                : null;
        }
        catch (HttpRequestException)
        {
            return null; // It does not answer yet.
        }
    }

    /// <summary>With its positions committed.</summary>
    public async Task StopAsync(CancellationToken ct) => await _worker!.StopAsync(Signal.Terminate, ct);

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null)
            await _worker.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static (string Plugins, string Libraries) Find()
    {
        if (Environment.GetEnvironmentVariable("CDC_CONNECT_HOME") is not { Length: > 0 } home)
            throw new MissingPrerequisiteException(
                "No Kafka Connect: set CDC_CONNECT_HOME to a folder whose plugins has Debezium's JDBC sink and an Avro converter."
            );
        var parent = Directory.GetParent(Path.GetFullPath(home))!.FullName;
        string?[] homes = [Environment.GetEnvironmentVariable("CDC_KAFKA_HOME"), .. Directory.GetDirectories(parent, "kafka-*")];
        var libraries = homes
            .Where(h => h is { Length: > 0 })
            .Select(h => Path.Combine(h!, "libs"))
            .FirstOrDefault(l => Directory.Exists(l) && Directory.GetFiles(l, "connect-runtime-*.jar").Length > 0);
        return libraries is null
            ? throw new MissingPrerequisiteException("No libs of Kafka Connect: set CDC_KAFKA_HOME to a Kafka that has them.")
            : (Path.Combine(home, "plugins"), libraries);
    }

    private Dictionary<string, string> Worker(KafkaOptions kafka, string plugins, Uri registry) =>
        new()
        {
            ["bootstrap.servers"] = kafka.BootstrapServers,
            ["listeners"] = $"http://127.0.0.1:{_port}",
            ["plugin.path"] = plugins,
            ["plugin.discovery"] = "service_load",
            ["offset.storage.file.filename"] = PathOf("offsets"),
            ["key.converter"] = Converter,
            ["key.converter.schema.registry.url"] = registry.ToString(),
            ["value.converter"] = Converter,
            ["value.converter.schema.registry.url"] = registry.ToString(),
        };

    private static Dictionary<string, string> Sink(string topics, NpgsqlConnectionStringBuilder database) =>
        new()
        {
            ["name"] = Connector,
            ["connector.class"] = "io.debezium.connector.jdbc.JdbcSinkConnector",
            ["topics.regex"] = topics,
            ["connection.url"] = $"jdbc:postgresql://{database.Host}:{database.Port}/{database.Database}",
            ["connection.username"] = database.Username ?? "postgres",
            ["connection.password"] = database.Password ?? "none",
            ["insert.mode"] = "upsert",
            ["primary.key.mode"] = "record_key",
            ["delete.enabled"] = "true",
            ["schema.evolution"] = "basic",
            ["consumer.override.isolation.level"] = "read_committed",
        };

    /// <summary>Java's properties take a backslash for an escape. Of a name that is there twice the last counts.</summary>
    private Task WriteAsync(string name, IEnumerable<KeyValuePair<string, string>> properties, CancellationToken ct) =>
        File.WriteAllLinesAsync(
            PathOf(name),
            properties.Select(p => $"{p.Key}={p.Value.Replace(@"\", @"\\", StringComparison.Ordinal)}"),
            ct
        );

    private string PathOf(string name) => Path.Combine(_folder, name);
}
