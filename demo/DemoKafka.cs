using Cdc.Log.Kafka;
using Cdc.Testing.Kafka;

namespace Cdc.Demo;

/// <summary>The brokers that <c>CDC_TEST_KAFKA</c> names, or one of our own.</summary>
internal sealed class DemoKafka : IAsyncDisposable
{
    private const int Partitions = 3;
    private readonly KafkaBroker? _broker;

    private DemoKafka(KafkaOptions options, KafkaBroker? broker) => (Options, _broker) = (options, broker);

    /// <summary>With topics and a group that nothing else uses.</summary>
    public KafkaOptions Options { get; }

    /// <summary>Our own broker makes topics at their first use.</summary>
    public bool MakesTopics => _broker is not null;

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
        var broker = await KafkaBroker.StartAsync(Partitions, ct);
        return new DemoKafka(options with { BootstrapServers = broker.BootstrapServers, Client = KafkaBroker.ClientSettings }, broker);
    }

    public ValueTask DisposeAsync() => _broker?.DisposeAsync() ?? ValueTask.CompletedTask;
}
