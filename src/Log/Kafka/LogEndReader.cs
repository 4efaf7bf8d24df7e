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
        clients.AskAsync<IReadOnlyDictionary<string, IReadOnlyList<long>>>(() => Read(topics), ct);

    private Dictionary<string, IReadOnlyList<long>> Read(IReadOnlyCollection<string> topics)
    {
        var consumer = _consumer.Value;
        try
        {
            using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
            var ends = Ask(consumer, [.. Partitions(admin, topics)]);
            DrainEvents(consumer);
            return topics.ToDictionary(
                t => t,
                t => (IReadOnlyList<long>)[.. ends.Where(e => e.Topic == t).OrderBy(e => e.Partition.Value).Select(e => e.Offset.Value)]
            );
        }
        catch (KafkaException)
        {
            // Not in a finally: the filter that catches it asks first why the brokers may not answer.
            DrainEvents(consumer);
            throw;
        }
    }

    private IEnumerable<TopicPartitionTimestamp> Partitions(IAdminClient admin, IReadOnlyCollection<string> topics)
    {
        var cluster = new ClusterTopics(admin.GetMetadata(timeout));
        foreach (var topic in topics)
        {
            // What may not be seen is not among all topics.
            var found = cluster.Find(topic) ?? ClusterTopics.Ask(clients, admin, topic, timeout) ?? throw ClusterTopics.Missing(topic);
            foreach (var partition in found.Partitions)
                yield return new TopicPartitionTimestamp(topic, partition.PartitionId, End);
        }
    }

    /// <summary>Nothing is assigned: this only hands on what the client has to say, such as why it reaches no broker.</summary>
    private static void DrainEvents(IConsumer<byte[], byte[]> consumer)
    {
        try
        {
            consumer.Consume(TimeSpan.Zero);
        }
        catch (ConsumeException)
        {
            // That it may not see the group, which it is not in.
        }
    }

    private List<TopicPartitionOffset> Ask(IConsumer<byte[], byte[]> consumer, IReadOnlyList<TopicPartitionTimestamp> asked)
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
