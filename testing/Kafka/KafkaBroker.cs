using System.Globalization;
using System.Net.Sockets;
using Cdc.Testing.Postgres;
using Cdc.Testing.Processes;
using Cdc.Testing.Waiting;

namespace Cdc.Testing.Kafka;

/// <summary>
/// A real Kafka broker (0.9) with its ZooKeeper: temporary folder, free ports on 127.0.0.1, topics made at their first use. Both die with
/// this process and the folder goes with them.
/// </summary>
public sealed class KafkaBroker : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("cdc-kafka-").FullName;
    private readonly string _home;
    private readonly int _zooKeeperPort = FreePort.Next();
    private WatchedProcess? _zooKeeper;
    private WatchedProcess? _broker;

    private readonly KafkaBrokerRole _role;

    private KafkaBroker(string home, KafkaBrokerRole role) => (_home, _role) = (home, role);

    public int Port { get; } = FreePort.Next();

    public string BootstrapServers => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Settings that clients of so old a broker need.</summary>
    public static IReadOnlyDictionary<string, string> ClientSettings { get; } =
        new Dictionary<string, string>
        {
            ["api.version.request"] = "false",
            ["broker.version.fallback"] = "0.9.0.1",
            ["enable.idempotence"] = "false",
        };

    /// <param name="partitions">Of topics that are made at their first use.</param>
    /// <exception cref="MissingPrerequisiteException">Kafka or Java is missing: a skip, with CI set a failure.</exception>
    public static async Task<KafkaBroker> StartAsync(int partitions, CancellationToken ct, KafkaBrokerRole role = KafkaBrokerRole.Tested)
    {
        var broker = new KafkaBroker(KafkaHome.Find(), role);
        try
        {
            await broker.WriteConfigurationAsync(partitions, ct);
            broker._zooKeeper = await broker.JavaAsync("org.apache.zookeeper.server.quorum.QuorumPeerMain", "zookeeper", Frugal(128), ct);
            await AnswersAsync("ZooKeeper", broker._zooKeeperPort, broker._zooKeeper, ct);
            await broker.StartAgainAsync(ct);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync(CancellationToken ct)
    {
        await _broker!.StopAsync(Signal.Kill, ct);
        await _broker.DisposeAsync();
        _broker = null;
    }

    /// <summary>On the same port and data.</summary>
    public async Task StartAgainAsync(CancellationToken ct)
    {
        // A broker whose number is still taken, by its own life before, refuses to start.
        await Eventually.True("ZooKeeper has forgotten the broker", async () => !await IsRegisteredAsync(ct), ct: ct);
        _broker = await (
            _role is KafkaBrokerRole.Measured
                ? JavaAsync("kafka.Kafka", "kafka", ["-Xmx1g", "-Xms1g", "-XX:+UseG1GC"], ct)
                : JavaAsync("kafka.Kafka", "kafka", Frugal(384), ct)
        );
        await Eventually.True(
            "the broker is registered",
            async () =>
                _broker.HasExited
                    ? throw new InvalidOperationException($"The broker did not start: {_broker.Tail}")
                    : await IsRegisteredAsync(ct),
            () => Task.FromResult(_broker.Tail),
            StartTimeout,
            ct
        );
    }

    /// <summary>Runs Kafka's own program for topics, as an operator does: this broker's protocol has no requests for them.</summary>
    /// <returns>What it said.</returns>
    public Task<string> TopicsAsync(CancellationToken ct, params IEnumerable<string> arguments) =>
        Tool.RunAsync(
            [
                "java",
                .. Java("kafka.admin.TopicCommand", Frugal(128)),
                "--zookeeper",
                string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_zooKeeperPort}"),
                .. arguments,
            ],
            ct
        );

    /// <summary>Ends when the broker has removed them. The next client that asks for them creates them again.</summary>
    public async Task DeleteTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken ct)
    {
        await TopicsAsync(ct, "--delete", "--topic", string.Join('|', topics));
        var left = "";
        await Eventually.True(
            "the topics are deleted",
            async () => !topics.Intersect((left = await TopicsAsync(ct, "--list")).Split('\n').Select(line => line.Split(' ')[0])).Any(),
            () => Task.FromResult(left),
            ct: ct
        );
    }

    public void Send(Signal signal) => _broker!.Send(signal);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in (WatchedProcess?[])[_broker, _zooKeeper])
            if (process is not null)
                await process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task WriteConfigurationAsync(int partitions, CancellationToken ct)
    {
        await File.WriteAllTextAsync(
            PathOf("zookeeper.properties"),
            $"""
            dataDir={PathOf("zookeeper-data")}
            clientPort={_zooKeeperPort}
            clientPortAddress=127.0.0.1
            maxClientCnxns=0
            """,
            ct
        );
        await File.WriteAllTextAsync(
            PathOf("kafka.properties"),
            $"""
            broker.id=0
            listeners=PLAINTEXT://127.0.0.1:{Port}
            advertised.host.name=127.0.0.1
            advertised.port={Port}
            zookeeper.connect=127.0.0.1:{_zooKeeperPort}
            zookeeper.session.timeout.ms=4000
            log.dirs={PathOf("kafka-data")}
            num.partitions={partitions}
            auto.create.topics.enable=true
            delete.topic.enable=true
            offsets.topic.num.partitions=5
            group.max.session.timeout.ms=300000
            message.max.bytes=10000000
            replica.fetch.max.bytes=10000000
            log.cleaner.enable=false
            log.retention.check.interval.ms=1000
            """,
            ct
        );
        await File.WriteAllTextAsync(
            PathOf("log4j.properties"),
            """
            log4j.rootLogger=WARN, stdout
            log4j.appender.stdout=org.apache.log4j.ConsoleAppender
            log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
            log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n
            """,
            ct
        );
    }

    /// <summary>Up in seconds, and small.</summary>
    private static string[] Frugal(int megabytes) => [$"-Xmx{megabytes}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

    private string[] Java(string main, string[] machine) =>
        [.. machine, $"-Dlog4j.configuration=file:{PathOf("log4j.properties")}", "-cp", Path.Combine(_home, "libs", "*"), main];

    private Task<WatchedProcess> JavaAsync(string main, string name, string[] machine, CancellationToken ct) =>
        WatchedProcess.StartAsync(
            new WatchedCommand("java", [.. Java(main, machine), PathOf(name + ".properties")])
            {
                OrphanScratch = _folder,
                WorkingDirectory = _folder,
            },
            ct
        );

    private static Task AnswersAsync(string what, int port, WatchedProcess process, CancellationToken ct) =>
        Eventually.True(
            $"{what} on port {port} answers",
            async () =>
                process.HasExited
                    ? throw new InvalidOperationException($"{what} did not start: {process.Tail}")
                    : await IsOpenAsync(port, ct),
            () => Task.FromResult(process.Tail),
            StartTimeout,
            ct
        );

    private static async Task<bool> IsOpenAsync(int port, CancellationToken ct)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port, ct);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>By ZooKeeper's own list of what its sessions hold.</summary>
    private async Task<bool> IsRegisteredAsync(CancellationToken ct)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _zooKeeperPort, ct);
        await client.GetStream().WriteAsync("dump"u8.ToArray(), ct);
        using var answer = new StreamReader(client.GetStream());
        return (await answer.ReadToEndAsync(ct)).Contains("/brokers/ids/0", StringComparison.Ordinal);
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
