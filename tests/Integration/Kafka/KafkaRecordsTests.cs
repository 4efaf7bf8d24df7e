using Cdc.Core.Failures;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Kafka;
using Cdc.Log.Registry;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>What others put into the topics.</summary>
public sealed class KafkaRecordsTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_that_are_no_record_stop_the_pipeline_as_a_declared_gap()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var ends = await bed.StreamAsync(Ct);
        await bed.ProduceAsync(Ct, new TopicRecord(new(bed.DataTopics[0], 0), [1, 2, 3], [1, 2, 3]));
        await bed.GapAsync(ends, Ct, GapKinds.LogUnreadable);
    }

    [Fact]
    public async Task A_sequence_gap_stops_the_pipeline_and_a_reset_reads_everything_again()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var ends = await bed.StreamAsync(Ct);
        var last = bed.Records().Last(r => r.Value is not null);
        await bed.ProduceAsync(Ct, last with { Value = PlainCodec.WithLaterSequence(last.Value!) });
        await bed.GapAsync(ends, Ct, GapKinds.LogGap);
        await bed.AcceptGapAsync(Ct);
    }

    [Fact]
    public async Task What_a_session_that_was_replaced_still_writes_is_not_the_logs_memory()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var control = new TopicPartition(LogTopics.ControlTopic(bed.Kafka), 0);
        var first = await bed.StreamAsync(Ct);
        await first.StopAsync();
        var asleep = TopicRecords.RecordsOf(bed.Kafka, control).Last();
        var second = bed.StartBoth();
        await bed.UpdateCardsAsync(3, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.ConfirmedAsync(Ct);
        await second.StopAsync();
        await bed.ProduceAsync(Ct, asleep);
        bed.StartBoth();
        await bed.UpdateCardsAsync(3, Ct);
        await bed.AssertUpdatedAsync(6, Ct);
    }

    [Fact]
    public async Task A_record_of_a_schema_that_the_registry_does_not_have_stops_the_pipeline_and_a_reset_reads_everything_again()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.UseAvro(new RegistryOptions());
        var ends = await bed.StreamAsync(Ct);
        var last = bed.Records().Last(r => r.Value is not null);
        await bed.ProduceAsync(Ct, last with { Value = [0, 0x7f, 0xff, 0xff, 0xff, .. last.Value![ConfluentFrame.Length..]] });
        var gap = await bed.GapAsync(ends, Ct, GapKinds.LogUnreadable);
        Assert.Contains($"{last.Partition.Topic}/{last.Partition.Partition.Value}", gap.Message, StringComparison.Ordinal);
        Assert.Contains($"schema {int.MaxValue}", gap.Message, StringComparison.Ordinal);
        await bed.AcceptGapAsync(Ct);
    }

    [Fact]
    public async Task A_record_that_ends_in_its_middle_stops_the_pipeline_and_a_reset_reads_everything_again()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.UseAvro(new RegistryOptions());
        var ends = await bed.StreamAsync(Ct);
        var last = bed.Records().Last(r => r.Value is not null);
        await bed.ProduceAsync(Ct, last with { Value = last.Value![..(last.Value!.Length / 2)] });
        await bed.GapAsync(ends, Ct, GapKinds.LogUnreadable);
        await bed.AcceptGapAsync(Ct);
    }

    [Fact]
    public async Task An_apply_that_starts_before_the_capture_after_a_reset_waits_for_it_and_declares_no_gap_again()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var ends = await bed.StreamAsync(Ct);
        await bed.ProduceAsync(Ct, new TopicRecord(new(bed.DataTopics[0], 0), [1, 2, 3], [1, 2, 3]));
        await bed.GapAsync(ends, Ct, GapKinds.LogUnreadable);
        var reset = await bed.RunAsync(Ct, "slot", "reset", "--yes");
        Assert.True(reset.ExitCode == 0, reset.Error);
        bed.StartApply();
        await bed.SaysAsync("in this generation yet", Ct);
        bed.StartCapture();
        await bed.Bed.EqualByItselfAsync(Ct);
        Assert.Equal("2|streaming", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT generation, state FROM cdc.source", Ct)));
    }

    [Fact]
    public async Task Topics_that_are_replayed_whole_change_nothing()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = points + 1; DELETE FROM loyalty_point_history WHERE id > 20",
            Ct
        );
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.ProduceAsync(Ct, bed.Records().ToList());
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        await bed.AssertUpdatedAsync(2, Ct);
    }

    [Fact]
    public async Task Rows_in_quarantine_can_be_read_in_the_dead_letter_topic_with_their_reason()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = -1 WHERE id = 7", Ct);
        var topic = LogTopics.DeadLetterTopic(bed.Kafka.TopicPrefix, bed.Codec.TopicOf(bed.Bed.Entity("card")));
        await Eventually.True(
            "the row is in its dead letter topic",
            async () =>
                await bed.Bed.Engine.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM cdc.quarantine WHERE published_attempts = attempts)",
                    Ct
                ),
            ct: Ct
        );
        using var consumer = bed.Consumer();
        // An old broker makes it with as many partitions as any other.
        var partitions = Enumerable.Range(0, TestKafka.IsModern ? 1 : TestKafka.Partitions);
        consumer.Assign(partitions.Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        using var letter = System.Text.Json.JsonDocument.Parse(consumer.Consume(TopicRecords.Patience).Message.Value);
        Assert.Equal(
            ("card", 7, "-1"),
            (
                letter.RootElement.GetProperty("entity").GetString(),
                letter.RootElement.GetProperty("key").GetInt32(),
                $"{letter.RootElement.GetProperty("row").GetProperty("points")}"
            )
        );
        Assert.NotEmpty(letter.RootElement.GetProperty("reason").GetString()!);
    }
}
