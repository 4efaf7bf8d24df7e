using System.Collections;
using System.Text.Json.Nodes;
using Avro;
using Avro.Generic;
using Avro.IO;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Confluent.Kafka.SyncOverAsync;
using Confluent.SchemaRegistry;
using Confluent.SchemaRegistry.Serdes;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Confluent's serdes for .NET, and Apache.Avro alone, read what the pipeline writes, through the built-in registry.</summary>
public sealed class ConfluentSerdesTests(TestServers servers) : IDisposable
{
    /// <summary>The ends of the whole numbers.</summary>
    private const string Wide = """
        INSERT INTO sample (id, i2, i4, i8, f8) VALUES (7, -32768, 2147483647, 9223372036854775807, 1.7976931348623157e308), (8, 32767, -2147483648, -9223372036854775808, -5e-324);
        """;

    private readonly MockCluster _cluster = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Dotnet_gets_every_field_of_every_type_and_every_kind_of_change_right_and_writes_the_same_bytes()
    {
        await using var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), _cluster.Options);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        var expected = await EveryType.RunAsync(bed, _cluster, Wide, Ct);
        var topic = Assert.Single(bed.DataTopics);
        var records = TopicRecords.PartitionsOf(topic).SelectMany(bed.RecordsOf).ToList();
        using var registry = new CachedSchemaRegistryClient(new SchemaRegistryConfig { Url = api.Address.ToString() });

        var bySerdes = new List<JsonNode>();
        var (reader, writer) = (
            new AvroDeserializer<GenericRecord>(registry),
            new AvroSerializer<GenericRecord>(registry, new AvroSerializerConfig { AutoRegisterSchemas = true })
        );
        foreach (var record in records)
        {
            var (key, value) = (
                await ReadAsync(MessageComponentType.Key, record.Key),
                await ReadAsync(MessageComponentType.Value, record.Value)
            );
            bySerdes.Add(new JsonObject { ["key"] = Json(key), ["value"] = Json(value) });

            async Task<GenericRecord?> ReadAsync(MessageComponentType part, byte[]? bytes)
            {
                if (bytes is not { Length: > 0 })
                    return null;
                var context = new SerializationContext(part, topic);
                var read = await reader.DeserializeAsync(bytes, isNull: false, context);
                // Registered again as Apache.Avro writes the schema: the same id, and the same bytes.
                Assert.Equal(bytes, await writer.SerializeAsync(read, context));
                return read;
            }
        }
        EveryType.AssertRead(bySerdes, expected, more: 2);

        var byAvro = new List<JsonNode>();
        foreach (var record in records)
            byAvro.Add(
                new JsonObject
                {
                    ["key"] = Json(await ReadAsync(registry, record.Key)),
                    ["value"] = Json(await ReadAsync(registry, record.Value)),
                }
            );
        EveryType.AssertRead(byAvro, expected, more: 2);
    }

    [Fact]
    public async Task A_consumer_with_Confluents_deserializers_reads_the_topic_from_its_beginning()
    {
        await using var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), _cluster.Options);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        var expected = await EveryType.RunAsync(bed, _cluster, Wide, Ct);
        var partitions = TopicRecords.PartitionsOf(Assert.Single(bed.DataTopics)).ToList();
        using var registry = new CachedSchemaRegistryClient(new SchemaRegistryConfig { Url = api.Address.ToString() });
        using var consumer = new ConsumerBuilder<GenericRecord, GenericRecord>(
            new ConsumerConfig
            {
                BootstrapServers = bed.Kafka.BootstrapServers,
                GroupId = bed.Kafka.Group + "-dotnet",
                EnablePartitionEof = true,
            }
        ).SetKeyDeserializer(new AvroDeserializer<GenericRecord>(registry).AsSyncOverAsync()).SetValueDeserializer(new AvroDeserializer<GenericRecord>(registry).AsSyncOverAsync()).Build();
        var records = new List<JsonNode>();
        foreach (var partition in partitions)
        {
            consumer.Assign(new TopicPartitionOffset(partition, Offset.Beginning));
            while (true)
            {
                var read =
                    consumer.Consume(TopicRecords.Patience) ?? throw new TimeoutException($"{partition} does not say where it ends.");
                if (read.IsPartitionEOF)
                    break;
                records.Add(new JsonObject { ["key"] = Json(read.Message.Key), ["value"] = Json(read.Message.Value) });
            }
        }
        EveryType.AssertRead(records, expected, more: 2);
    }

    /// <summary>Without the serdes: the wire format's five bytes, and Apache.Avro.</summary>
    private static async Task<GenericRecord?> ReadAsync(CachedSchemaRegistryClient registry, byte[]? bytes)
    {
        if (bytes is not { Length: > 0 })
            return null;
        var id = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(1));
        var schema = global::Avro.Schema.Parse((await registry.GetSchemaAsync(id)).SchemaString);
        using var body = new MemoryStream(bytes, 5, bytes.Length - 5);
        var read = new GenericDatumReader<GenericRecord>(schema, schema).Read(null!, new BinaryDecoder(body));
        Assert.Equal(body.Length, body.Position);
        return read;
    }

    private static JsonNode? Json(object? value, global::Avro.Schema? schema = null) =>
        value switch
        {
            null => null,
            GenericRecord record => new JsonObject(
                record.Schema.Fields.Select(f => new KeyValuePair<string, JsonNode?>(f.Name, Json(record.GetValue(f.Pos), f.Schema)))
            ),
            bool truth => truth,
            int number => number,
            long number => number,
            float number => float.IsFinite(number) ? (double)number : null,
            double number => double.IsFinite(number) ? number : null,
            string text => text,
            byte[] bytes => Convert.ToHexStringLower(bytes),
            AvroDecimal amount => Convert.ToHexStringLower(amount.UnscaledValue.ToByteArray(isBigEndian: true)),
            DateTime day when IsDate(schema) => (day - DateTime.UnixEpoch).Days,
            DateTime moment => (moment - DateTime.UnixEpoch).Ticks / 10,
            IDictionary map => new JsonObject(map.Keys.Cast<string>().Select(k => new KeyValuePair<string, JsonNode?>(k, Json(map[k])))),
            IEnumerable items => new JsonArray([.. items.Cast<object?>().Select(item => Json(item))]),
            _ => throw new NotSupportedException($"{value.GetType()} is no value of Avro's."),
        };

    private static bool IsDate(global::Avro.Schema? schema) =>
        schema is LogicalSchema { LogicalTypeName: "date" } || (schema is UnionSchema union && union.Schemas.Any(IsDate));
}
