using Cdc.Log.Kafka;

namespace Cdc.Tests.Support.Kafka;

/// <summary>
/// The Kafka cluster that all tests of a run share: <c>CDC_TEST_KAFKA</c> (bootstrap servers), or a broker of our own, started at first use.
/// Tests that stop a broker start their own <see cref="KafkaBroker"/>.
/// </summary>
public sealed class TestKafka : IAsyncDisposable
{
    /// <summary>More than one, so that what goes to every partition can be seen; few, because a test waits for all of them.</summary>
    public const int Partitions = 3;

    private static readonly string? Given = Environment.GetEnvironmentVariable("CDC_TEST_KAFKA");
    private static int _topics;

    private readonly Lock _lock = new();
    private Task<KafkaOptions>? _started;
    private KafkaBroker? _broker;

    /// <summary>Of a broker of our own.</summary>
    public KafkaBrokerRole Role { get; init; }

    public static bool IsGiven => Given is { Length: > 0 };

    /// <summary>Options with a topic prefix and a group that no other test has.</summary>
    /// <exception cref="Postgres.MissingPrerequisiteException">There is no cluster and none can be started.</exception>
    public async Task<KafkaOptions> OptionsAsync()
    {
        // The start belongs to all tests, so that none of them can cancel it for the others.
        Task<KafkaOptions> started;
        lock (_lock)
            started = _started ??= StartAsync();
        return Unique(await started.ConfigureAwait(false));
    }

    public static KafkaOptions Unique(KafkaOptions options)
    {
        var name = $"t{Environment.ProcessId}x{Interlocked.Increment(ref _topics)}x{Guid.NewGuid():N}"[..24];
        return options with { TopicPrefix = name, Group = name };
    }

    public static KafkaOptions OptionsOf(KafkaBroker broker) =>
        Unique(new KafkaOptions { BootstrapServers = broker.BootstrapServers, Client = KafkaBroker.ClientSettings });

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
            await _broker.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<KafkaOptions> StartAsync()
    {
        if (IsGiven)
            return new KafkaOptions
            {
                BootstrapServers = Given!,
                Partitions = Partitions,
                ReplicationFactor = 1,
                MinInSyncReplicas = 1,
            };
        _broker = await KafkaBroker.StartAsync(Partitions, CancellationToken.None, Role).ConfigureAwait(false);
        return new KafkaOptions { BootstrapServers = _broker.BootstrapServers, Client = KafkaBroker.ClientSettings };
    }
}
