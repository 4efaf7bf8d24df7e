using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>A cluster that makes topics that are asked for, with its own settings: Kafka's default.</summary>
[Trait("Needs", "CDC_KAFKA_HOME")]
public sealed class MadeByAskingTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_made_by_asking_and_a_run_refuses_or_makes_what_topics_create_makes()
    {
        await using var broker = await StartAsync();
        await using var bed = await OpenAsync(broker);
        foreach (
            var command in (string[][])
                [
                    ["topics", "check"],
                    ["topics", "describe"],
                    ["lag"],
                ]
        )
            await bed.RunAsync(Ct, command);
        foreach (var end in (RunningEnd[])[bed.StartCapture(), bed.StartBoth()])
        {
            var refused = await Assert.ThrowsAnyAsync<CdcException>(() => end.Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct));
            Assert.Equal(FailureKind.Preflight, refused.Kind);
            Assert.Contains("cdc topics create", refused.Remedy, StringComparison.Ordinal);
        }
        Assert.Empty(await OursAsync(broker, bed));

        // The other remedy.
        bed.Kafka = bed.Kafka with
        {
            CreateTopics = true,
        };
        bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(Ct);
        var check = await bed.RunAsync(Ct, "topics", "check");
        Assert.Contains("ready (0 warning(s))", check.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_made_by_accident_is_named_and_the_remedies_help()
    {
        await using var broker = await StartAsync();
        await using var bed = await OpenAsync(broker);
        var control = LogTopics.ControlTopic(bed.Kafka);
        await AskForAsync(bed, [control, .. bed.DataTopics]);

        var check = await bed.RunAsync(Ct, "topics", "check");

        Assert.Equal((int)FailureKind.Preflight, check.ExitCode);
        Assert.Contains($"error topic-not-compacted: Topic {control} is not compacted", check.Out, StringComparison.Ordinal);
        Assert.Contains($"--entity-name {control} --add-config cleanup.policy=compact", check.Out, StringComparison.Ordinal);
        Assert.All(
            bed.DataTopics,
            topic =>
                Assert.Contains(
                    $"Nothing is in it: kafka-topics.sh --delete --topic {topic}, then 'cdc topics create'.",
                    check.Out,
                    StringComparison.Ordinal
                )
        );
        Assert.Contains("warning topic-timestamps", check.Out, StringComparison.Ordinal);

        foreach (var setting in (string[])["cleanup.policy=compact", "message.timestamp.type=LogAppendTime"])
            await broker.Topics.SetAsync(control, new Dictionary<string, string> { [setting.Split('=')[0]] = setting.Split('=')[1] }, Ct);
        await broker.Topics.DeleteAsync(bed.DataTopics, Ct);
        await Eventually.True(
            "they are deleted",
            async () => !(await broker.Topics.NamesAsync(Ct)).Intersect(bed.DataTopics).Any(),
            ct: Ct
        );
        await bed.RunAsync(Ct, "topics", "create");
        check = await bed.RunAsync(Ct, "topics", "check");
        Assert.Contains("ready (0 warning(s))", check.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_of_one_partition_that_is_used_is_never_to_be_deleted()
    {
        await using var broker = await StartAsync();
        await using var bed = await OpenAsync(broker);
        bed.Kafka = bed.Kafka with { Partitions = 1 };
        await bed.CreateTopicsAsync(bed.DataTopics, Ct);
        var ends = bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(Ct);
        await ends.StopAsync();
        bed.Kafka = bed.Kafka with { Partitions = 3 };
        var check = await bed.RunAsync(Ct, "topics", "check");
        Assert.Contains("warning topic-one-partition", check.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("--delete", check.Out, StringComparison.Ordinal);
    }

    private static Task<KafkaBroker> StartAsync() =>
        KafkaBroker.StartAsync(
            new KafkaBrokerSettings
            {
                Home = KafkaHome.FindKraft(),
                Partitions = 1,
                Properties = new Dictionary<string, string> { ["auto.create.topics.enable"] = "true" },
            },
            Ct
        );

    /// <summary>With Odoo's rows, and without topics.</summary>
    private async Task<KafkaPipelineBed> OpenAsync(KafkaBroker broker)
    {
        var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), TestKafka.OptionsOf(broker));
        await bed.Bed.FillAsync(Ct);
        return bed;
    }

    private static async Task<IEnumerable<string>> OursAsync(KafkaBroker broker, KafkaPipelineBed bed) =>
        (await broker.Topics.NamesAsync(Ct)).Where(t => t.StartsWith(bed.Kafka.TopicPrefix, StringComparison.Ordinal));

    /// <summary>As any producer does.</summary>
    private static async Task AskForAsync(KafkaPipelineBed bed, IEnumerable<string> topics)
    {
        using var admin = new AdminClientBuilder(
            new Dictionary<string, string> { ["bootstrap.servers"] = bed.Kafka.BootstrapServers, ["allow.auto.create.topics"] = "true" }
        ).Build();
        foreach (var topic in topics)
            await Eventually.True(
                $"{topic} is made",
                () => admin.GetMetadata(topic, TopicRecords.Patience).Topics.Single().Partitions.Any(p => p.Leader >= 0),
                ct: Ct
            );
    }
}
