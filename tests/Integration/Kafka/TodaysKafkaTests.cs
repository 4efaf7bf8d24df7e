using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>What only brokers of today have.</summary>
[Trait("Needs", "CDC_TEST_KAFKA")]
public sealed class TodaysKafkaTests(TestServers servers, TestKafka kafka)
{
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("classic")]
    [InlineData("consumer")]
    public async Task Workers_share_the_partitions_by_either_protocol_of_groups(string protocol)
    {
        await using var bed = await CreateAsync();
        bed.Kafka = bed.Kafka with { Client = new Dictionary<string, string>(bed.Kafka.Client) { ["group_protocol"] = protocol } };
        var (_, first) = await bed.StreamApartAsync(Ct);
        var second = bed.StartApply();
        await bed.UpdateCardsAsync(20, Ct);
        await Eventually.True("both have partitions", async () => await OwnersAsync(bed) == 2, ct: Ct);
        await bed.UpdateCardsAsync(20, Ct);
        await first.StopAsync();
        await bed.UpdateCardsAsync(20, Ct);
        await bed.AssertUpdatedAsync(60, Ct);
        Assert.False(second.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_host_whose_clock_is_ahead_writes_to_our_topics_and_what_refuses_it_elsewhere_is_named()
    {
        await using var bed = await CreateAsync();
        var topic = bed.DataTopics[0];
        await ProduceAheadAsync(bed, topic);
        await (await kafka.TopicsAsync()).SetAsync(topic, new Dictionary<string, string> { ["message.timestamp.type"] = "CreateTime" }, Ct);
        // The broker that leads the topic hears of it from the controller.
        KafkaException? refused = null;
        await Eventually.True(
            "the broker refuses it",
            async () =>
            {
                try
                {
                    await ProduceAheadAsync(bed, topic);
                }
                catch (KafkaException e)
                {
                    refused = e;
                }
                return refused is not null;
            },
            ct: Ct
        );
        var explained = KafkaFailure.Explain(refused!)!;
        Assert.Equal(FailureKind.Preflight, explained.Kind);
        Assert.Contains("message.timestamp.type=LogAppendTime", explained.Remedy, StringComparison.Ordinal);
        var check = await bed.RunAsync(Ct, "topics", "check");
        Assert.Contains($"warning topic-timestamps: Topic {topic} ", check.Out, StringComparison.Ordinal);
    }

    private Task<KafkaPipelineBed> CreateAsync()
    {
        Assert.SkipUnless(TestKafka.IsModern, "There are no brokers but Kafka 0.9.");
        return KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
    }

    private static Task<long> OwnersAsync(KafkaPipelineBed bed) =>
        bed.Bed.Engine.ScalarAsync<long>("SELECT count(DISTINCT owner_token) FROM cdc.checkpoints", Ct);

    private static async Task ProduceAheadAsync(KafkaPipelineBed bed, string topic)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(
            new Dictionary<string, string>(bed.Kafka.Client) { ["bootstrap.servers"] = bed.Kafka.BootstrapServers }
        ).Build();
        await producer.ProduceAsync(
            topic,
            new Message<byte[], byte[]> { Value = [1], Timestamp = new Timestamp(DateTime.UtcNow + Ahead, TimestampType.CreateTime) },
            Ct
        );
    }
}
