using System.Text.Json.Nodes;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Cdc.Log.Registry;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>The topics that the real <c>cdc run</c> writes, as Debian's python3-kafka and python3-avro read them through our registry.</summary>
public sealed class TopicPeerTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_keeps_the_last_record_of_each_key_ends_with_Odoos_rows_and_what_he_writes_we_read()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await bed.Bed.FillAsync(Ct);
        await bed.StartProcessAsync("run", null, Ct);
        await bed.Bed.EqualByItselfAsync(Ct);
        // A text that is kept beside its row (TOAST), and left out when another column changes; a key that changes; numbers, moments and NULLs.
        await bed.Bed.Source.ExecuteAsync(
            """
            UPDATE loyalty_point_history SET origin = (SELECT string_agg(md5(i::text || id::text), 'ä') FROM generate_series(1, 300) i), transaction_time = '2026-09-18 00:00:05.678901' WHERE id <= 20;
            UPDATE loyalty_point_history SET points_amount = 0.1 + id / 3.0, status_membership_product_id = NULL WHERE id <= 15;
            UPDATE loyalty_point_move SET gain_date = '0044-03-15 12:00:00', state = 'depleted', remaining_point = 1e-300 WHERE id = 3;
            DELETE FROM loyalty_point_history WHERE id IN (5, 30);
            """,
            Ct
        );
        await bed.Bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, company_id, code, points) VALUES (4000, 1, 1, 'new', 0); UPDATE loyalty_card SET id = 4001, points = 7 WHERE id = 4000",
            Ct
        );
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET code = 'again' || id, points = points * 2 WHERE id % 2 = 0", Ct);
        await bed.Bed.CaughtUpAsync(Ct);

        var answer = await bed.AskPeerAsync(api, Ct);

        foreach (var entity in bed.Bed.Entities.All)
        {
            var read = answer[bed.Codec.TopicOf(entity)]!;
            Assert.Empty((JsonArray)read["wrong"]!);
            var expected = await bed.RowsAsync(entity, Ct);
            Assert.True(
                JsonNode.DeepEquals(expected, read["rows"]),
                $"{entity.Name}: {expected.ToJsonString()} in Odoo, {read["rows"]!.ToJsonString()} in the topic"
            );
        }
        AssertReadAlike(bed, api, answer);
    }

    [Theory]
    [InlineData(TruncateRecords.Deletes)]
    [InlineData(TruncateRecords.Record)]
    public async Task A_truncate_ends_every_partition_for_who_reads_the_topic_alone(TruncateRecords truncates)
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.Kafka = bed.Kafka with { Truncates = truncates };
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await bed.Bed.FillAsync(Ct);
        await bed.StartProcessAsync("run", null, Ct);
        await bed.Bed.EqualByItselfAsync(Ct);
        await bed.Bed.Source.ExecuteAsync(
            "TRUNCATE loyalty_point_history; INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount) VALUES (900, 9, 9)",
            Ct
        );
        await bed.Bed.CaughtUpAsync(Ct);
        var history = bed.Bed.Entity("history");
        var read = (await bed.AskPeerAsync(api, Ct))[bed.Codec.TopicOf(history)]!;
        Assert.Empty((JsonArray)read["wrong"]!);
        Assert.Equal(["900"], ((JsonObject)read["rows"]!).Select(row => row.Key));
    }

    /// <summary>The peer's values are other bytes' equals: our reader, by way of the registry's HTTP, makes the same changes of them.</summary>
    private static void AssertReadAlike(KafkaPipelineBed bed, ApiBed api, JsonNode answer)
    {
        using var client = new ConfluentSchemaClient(new RegistryOptions { Url = api.Address.ToString() });
        var codec = new AvroRecordCodec(bed.Bed.Entities, bed.Kafka.TopicPrefix, "", "", new KnownSchemas(client), TimeProvider.System);
        foreach (var topic in bed.DataTopics)
        {
            var (ours, theirs) = (Read(bed, topic, codec.Decoder(topic)), Read(bed, topic + TopicPeer.Again, codec.Decoder(topic)));
            Assert.Equal((int)answer[topic]!["records"]!, ours.Count);
            Assert.Equal(ours, theirs);
        }
    }

    /// <summary>What each record says, in the order of its partition; a tombstone: nothing but its key.</summary>
    private static List<string> Read(KafkaPipelineBed bed, string topic, IRecordDecoder decoder)
    {
        var (read, changes) = (new List<string>(), new List<ChangeEvent>());
        foreach (var partition in TopicRecords.PartitionsOf(topic))
        foreach (var record in bed.RecordsOf(partition))
        {
            if (record.Value is not null)
                Decode(decoder, record, changes);
            read.Add($"{partition.Partition.Value} {Convert.ToHexString(record.Key ?? [])} {string.Join(';', changes.Select(Describe))}");
            changes.Clear();
        }
        return read;
    }

    private static void Decode(IRecordDecoder decoder, TopicRecord record, List<ChangeEvent> changes)
    {
        if (decoder.TryDecode(record.Key, record.Value, changes, out _))
            return;
        decoder.LearnAsync(record.Key, record.Value, Ct).GetAwaiter().GetResult();
        Assert.True(decoder.TryDecode(record.Key, record.Value, changes, out _));
    }

    private static string Describe(ChangeEvent change) =>
        change is RowChange row
            ? $"{row.Kind} {row.Key} {row.Position} {row.Transaction} {(row.Image.IsEmpty ? "" : Convert.ToHexString(row.Image.Span))}"
            : $"{change.GetType().Name} {((TruncateChange)change).Position}";
}
