using Cdc.Log.Kafka;
using Cdc.Tests.Support.Containers;

namespace Cdc.Tests.Support.Kafka;

/// <summary>
/// The Kafka cluster that all tests of a run share: <c>CDC_TEST_KAFKA</c> (bootstrap servers), one in a container
/// (<c>CDC_TEST_CONTAINERS=1</c>), or the tests' own broker, started at first use.
/// Tests that stop a broker start their own <see cref="KafkaBroker"/>.
/// </summary>
public sealed class TestKafka : IAsyncDisposable
{
    /// <summary>More than one, so that what goes to every partition can be seen; few, because a test waits for all of them.</summary>
    public const int Partitions = 3;

    private static int _topics;

    private readonly Lock _lock = new();
    private Task<KafkaOptions>? _started;
    private IAsyncDisposable? _broker;
    private IBrokerTopics? _administration;

    /// <summary>Of the tests' own broker.</summary>
    public KafkaBrokerRole Role { get; init; }

    /// <summary>Not the tests' own old broker: it has today's protocol, it fences, and it makes and describes topics.</summary>
    public static bool IsModern => ServerOrigins.Here.Kafka != ServerOrigin.Own || KafkaHome.HasKraft;

    /// <summary>Options with a topic prefix and a group that no other test has.</summary>
    /// <exception cref="Postgres.MissingPrerequisiteException">There is no cluster and none can be started.</exception>
    public async Task<KafkaOptions> OptionsAsync()
    {
        // The start belongs to all tests, so that none of them can cancel it for the others.
        Task<KafkaOptions> started;
        lock (_lock)
            started = _started ??= StartAsync();
        return Unique(await started);
    }

    public static KafkaOptions Unique(KafkaOptions options)
    {
        var name = $"t{Environment.ProcessId}x{Interlocked.Increment(ref _topics)}x{Guid.NewGuid():N}"[..24];
        return options with { TopicPrefix = name, Group = name };
    }

    public static KafkaOptions OptionsOf(KafkaBroker broker) => Unique(Options(broker.BootstrapServers, broker.ClientSettings));

    /// <summary>What an operator does to its topics.</summary>
    public async Task<IBrokerTopics> TopicsAsync()
    {
        await OptionsAsync();
        return _administration!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
            await _broker.DisposeAsync();
        // xunit shows it once, at the end of a run: which tests ran is worth little without on what.
        if (_started is { IsCompletedSuccessfully: true } || KafkaBroker.Started.Length > 0)
            Console.WriteLine(
                $"Brokers: {string.Join("; ", ((string?[])[Shared, KafkaBroker.Started]).Where(s => !string.IsNullOrEmpty(s)))}"
            );
    }

    private static string? Shared =>
        ServerOrigins.Here.Kafka switch
        {
            ServerOrigin.Given => $"those of {ServerOrigins.KafkaVariable}",
            ServerOrigin.Container => $"one of the image {KafkaInContainer.Image}",
            _ => null,
        };

    private async Task<KafkaOptions> StartAsync()
    {
        switch (ServerOrigins.Here.Kafka)
        {
            case ServerOrigin.Given:
                return WithTopics(Options(Environment.GetEnvironmentVariable(ServerOrigins.KafkaVariable)!));
            case ServerOrigin.Container:
                var container = await KafkaInContainer.StartAsync(CancellationToken.None);
                _broker = container;
                return WithTopics(Options(container.BootstrapServers));
            default:
                var broker = await KafkaBroker.StartAsync(
                    new KafkaBrokerSettings { Partitions = Partitions, Role = Role },
                    CancellationToken.None
                );
                _broker = broker;
                _administration = broker.Topics;
                return Options(broker.BootstrapServers, broker.ClientSettings);
        }
    }

    private KafkaOptions WithTopics(KafkaOptions options)
    {
        _administration = new ClientTopics(options.Client, options.BootstrapServers);
        return options;
    }

    private static KafkaOptions Options(string bootstrapServers, IReadOnlyDictionary<string, string>? client = null) =>
        new()
        {
            BootstrapServers = bootstrapServers,
            Client = client ?? new Dictionary<string, string>(),
            Partitions = Partitions,
            ReplicationFactor = 1,
            MinInSyncReplicas = 1,
        };
}
