using System.Collections.Concurrent;
using System.Globalization;
using Cdc.Testing.Postgres;
using Cdc.Testing.Processes;
using Cdc.Testing.Waiting;
using Confluent.Kafka;

namespace Cdc.Testing.Kafka;

/// <summary>
/// One process of Kafka 4, broker and controller. Clients have a listener of their own, whose security can be chosen; nodes speak plainly.
/// </summary>
/// <param name="enter">What stands before java, such as the network it is in.</param>
internal sealed class KraftNode(KafkaHome home, string folder, int id, KraftPlace place, KafkaBrokerRole role, string[] enter)
{
    private const string ClusterId = "Y2RjLXRlc3RzLWthZmthMA";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(90);

    /// <summary>What the storage tool writes does not depend on ports: a process asks it once for each number of a node.</summary>
    private static readonly ConcurrentDictionary<(KafkaHome Home, int Id), Lazy<Task<Dictionary<string, byte[]>>>> Formats = new();

    private WatchedProcess? _process;

    public int Id => id;

    public string BootstrapServers => place.Of(place.Clients);

    public async Task PrepareAsync(IReadOnlyDictionary<int, KraftPlace> all, IReadOnlyDictionary<string, string> more, CancellationToken ct)
    {
        Directory.CreateDirectory(DataFolder);
        await File.WriteAllTextAsync(PropertiesFile, Text(Properties(all, more)), ct);
        var format = Formats.GetOrAdd((home, id), key => new(() => FormatAsync(key.Home, key.Id)));
        foreach (var (name, content) in await format.Value)
        {
            var file = Path.Combine(DataFolder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllBytesAsync(file, content, ct);
        }
    }

    /// <param name="awaited">How many brokers must be there.</param>
    public async Task StartAsync(int awaited, CancellationToken ct)
    {
        _process = await JavaCommands.StartAsync(
            folder,
            enter,
            [
                .. JavaCommands.Machine(role),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                .. home.ClassPath(),
                "kafka.Kafka",
                PropertiesFile,
            ],
            ct
        );
        await Eventually.True(
            $"broker {id} and {awaited - 1} more are there",
            () => Task.Run(() => IsThere(awaited), ct),
            () => Task.FromResult(_process.Tail),
            StartTimeout,
            ct
        );
    }

    public Task KillAsync(CancellationToken ct) => EndAsync(Signal.Kill, ct);

    public async Task EndAsync(Signal signal, CancellationToken ct)
    {
        if (_process is not { } process)
            return;
        await process.StopAsync(signal, ct);
        await process.DisposeAsync();
        _process = null;
    }

    public void Send(Signal signal) => _process!.Send(signal);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
    }

    private string DataFolder => Path.Combine(folder, $"data-{id}");

    private string PropertiesFile => Path.Combine(folder, $"server-{id}.properties");

    private bool IsThere(int awaited)
    {
        if (_process!.HasExited)
            throw new InvalidOperationException($"Broker {id} did not start: {_process.Tail}");
        using var admin = new AdminClientBuilder(new Dictionary<string, string> { ["bootstrap.servers"] = place.Of(place.Internal) })
            .SetLogHandler((_, _) => { })
            .Build();
        try
        {
            return admin.GetMetadata(TimeSpan.FromSeconds(2)).Brokers.Count >= awaited;
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    private Dictionary<string, string> Properties(IReadOnlyDictionary<int, KraftPlace> all, IReadOnlyDictionary<string, string> more)
    {
        var replicas = all.Count.ToString(CultureInfo.InvariantCulture);
        var properties = new Dictionary<string, string>
        {
            ["process.roles"] = "broker,controller",
            ["node.id"] = $"{id}",
            ["controller.quorum.voters"] = string.Join(',', all.Select(n => $"{n.Key}@{n.Value.Of(n.Value.Controller)}")),
            ["listeners"] =
                $"CLIENTS://{place.Of(place.Clients)},INTERNAL://{place.Of(place.Internal)},CONTROLLER://{place.Of(place.Controller)}",
            ["advertised.listeners"] = $"CLIENTS://{place.Of(place.Clients)},INTERNAL://{place.Of(place.Internal)}",
            ["controller.listener.names"] = "CONTROLLER",
            ["inter.broker.listener.name"] = "INTERNAL",
            ["listener.security.protocol.map"] = "CLIENTS:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
            ["log.dirs"] = DataFolder,
            ["auto.create.topics.enable"] = "false",
            ["offsets.topic.num.partitions"] = "5",
            ["offsets.topic.replication.factor"] = replicas,
            ["transaction.state.log.num.partitions"] = "5",
            ["transaction.state.log.replication.factor"] = replicas,
            ["transaction.state.log.min.isr"] = all.Count > 1 ? "2" : "1",
            ["group.initial.rebalance.delay.ms"] = "0",
            ["log.retention.check.interval.ms"] = "1000",
            ["log.initial.task.delay.ms"] = "1000",
        };
        foreach (var (name, value) in more)
            properties[name] = value;
        return properties;
    }

    private static string Text(Dictionary<string, string> properties) => string.Join('\n', properties.Select(p => $"{p.Key}={p.Value}"));

    private static async Task<Dictionary<string, byte[]>> FormatAsync(KafkaHome home, int id)
    {
        var folder = Directory.CreateTempSubdirectory("cdc-kafka-format-").FullName;
        try
        {
            var node = new KraftNode(home, folder, id, new KraftPlace("127.0.0.1", 1, 2, 3), KafkaBrokerRole.Tested, []);
            var properties = node.Properties(
                new Dictionary<int, KraftPlace> { [id] = new("127.0.0.1", 1, 2, 3) },
                new Dictionary<string, string>()
            );
            await File.WriteAllTextAsync(node.PropertiesFile, Text(properties));
            await Tool.RunAsync(
                [
                    "java",
                    .. JavaCommands.Frugal(128),
                    .. home.ClassPath(),
                    "kafka.tools.StorageTool",
                    "format",
                    "-t",
                    ClusterId,
                    "-c",
                    node.PropertiesFile,
                ],
                CancellationToken.None
            );
            return Directory
                .GetFiles(node.DataFolder, "*", SearchOption.AllDirectories)
                .ToDictionary(f => Path.GetRelativePath(node.DataFolder, f), File.ReadAllBytes);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <param name="Host">Address.</param>
/// <param name="Clients">Port for programs.</param>
/// <param name="Internal">Port for brokers, without any security.</param>
/// <param name="Controller">Port for controllers.</param>
internal sealed record KraftPlace(string Host, int Clients, int Internal, int Controller)
{
    public static KraftPlace Next(string host) => new(host, FreePort.Next(), FreePort.Next(), FreePort.Next());

    public string Of(int port) => string.Create(CultureInfo.InvariantCulture, $"{Host}:{port}");
}
