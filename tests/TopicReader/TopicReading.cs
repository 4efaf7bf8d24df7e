using Avro.Generic;
using Confluent.Kafka;

namespace Cdc.Tests.TopicReader;

/// <summary>
/// Reads topics of cdc from their beginning to their end as a program would that knows nothing but their documentation: Confluent's client for
/// .NET, Apache.Avro, and a schema registry over HTTP.
/// </summary>
public sealed class TopicReading(IReadOnlyDictionary<string, string> settings, Uri registry)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task<TopicView> ReadAsync(string topic, CancellationToken ct)
    {
        using var schemas = new NamedSchemas(registry);
        using var consumer = new ConsumerBuilder<byte[], byte[]>(
            new Dictionary<string, string>(settings)
            {
                ["group.id"] = "other-reader",
                ["enable.auto.commit"] = "false",
                ["enable.partition.eof"] = "true",
                ["auto.offset.reset"] = "error",
            }
        ).SetLogHandler((_, _) => { }).Build();
        var table = new TopicTable(topic);
        for (var partition = 0; partition < PartitionsOf(topic); partition++)
        {
            consumer.Assign(new TopicPartitionOffset(topic, partition, Offset.Beginning));
            while (Next(consumer, topic, partition) is { } read)
                await TakeAsync(table, schemas, partition, read, ct);
        }
        return table.View();
    }

    private int PartitionsOf(string topic)
    {
        using var admin = new AdminClientBuilder(settings).SetLogHandler((_, _) => { }).Build();
        return admin.GetMetadata(topic, Patience).Topics.Single().Partitions.Count;
    }

    /// <returns>Null: the partition is at its end.</returns>
    private static ConsumeResult<byte[], byte[]>? Next(IConsumer<byte[], byte[]> consumer, string topic, int partition)
    {
        var read = consumer.Consume(Patience) ?? throw new TimeoutException($"{topic} [{partition}] does not say where it ends.");
        return read.IsPartitionEOF ? null : read;
    }

    private static async Task TakeAsync(
        TopicTable table,
        NamedSchemas schemas,
        int partition,
        ConsumeResult<byte[], byte[]> read,
        CancellationToken ct
    )
    {
        var key = await schemas.ReadAsync(read.Message.Key, ct);
        GenericRecord? value = read.Message.Value is null ? null : await schemas.ReadAsync(read.Message.Value, ct);
        table.Take(partition, read.Offset.Value, key, value);
    }
}
