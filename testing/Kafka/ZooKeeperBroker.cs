using System.Globalization;
using System.Net.Sockets;
using Cdc.Testing.Postgres;
using Cdc.Testing.Processes;
using Cdc.Testing.Waiting;

namespace Cdc.Testing.Kafka;

/// <summary>Kafka 0.9 with its ZooKeeper. It makes topics that a client asks for by name.</summary>
internal sealed class ZooKeeperBroker(KafkaHome home, KafkaBrokerSettings settings) : KafkaBroker(home, settings), IBrokerTopics
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);

    private readonly int _zooKeeperPort = FreePort.Next();
    private WatchedProcess? _zooKeeper;
    private WatchedProcess? _broker;

    public override IReadOnlyDictionary<string, string> ClientSettings { get; } =
        new Dictionary<string, string>
        {
            ["api.version.request"] = "false",
            ["broker.version.fallback"] = "0.9.0.1",
            ["enable.idempotence"] = "false",
        };

    public override IBrokerTopics Topics => this;

    public override Task KillAsync(CancellationToken ct) => EndAsync(Signal.Kill, ct);

    public override Task StopAsync(CancellationToken ct) => EndAsync(Signal.Terminate, ct);

    public override async Task StartAgainAsync(CancellationToken ct)
    {
        // A broker whose number is still taken, by its own life before, refuses to start.
        await Eventually.True("ZooKeeper has forgotten the broker", async () => !await IsRegisteredAsync(ct), ct: ct);
        _broker = await JavaAsync("kafka.Kafka", "kafka", JavaCommands.Machine(Settings.Role), ct);
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

    public override void Send(Signal signal) => _broker!.Send(signal);

    public override async ValueTask DisposeAsync()
    {
        foreach (var process in (WatchedProcess?[])[_broker, _zooKeeper])
            if (process is not null)
                await process.DisposeAsync();
        await base.DisposeAsync();
    }

    public Task SetAsync(string topic, IReadOnlyDictionary<string, string> settings, CancellationToken ct) =>
        ToolAsync(ct, ["--alter", "--topic", topic, .. settings.SelectMany(s => (string[])["--config", $"{s.Key}={s.Value}"])]);

    public Task UnsetAsync(string topic, string setting, CancellationToken ct) =>
        ToolAsync(ct, "--alter", "--topic", topic, "--delete-config", setting);

    public Task AddPartitionsAsync(string topic, int total, CancellationToken ct) =>
        ToolAsync(ct, "--alter", "--topic", topic, "--partitions", total.ToString(CultureInfo.InvariantCulture));

    public Task DeleteAsync(IReadOnlyCollection<string> topics, CancellationToken ct) =>
        ToolAsync(ct, "--delete", "--topic", string.Join('|', topics));

    public async Task<IReadOnlyCollection<string>> NamesAsync(CancellationToken ct) =>
        [.. (await ToolAsync(ct, "--list")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0])];

    private protected override async Task BeginAsync(CancellationToken ct)
    {
        await WriteConfigurationAsync(ct);
        _zooKeeper = await JavaAsync("org.apache.zookeeper.server.quorum.QuorumPeerMain", "zookeeper", JavaCommands.Frugal(128), ct);
        await AnswersAsync("ZooKeeper", _zooKeeperPort, _zooKeeper, ct);
        await StartAgainAsync(ct);
    }

    private async Task EndAsync(Signal signal, CancellationToken ct)
    {
        await _broker!.StopAsync(signal, ct);
        await _broker.DisposeAsync();
        _broker = null;
    }

    /// <summary>Runs Kafka's own program for topics, as an operator does: this broker's protocol has no requests for them.</summary>
    /// <returns>What it said.</returns>
    private Task<string> ToolAsync(CancellationToken ct, params IEnumerable<string> arguments) =>
        Tool.RunAsync(
            [
                "java",
                .. Java("kafka.admin.TopicCommand", JavaCommands.Frugal(128)),
                "--zookeeper",
                string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_zooKeeperPort}"),
                .. arguments,
            ],
            ct
        );

    private async Task WriteConfigurationAsync(CancellationToken ct)
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
            num.partitions={Settings.Partitions}
            auto.create.topics.enable=true
            delete.topic.enable=true
            offsets.topic.num.partitions=5
            group.max.session.timeout.ms=300000
            replica.fetch.max.bytes=10000000
            log.cleaner.enable=false
            log.retention.check.interval.ms=1000
            {string.Join('\n', Settings.Properties.Select(p => $"{p.Key}={p.Value}"))}
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

    private string[] Java(string main, string[] machine) =>
        [.. machine, $"-Dlog4j.configuration=file:{PathOf("log4j.properties")}", .. Home.ClassPath(), main];

    private Task<WatchedProcess> JavaAsync(string main, string name, string[] machine, CancellationToken ct) =>
        JavaCommands.StartAsync(Folder, [.. Java(main, machine), PathOf(name + ".properties")], ct);

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
}
