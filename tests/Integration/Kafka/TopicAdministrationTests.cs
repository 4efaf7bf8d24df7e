using Cdc.Core.Failures;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>
/// <c>cdc topics</c> where the brokers make and describe topics: Kafka 4 by <c>CDC_KAFKA_HOME</c>, a cluster by <c>CDC_TEST_KAFKA</c>, or
/// one in a container (<c>CDC_TEST_CONTAINERS=1</c>).
/// </summary>
[Trait("Needs", "CDC_TEST_KAFKA")]
public sealed class TopicAdministrationTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Topics_are_made_as_they_should_be_once_and_checked()
    {
        await using var bed = await OpenAsync();
        var created = await bed.RunAsync(Ct, "topics", "create");
        Assert.True(created.ExitCode == 0, created.Error);
        Assert.All(bed.DataTopics, topic => Assert.Contains($"{topic} created", created.Out, StringComparison.Ordinal));
        Assert.Contains("0 created", (await bed.RunAsync(Ct, "topics", "create")).Out, StringComparison.Ordinal);
        var check = await bed.RunAsync(Ct, "topics", "check");
        Assert.True(check.ExitCode == 0, check.Out);
        Assert.Contains("ready (0 warning(s))", check.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_lose_records_is_found()
    {
        await using var bed = await OpenAsync();
        await bed.RunAsync(Ct, "topics", "create");
        using var admin = new AdminClientBuilder(
            new Dictionary<string, string>(bed.Kafka.Client) { ["bootstrap.servers"] = bed.Kafka.BootstrapServers }
        ).Build();
        await admin.AlterConfigsAsync(
            new()
            {
                [new ConfigResource { Type = ResourceType.Topic, Name = bed.DataTopics[0] }] =
                [
                    new ConfigEntry { Name = "cleanup.policy", Value = "compact" },
                    new ConfigEntry { Name = "unclean.leader.election.enable", Value = "true" },
                    new ConfigEntry { Name = "retention.ms", Value = "1000" },
                ],
            }
        );
        var check = await bed.RunAsync(Ct, "topics", "check");
        Assert.Equal((int)FailureKind.Preflight, check.ExitCode);
        Assert.All(
            (string[])["error topic-compacted", "error topic-unclean-election", "warning topic-retention"],
            finding => Assert.Contains(finding, check.Out, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_replication_factor_that_the_cluster_has_not_is_refused_with_its_remedy()
    {
        await using var bed = await OpenAsync();
        bed.Kafka = bed.Kafka with { ReplicationFactor = 999 };
        var refused = await bed.RunAsync(Ct, "topics", "create");
        Assert.Equal((int)FailureKind.Configuration, refused.ExitCode);
        Assert.Contains("Kafka:ReplicationFactor", refused.Error, StringComparison.Ordinal);
    }

    private async Task<KafkaPipelineBed> OpenAsync()
    {
        Assert.SkipUnless(TestKafka.IsModern, "There are no brokers but Kafka 0.9.");
        return new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), await kafka.OptionsAsync());
    }
}
