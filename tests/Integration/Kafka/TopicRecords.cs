using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Waiting;
using Confluent.Kafka;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>One record of a data topic, in bytes.</summary>
internal sealed record TopicRecord(TopicPartition Partition, byte[]? Key, byte[]? Value);

/// <summary>The topics of a bed, as anybody else reads and writes them.</summary>
internal static class TopicRecords
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static IEnumerable<TopicPartition> Partitions(this KafkaPipelineBed bed) => bed.DataTopics.SelectMany(PartitionsOf);

    public static IEnumerable<TopicPartition> PartitionsOf(string topic) => Enumerable.Range(0, TestKafka.Partitions).Select(number => new TopicPartition(topic, number));

    /// <param name="group">Null: one of its own.</param>
    public static IConsumer<byte[], byte[]> Consumer(this KafkaPipelineBed bed, string? group = null) =>
        new ConsumerBuilder<byte[], byte[]>(new Dictionary<string, string>(bed.Settings()) { ["group.id"] = group ?? bed.Kafka.Group + "-test" }).Build();

    /// <summary>Everything that is in the data topics.</summary>
    public static IEnumerable<TopicRecord> Records(this KafkaPipelineBed bed)
    {
        using var consumer = bed.Consumer();
        foreach (var partition in bed.Partitions())
        {
            var end = consumer.QueryWatermarkOffsets(partition, Patience).High.Value;
            consumer.Assign(new TopicPartitionOffset(partition, 0));
            for (var offset = 0L; offset < end; offset++)
            {
                var read = consumer.Consume(Patience) ?? throw new TimeoutException($"{partition} does not give its record {offset}.");
                yield return new TopicRecord(partition, read.Message.Key, read.Message.Value);
            }
            consumer.Unassign();
        }
    }

    /// <summary>Ends when no data topic has a record any more.</summary>
    public static async Task EmptiedAsync(this KafkaPipelineBed bed, CancellationToken ct)
    {
        using var consumer = bed.Consumer();
        await Eventually.True("the topics are empty", () => bed.Partitions().Select(p => consumer.QueryWatermarkOffsets(p, Patience)).All(marks => marks.Low == marks.High), ct: ct);
    }

    public static async Task ProduceAsync(this KafkaPipelineBed bed, CancellationToken ct, params IEnumerable<TopicRecord> records)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(bed.Settings()).Build();
        foreach (var record in records) await producer.ProduceAsync(record.Partition, new Message<byte[], byte[]> { Key = record.Key!, Value = record.Value! }, ct);
    }

    private static Dictionary<string, string> Settings(this KafkaPipelineBed bed) =>
        new(bed.Kafka.Client) { ["bootstrap.servers"] = bed.Kafka.BootstrapServers };
}
