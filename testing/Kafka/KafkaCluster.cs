using Cdc.Testing.Postgres;
using Cdc.Testing.Processes;
using Cdc.Testing.Waiting;
using Confluent.Kafka;

namespace Cdc.Testing.Kafka;

/// <summary>Three nodes of Kafka 4 on this machine: what one broker alone cannot show. They die with this process.</summary>
public sealed class KafkaCluster : IAsyncDisposable
{
    public const int Nodes = 3;

    /// <summary>Of nodes that can be cut off: whom nobody hears of is replaced after a few seconds, for which tests wait.</summary>
    private static readonly Dictionary<string, string> SoonMissed = new()
    {
        ["broker.session.timeout.ms"] = "4000",
        ["broker.heartbeat.interval.ms"] = "500",
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("cdc-kafka-").FullName;
    private readonly Dictionary<int, KraftNode> _nodes = [];

    private readonly NodeNetwork? _network;

    private KafkaCluster(NodeNetwork? network) => _network = network;

    public string BootstrapServers => string.Join(',', _nodes.Values.Select(n => n.BootstrapServers));

    /// <exception cref="MissingPrerequisiteException">Kafka 4 or Java is missing: a skip, with CI set a failure.</exception>
    public static Task<KafkaCluster> StartAsync(CancellationToken ct) => StartAsync(null, ct);

    /// <summary>Each node has a network of its own, and can be cut off.</summary>
    /// <exception cref="MissingPrerequisiteException">As <see cref="StartAsync(CancellationToken)"/>.</exception>
    /// <exception cref="InvalidOperationException">This user may not make networks.</exception>
    public static async Task<KafkaCluster> StartApartAsync(CancellationToken ct)
    {
        KafkaHome.FindKraft();
        return await StartAsync(await NodeNetwork.CreateAsync(Nodes, ct), ct);
    }

    private static async Task<KafkaCluster> StartAsync(NodeNetwork? network, CancellationToken ct)
    {
        var home = KafkaHome.FindKraft();
        var cluster = new KafkaCluster(network);
        try
        {
            var places = Enumerable.Range(1, Nodes).ToDictionary(id => id, id => KraftPlace.Next(network?.AddressOf(id) ?? "127.0.0.1"));
            foreach (var (id, place) in places)
            {
                var node = new KraftNode(home, cluster._folder, id, place, KafkaBrokerRole.Tested, network?.Enter(id) ?? []);
                cluster._nodes.Add(id, node);
                await node.PrepareAsync(places, network is null ? new Dictionary<string, string>() : SoonMissed, ct);
            }
            await Task.WhenAll(cluster._nodes.Values.Select(n => n.StartAsync(Nodes, ct)));
            KafkaBroker.Count(home, Nodes);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The number of the broker that leads a partition.</summary>
    public Task<int> LeaderAsync(string topic, int partition, CancellationToken ct) =>
        Task.Run(
            () =>
            {
                using var admin = new AdminClientBuilder(new Dictionary<string, string> { ["bootstrap.servers"] = BootstrapServers })
                    .SetLogHandler((_, _) => { })
                    .Build();
                var found = admin.GetMetadata(topic, TimeSpan.FromSeconds(20)).Topics.Single();
                return found.Partitions.Single(p => p.PartitionId == partition).Leader;
            },
            ct
        );

    /// <summary>Ends when each partition has all of its replicas in sync, those of the brokers' own topics too.</summary>
    public async Task InSyncAsync(TimeSpan timeout, CancellationToken ct)
    {
        var behind = "";
        await Eventually.True(
            "every replica is in sync",
            async () =>
            {
                var partitions = await Task.Run(Partitions, ct);
                behind = string.Join(", ", partitions.Where(p => p.InSync < p.Replicas).Select(p => p.Name));
                return partitions.Count > 0 && behind.Length == 0;
            },
            () => Task.FromResult(behind),
            timeout,
            ct
        );
    }

    private List<(string Name, int InSync, int Replicas)> Partitions()
    {
        using var admin = new AdminClientBuilder(new Dictionary<string, string> { ["bootstrap.servers"] = BootstrapServers })
            .SetLogHandler((_, _) => { })
            .Build();
        return
        [
            .. from topic in admin.GetMetadata(TimeSpan.FromSeconds(20)).Topics
            from p in topic.Partitions
            select ($"{topic.Topic} [{p.PartitionId}]", p.InSyncReplicas.Length, p.Replicas.Length),
        ];
    }

    /// <summary>kill -9.</summary>
    public Task KillAsync(int id, CancellationToken ct) => _nodes[id].KillAsync(ct);

    /// <summary>Ends when all of them are there.</summary>
    public Task StartAgainAsync(int id, CancellationToken ct) => _nodes[id].StartAsync(Nodes, ct);

    public void Send(int id, Signal signal) => _nodes[id].Send(signal);

    /// <summary>Nobody hears of it any more, and it hears of nobody; only of nodes that were started apart.</summary>
    public Task CutAsync(int id, CancellationToken ct) => _network!.CutAsync(id, ct);

    public Task JoinAsync(int id, CancellationToken ct) => _network!.JoinAsync(id, ct);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values)
            await node.DisposeAsync();
        if (_network is not null)
            await _network.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
