using Cdc.Testing.Postgres;
using Cdc.Testing.Processes;
using Confluent.Kafka;

namespace Cdc.Testing.Kafka;

/// <summary>Three nodes of Kafka 4 on this machine: what one broker alone cannot show. They die with this process.</summary>
public sealed class KafkaCluster : IAsyncDisposable
{
    public const int Nodes = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("cdc-kafka-").FullName;
    private readonly Dictionary<int, KraftNode> _nodes = [];

    private KafkaCluster() { }

    public string BootstrapServers => string.Join(',', _nodes.Values.Select(n => n.BootstrapServers));

    /// <exception cref="MissingPrerequisiteException">Kafka 4 or Java is missing: a skip, with CI set a failure.</exception>
    public static async Task<KafkaCluster> StartAsync(CancellationToken ct)
    {
        var home = KafkaHome.FindKraft();
        var cluster = new KafkaCluster();
        try
        {
            var places = Enumerable.Range(1, Nodes).ToDictionary(id => id, _ => KraftPlace.Next("127.0.0.1"));
            foreach (var (id, place) in places)
            {
                var node = new KraftNode(home, cluster._folder, id, place, KafkaBrokerRole.Tested);
                cluster._nodes.Add(id, node);
                await node.PrepareAsync(places, new Dictionary<string, string>(), ct);
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

    /// <summary>kill -9.</summary>
    public Task KillAsync(int id, CancellationToken ct) => _nodes[id].KillAsync(ct);

    /// <summary>Ends when all of them are there.</summary>
    public Task StartAgainAsync(int id, CancellationToken ct) => _nodes[id].StartAsync(Nodes, ct);

    public void Send(int id, Signal signal) => _nodes[id].Send(signal);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values)
            await node.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
