using System.Globalization;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Testcontainers.Kafka;

namespace Cdc.Tests.Support.Containers;

/// <summary>One Kafka 4 broker (KRaft) in a container. It goes with this process.</summary>
public sealed class KafkaInContainer : IAsyncDisposable
{
    public const string Image = "apache/kafka:4.0.0";

    private readonly KafkaContainer _container;

    private KafkaInContainer(KafkaContainer container) => _container = container;

    /// <summary>Without the protocol that Testcontainers may write before it.</summary>
    public string BootstrapServers => _container.GetBootstrapAddress().Split("://")[^1].TrimEnd('/');

    /// <exception cref="MissingPrerequisiteException">No Docker engine on this machine.</exception>
    public static async Task<KafkaInContainer> StartAsync(CancellationToken ct) =>
        await Docker.StartAsync(
            () =>
                new KafkaBuilder(Image)
                    .WithEnvironment("KAFKA_NUM_PARTITIONS", TestKafka.Partitions.ToString(CultureInfo.InvariantCulture))
                    .WithEnvironment("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "5")
                    .WithEnvironment("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1")
                    .WithEnvironment("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
                    .WithEnvironment("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
                    .WithEnvironment("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
                    .WithEnvironment("KAFKA_GROUP_MAX_SESSION_TIMEOUT_MS", "300000")
                    .Build(),
            container => new KafkaInContainer(container),
            ct
        );

    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
