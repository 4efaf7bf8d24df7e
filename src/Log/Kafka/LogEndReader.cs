using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>
/// Where partitions end, asked again and again over the same connections, by one at a time. Makes no topic, not even where brokers make
/// those that are asked for.
/// </summary>
/// <param name="timeout">For each of two answers.</param>
public sealed class LogEndReader(KafkaClients clients, TimeSpan timeout) : IDisposable
{
    /// <summary>What ListOffsets takes for a time that means the end.</summary>
    private static readonly Timestamp End = new(-1, TimestampType.NotAvailable);

    private readonly Lazy<IConsumer<byte[], byte[]>> _consumer = new(() => clients.Reader());

    /// <returns>By topic, the offset after the last record of each partition.</returns>
    /// <exception cref="Core.Failures.CdcException">Preflight: a topic does not exist.</exception>
    /// <exception cref="KafkaException">The brokers do not answer.</exception>
    public Task<IReadOnlyDictionary<string, IReadOnlyList<long>>> ReadAsync(IReadOnlyCollection<string> topics, CancellationToken ct) =>
        Task.Run(
            () =>
            {
                var consumer = _consumer.Value;
                // Nothing is assigned: this only hands on what the client has to say.
                consumer.Consume(TimeSpan.Zero);
                using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
                var cluster = new ClusterTopics(admin.GetMetadata(timeout));
                var asked = topics.SelectMany(t =>
                    cluster.Require(t).Partitions.Select(p => new TopicPartitionTimestamp(t, p.PartitionId, End))
                );
                var ends = Ask(consumer, asked);
                return (IReadOnlyDictionary<string, IReadOnlyList<long>>)
                    topics.ToDictionary(
                        t => t,
                        t =>
                            (IReadOnlyList<long>)
                                [.. ends.Where(e => e.Topic == t).OrderBy(e => e.Partition.Value).Select(e => e.Offset.Value)]
                    );
            },
            ct
        );

    private List<TopicPartitionOffset> Ask(IConsumer<byte[], byte[]> consumer, IEnumerable<TopicPartitionTimestamp> asked)
    {
        try
        {
            return consumer.OffsetsForTimes(asked, timeout);
        }
        catch (TopicPartitionOffsetException partly)
        {
            throw new KafkaException(partly.Results.First(r => r.Error.IsError).Error);
        }
    }

    public void Dispose()
    {
        if (_consumer.IsValueCreated)
            _consumer.Value.Dispose();
    }
}
