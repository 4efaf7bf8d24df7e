using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Waiting;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>What others put into the data topics.</summary>
public sealed class KafkaRecordsTest(TestServers servers, TestKafka kafka)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_that_are_no_record_stop_the_pipeline_as_a_declared_gap()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var ends = await bed.StreamAsync(Ct);
        await ProduceAsync(bed, [new(new(bed.DataTopics[0], 0), [1, 2, 3], [1, 2, 3])]);
        await AssertGapAsync(bed, ends, GapKinds.LogUnreadable);
    }

    [Fact]
    public async Task A_sequence_gap_stops_the_pipeline_and_a_reset_reads_everything_again()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var ends = await bed.StreamAsync(Ct);
        var last = Read(bed).Last(r => r.Value is not null);
        await ProduceAsync(bed, [last with { Value = PlainCodec.WithLaterSequence(last.Value!) }]);
        await AssertGapAsync(bed, ends, GapKinds.LogGap);
        bed.Bed.SourceOptions = bed.Bed.SourceOptions with { AcceptGaps = true };
        bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task Topics_that_are_replayed_whole_change_nothing()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1; DELETE FROM loyalty_point_history WHERE id > 20", Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await ProduceAsync(bed, [.. Read(bed)]);
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal("2", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
    }

    [Fact]
    public async Task Rows_in_quarantine_can_be_read_in_the_dead_letter_topic_with_their_reason()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = -1 WHERE id = 7", Ct);
        var topic = LogTopics.DeadLetterTopic(bed.Codec.TopicOf(bed.Bed.Entity("card")));
        await Eventually.True("the row is in its dead letter topic", async () => await bed.Bed.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM cdc.quarantine WHERE published_attempts = attempts)", Ct), ct: Ct);
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Settings(bed)).Build();
        consumer.Assign(Enumerable.Range(0, TestKafka.Partitions).Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        using var letter = System.Text.Json.JsonDocument.Parse(consumer.Consume(Patience).Message.Value);
        Assert.Equal(("card", 7, "-1"), (letter.RootElement.GetProperty("entity").GetString(), letter.RootElement.GetProperty("key").GetInt32(), $"{letter.RootElement.GetProperty("row").GetProperty("points")}"));
        Assert.NotEmpty(letter.RootElement.GetProperty("reason").GetString()!);
    }

    private sealed record Raw(TopicPartition Partition, byte[]? Key, byte[]? Value);

    private static async Task AssertGapAsync(KafkaPipelineBed bed, RunningEnd ends, string kind)
    {
        var gap = await Assert.ThrowsAsync<DeclaredGapException>(() => ends.Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct));
        Assert.Equal(kind, gap.GapKind);
        Assert.Equal($"gap|{kind}", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT state, gap_kind FROM cdc.source", Ct)));
    }

    /// <summary>Everything that is in the data topics.</summary>
    private static IEnumerable<Raw> Read(KafkaPipelineBed bed)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Settings(bed)).Build();
        foreach (var topic in bed.DataTopics)
            for (var number = 0; number < TestKafka.Partitions; number++)
            {
                var partition = new TopicPartition(topic, number);
                var end = consumer.QueryWatermarkOffsets(partition, Patience).High.Value;
                consumer.Assign(new TopicPartitionOffset(partition, 0));
                for (var offset = 0L; offset < end; offset++)
                {
                    var read = consumer.Consume(Patience) ?? throw new TimeoutException($"{partition} does not give its record {offset}.");
                    yield return new Raw(partition, read.Message.Key, read.Message.Value);
                }
                consumer.Unassign();
            }
    }

    private static async Task ProduceAsync(KafkaPipelineBed bed, IReadOnlyList<Raw> records)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(Settings(bed)).Build();
        foreach (var record in records) await producer.ProduceAsync(record.Partition, new Message<byte[], byte[]> { Key = record.Key!, Value = record.Value! }, Ct);
    }

    private static Dictionary<string, string> Settings(KafkaPipelineBed bed) =>
        new(bed.Kafka.Client) { ["bootstrap.servers"] = bed.Kafka.BootstrapServers, ["group.id"] = bed.Kafka.Group + "-test" };
}
