using Cdc.Log.Kafka;
using Cdc.Testing.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cdc.Demo;

/// <summary>The brokers that <c>CDC_TEST_KAFKA</c> names, or one of our own.</summary>
internal sealed class DemoKafka : IAsyncDisposable
{
    private const int Partitions = 3;
    private readonly KafkaBroker? _broker;

    private DemoKafka(KafkaOptions options, KafkaBroker? broker) => (Options, _broker) = (options, broker);

    /// <summary>With topics and a group that nothing else uses.</summary>
    public KafkaOptions Options { get; }

    /// <exception cref="Testing.Postgres.MissingPrerequisiteException">No brokers are named and none can be started.</exception>
    public static async Task<DemoKafka> StartAsync(CancellationToken ct)
    {
        var name = $"demo{Guid.NewGuid():N}"[..16];
        var options = new KafkaOptions { TopicPrefix = name, Group = name };
        if (Environment.GetEnvironmentVariable("CDC_TEST_KAFKA") is { Length: > 0 } given)
            return new DemoKafka(
                options with
                {
                    BootstrapServers = given,
                    Partitions = Partitions,
                    ReplicationFactor = 1,
                    MinInSyncReplicas = 1,
                },
                null
            );
        var broker = await KafkaBroker.StartAsync(new KafkaBrokerSettings { Partitions = Partitions }, ct);
        return new DemoKafka(
            options with
            {
                BootstrapServers = broker.BootstrapServers,
                Client = broker.ClientSettings,
                Partitions = Partitions,
                ReplicationFactor = 1,
                MinInSyncReplicas = 1,
            },
            broker
        );
    }

    /// <summary>Brokers that 'cdc topics create' can ask for topics; for others they are made.</summary>
    public async Task<bool> TakesRequestsAsync(IReadOnlyList<string> dataTopics, CancellationToken ct)
    {
        if (new KafkaClients(Options, NullLogger.Instance).CanAdministerTopics)
            return true;
        await MadeTopics.MakeAsync(Options, dataTopics, ct);
        return false;
    }

    public ValueTask DisposeAsync() => _broker?.DisposeAsync() ?? ValueTask.CompletedTask;
}
