using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Xunit;

namespace Cdc.Tests.Unit.Log.Kafka;

public sealed class TopicFindingsTests
{
    private const string Data = "odoo.public.loyalty_card";

    private static readonly KafkaOptions Options = new();
    private static readonly TopicPlan Plan = new(Options, [Data]);

    [Fact]
    public void Topics_as_they_are_planned_are_fine() => Assert.Empty(Find(t => t));

    [Theory]
    [InlineData("unclean.leader.election.enable", "true", "topic-unclean-election", true)]
    [InlineData("min.insync.replicas", "1", "topic-min-in-sync", false)]
    [InlineData("cleanup.policy", "compact,delete", "topic-compacted", true)]
    [InlineData("retention.ms", "3600000", "topic-retention", false)]
    public void A_setting_that_loses_records_is_found_with_the_command_that_mends_it(
        string setting,
        string value,
        string code,
        bool isError
    )
    {
        var finding = Assert.Single(Find(t => t with { Settings = new Dictionary<string, string>(t.Settings!) { [setting] = value } }));
        Assert.Equal((code, isError), (finding.Code, finding.IsError));
        Assert.Contains($"--entity-name {Data} --add-config {setting}=", finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Retention_without_end_is_fine() =>
        Assert.Empty(Find(t => t with { Settings = new Dictionary<string, string>(t.Settings!) { ["retention.ms"] = "-1" } }));

    [Fact]
    public void The_control_topic_may_be_compacted_but_no_stale_replica_may_lead_it()
    {
        Assert.Equal("compact", Plan.Control.Settings["cleanup.policy"]);
        Assert.Equal(
            "topic-unclean-election",
            Assert
                .Single(
                    Find(
                        t =>
                            t with
                            {
                                Settings = new Dictionary<string, string>(t.Settings!) { ["unclean.leader.election.enable"] = "true" },
                            },
                        Plan.Control.Name
                    )
                )
                .Code
        );
    }

    [Fact]
    public void Partitions_without_leader_or_replicas_are_found()
    {
        Assert.Equal("topic-leader", Assert.Single(Find(t => Partition(t, p => p with { Leader = -1 }))).Code);
        Assert.Equal("topic-replicas", Assert.Single(Find(t => Partition(t, p => p with { Replicas = 1, InSyncReplicas = 1 }))).Code);
        Assert.Equal("topic-in-sync", Assert.Single(Find(t => Partition(t, p => p with { InSyncReplicas = 1 }))).Code);
    }

    [Fact]
    public void A_topic_that_is_missing_stops_and_one_that_only_shows_quarantine_warns()
    {
        Assert.True(Assert.Single(Find(t => t with { Error = "gone", Partitions = [], Settings = null })).IsError);
        var warning = Assert.Single(
            Find(t => t with { Error = "gone", Partitions = [], Settings = null }, LogTopics.DeadLetterTopic(Options.TopicPrefix, Data))
        );
        Assert.Equal(("topic-missing", false), (warning.Code, warning.IsError));
    }

    [Fact]
    public void Dead_letters_are_in_no_topic_that_a_pattern_for_tables_matches()
    {
        Assert.Equal("odoo.dlq.public.loyalty_card", Assert.Single(Plan.DeadLetters).Name);
        Assert.DoesNotMatch(@"^odoo\.public\..*$", Assert.Single(Plan.DeadLetters).Name);
    }

    [Fact]
    public void A_dead_letter_topic_of_an_earlier_version_is_pointed_at_and_never_made()
    {
        var former = LogTopics.FormerDeadLetterTopic(Data);
        Assert.DoesNotContain(Plan.All, t => t.Name == former);
        var there = new DescribedTopic(former, null, [new DescribedPartition(0, 1, 3, 3, 0, 9)], null);
        var finding = Assert.Single(new TopicFindings(Plan, Options.MinInSyncReplicas, []).Of([.. Plan.All.Select(AsPlanned), there]));
        Assert.Equal(("topic-former-dlq", false), (finding.Code, finding.IsError));
        Assert.Contains($"--delete --topic {former}", finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_number_of_partitions_than_the_engine_knows_is_an_error() =>
        Assert.Equal("topic-partitions", Assert.Single(Find(t => t, known: [$"{Data}/0", $"{Data}/1"])).Code);

    [Fact]
    public void Brokers_that_do_not_tell_settings_leave_them_to_be_looked_at_by_hand() =>
        Assert.Contains(
            "unclean.leader.election.enable=false",
            Assert.Single(Find(t => t with { Settings = null })).Remedy,
            StringComparison.Ordinal
        );

    private static IReadOnlyList<Finding> Find(
        Func<DescribedTopic, DescribedTopic> change,
        string topic = Data,
        IReadOnlyCollection<string>? known = null
    ) =>
        new TopicFindings(Plan, Options.MinInSyncReplicas, known ?? []).Of([
            .. Plan.All.Select(t => t.Name == topic ? change(AsPlanned(t)) : AsPlanned(t)),
        ]);

    private static DescribedTopic AsPlanned(PlannedTopic topic) =>
        new(
            topic.Name,
            null,
            [.. Enumerable.Range(0, topic.Partitions).Select(p => new DescribedPartition(p, 1, topic.Replicas, topic.Replicas, 0, 0))],
            topic.Settings
        );

    private static DescribedTopic Partition(DescribedTopic topic, Func<DescribedPartition, DescribedPartition> change) =>
        topic with
        {
            Partitions = [change(topic.Partitions[0]), .. topic.Partitions.Skip(1)],
        };
}
