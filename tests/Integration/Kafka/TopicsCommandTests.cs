using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary><c>cdc topics</c> where the broker knows nothing of topic administration.</summary>
public sealed class TopicsCommandTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_old_broker_is_not_asked_for_what_it_cannot_do_and_the_commands_say_what_can_be_done_by_hand()
    {
        await using var broker = await KafkaBroker.StartAsync(new KafkaBrokerSettings { Home = KafkaHome.FindOld() }, Ct);
        await using var bed = new KafkaPipelineBed(
            await PipelineBed.CreateAsync(servers, Ct),
            TestKafka.OptionsOf(broker) with
            {
                Partitions = 4,
                ReplicationFactor = 3,
                MinInSyncReplicas = 2,
            }
        );
        var data = bed.DataTopics;

        var create = await bed.RunAsync(Ct, "topics", "create");
        Assert.Equal((int)FailureKind.Preflight, create.ExitCode);
        Assert.All(
            data,
            topic =>
                Assert.Contains(
                    $"kafka-topics.sh --create --topic {topic} --partitions 4 --replication-factor 3 --config min.insync.replicas=2",
                    create.Error,
                    StringComparison.Ordinal
                )
        );
        Assert.Contains($"--topic {LogTopics.ControlTopic(bed.Kafka)} --partitions 1", create.Error, StringComparison.Ordinal);

        var check = await bed.RunAsync(Ct, "topics", "check");
        Assert.Equal((int)FailureKind.Preflight, check.ExitCode);
        Assert.All(
            [.. data, LogTopics.ControlTopic(bed.Kafka)],
            topic => Assert.Contains($"error topic-missing: Topic {topic} ", check.Out, StringComparison.Ordinal)
        );
        // Looking made none, though this broker makes those that are asked for by name.
        Assert.All(await DescribedAsync(bed), topic => Assert.Equal("it does not exist", topic.GetProperty("error").GetString()));

        await bed.CreateTopicsAsync(data, Ct);
        var ends = await bed.StreamAsync(Ct);
        var described = await DescribedAsync(bed);
        Assert.All(
            data,
            name =>
                Assert.Equal(
                    TestKafka.Partitions,
                    described.Single(t => t.GetProperty("name").GetString() == name).GetProperty("partitions").GetArrayLength()
                )
        );
        Assert.Equal(
            50,
            described
                .Single(t => t.GetProperty("name").GetString() == bed.Codec.TopicOf(bed.Bed.Entity("card")))
                .GetProperty("partitions")
                .EnumerateArray()
                .Sum(p => p.GetProperty("high").GetInt64() - p.GetProperty("low").GetInt64())
        );
        Assert.Contains(data[0], (await bed.RunAsync(Ct, "topics", "describe")).Out, StringComparison.Ordinal);
        var warned = await bed.RunAsync(Ct, "topics", "check");
        Assert.Equal(0, warned.ExitCode);
        Assert.Contains("warning topic-replicas", warned.Out, StringComparison.Ordinal);
        Assert.Contains("kafka-configs.sh --describe", warned.Out, StringComparison.Ordinal);

        // A reader that is not ours, and a topic of an earlier version that patterns for tables would give it.
        Assert.DoesNotContain("reader-", warned.Out, StringComparison.Ordinal);
        var former = LogTopics.FormerDeadLetterTopic(data[0]);
        await bed.ProduceAsync(Ct, new TopicRecord(new(former, 0), [1], [2]));
        await bed.Bed.Source.ExecuteAsync("ALTER TABLE loyalty_card REPLICA IDENTITY FULL", Ct);
        var flink = await bed.RunAsync(Ct, "topics", "check", "--for", "flink");
        Assert.True(flink.ExitCode == 0, flink.Error);
        Assert.Contains($"warning topic-former-dlq: Topic {former} ", flink.Out, StringComparison.Ordinal);
        Assert.Contains("warning reader-identity: public.loyalty_point_move", flink.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("reader-identity: public.loyalty_card", flink.Out, StringComparison.Ordinal);
        Assert.Equal((int)FailureKind.Usage, (await bed.RunAsync(Ct, "topics", "check", "--for", "spark")).ExitCode);

        await ends.StopAsync();
        await bed.Bed.Engine.ExecuteAsync($"DELETE FROM cdc.checkpoints WHERE partition = '{LogPartition.NameOf(data[0], 0)}'", Ct);
        var moved = await bed.RunAsync(Ct, "topics", "check", "--json");
        Assert.Equal((int)FailureKind.Preflight, moved.ExitCode);
        var finding = JsonDocument
            .Parse(moved.Out)
            .RootElement.GetProperty("findings")
            .EnumerateArray()
            .Single(f => f.GetProperty("code").GetString() == "topic-partitions");
        Assert.Contains("Kafka:TopicPrefix", finding.GetProperty("remedy").GetString(), StringComparison.Ordinal);

        await broker.KillAsync(Ct);
        foreach (var command in (string[])["create", "check", "describe"])
        {
            var run = await bed.RunAsync(Ct, "topics", command);
            Assert.Equal((int)FailureKind.Unavailable, run.ExitCode);
            Assert.Contains("CDC__Kafka__BootstrapServers", run.Error, StringComparison.Ordinal);
        }
    }

    private static async Task<IReadOnlyList<JsonElement>> DescribedAsync(KafkaPipelineBed bed)
    {
        var run = await bed.RunAsync(Ct, "topics", "describe", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        return [.. JsonDocument.Parse(run.Out).RootElement.EnumerateArray()];
    }
}
