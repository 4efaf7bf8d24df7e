using Cdc.Log.Kafka;
using Cdc.Tests.Support.Kafka;
using Confluent.Kafka;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>One record of a data topic, in bytes.</summary>
internal sealed record TopicRecord(TopicPartition Partition, byte[]? Key, byte[]? Value)
{
    /// <summary>Null: it was not read.</summary>
    public long? Offset { get; init; }
}

/// <summary>The topics of a bed, as anybody else reads and writes them.</summary>
internal static class TopicRecords
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Of librdkafka's log: what it warns of, with an old broker's settings, is pages in each run.</summary>
    private const string ErrorsOnly = "3";

    public static IEnumerable<TopicPartition> Partitions(this KafkaPipelineBed bed) => bed.DataTopics.SelectMany(PartitionsOf);

    public static IEnumerable<TopicPartition> PartitionsOf(string topic) =>
        Enumerable.Range(0, TestKafka.Partitions).Select(number => new TopicPartition(topic, number));

    /// <param name="group">Null: one of its own.</param>
    public static IConsumer<byte[], byte[]> Consumer(this KafkaPipelineBed bed, string? group = null) =>
        new ConsumerBuilder<byte[], byte[]>(
            new Dictionary<string, string>(bed.Settings()) { ["group.id"] = group ?? bed.Kafka.Group + "-test", ["log_level"] = ErrorsOnly }
        ).Build();

    /// <summary>Everything that is in the data topics.</summary>
    public static IEnumerable<TopicRecord> Records(this KafkaPipelineBed bed) => bed.Partitions().SelectMany(bed.RecordsOf);

    /// <summary>Everything that is in a partition. Offsets are not counted: the end of a transaction takes one, and is no record.</summary>
    public static IEnumerable<TopicRecord> RecordsOf(this KafkaPipelineBed bed, TopicPartition partition) =>
        RecordsOf(bed.Kafka, partition);

    public static IEnumerable<TopicRecord> RecordsOf(KafkaOptions kafka, TopicPartition partition)
    {
        var settings = Settings(kafka);
        settings["group.id"] = kafka.Group + "-test";
        settings["enable.partition.eof"] = "true";
        settings["log_level"] = ErrorsOnly;
        using var consumer = new ConsumerBuilder<byte[], byte[]>(settings).Build();
        consumer.Assign(new TopicPartitionOffset(partition, 0));
        while (true)
        {
            var read = consumer.Consume(Patience) ?? throw new TimeoutException($"{partition} does not say where it ends.");
            if (read.IsPartitionEOF)
                break;
            yield return new TopicRecord(partition, read.Message.Key, read.Message.Value) { Offset = read.Offset.Value };
        }
    }

    /// <summary>Ends when no data topic has a record any more.</summary>
    public static async Task EmptiedAsync(this KafkaPipelineBed bed, CancellationToken ct)
    {
        using var consumer = bed.Consumer();
        await Eventually.True(
            "the topics are empty",
            () => bed.Partitions().Select(p => consumer.QueryWatermarkOffsets(p, Patience)).All(marks => marks.Low == marks.High),
            ct: ct
        );
    }

    public static async Task ProduceAsync(this KafkaPipelineBed bed, CancellationToken ct, params IEnumerable<TopicRecord> records)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(
            new Dictionary<string, string>(bed.Settings()) { ["log_level"] = ErrorsOnly }
        ).Build();
        foreach (var record in records)
            await producer.ProduceAsync(record.Partition, new Message<byte[], byte[]> { Key = record.Key!, Value = record.Value! }, ct);
    }

    private static Dictionary<string, string> Settings(this KafkaPipelineBed bed) => Settings(bed.Kafka);

    private static Dictionary<string, string> Settings(KafkaOptions kafka) =>
        new(kafka.Client) { ["bootstrap.servers"] = kafka.BootstrapServers };
}
