using System.Globalization;
using Cdc.Core.Failures;

namespace Cdc.Log.Kafka;

/// <summary>What would lose records, or their order, in topics such as these.</summary>
/// <param name="known">Partitions that the engine has checkpoints of.</param>
public sealed class TopicFindings(TopicPlan plan, int minInSyncReplicas, IReadOnlyCollection<string> known)
{
    private const long DayMilliseconds = 24L * 60 * 60 * 1000;

    public IReadOnlyList<Finding> Of(IReadOnlyList<DescribedTopic> topics)
    {
        var found = topics.ToDictionary(t => t.Name);
        return
        [
            .. OfControl(found[plan.Control.Name]),
            .. plan.Data.SelectMany(t => OfData(found[t.Name])),
            .. plan
                .DeadLetters.Where(t => found[t.Name] is { Error: not null, Lacks: null })
                .Select(t => new Finding(
                    "topic-missing",
                    IsError: false,
                    $"Topic {t.Name} cannot be used: {found[t.Name].Error}. Quarantined rows are not shown in it.",
                    "Run 'cdc topics create'."
                )),
            .. plan.FormerDeadLetters.Where(found.ContainsKey).Select(Former),
        ];
    }

    private IEnumerable<Finding> OfControl(DescribedTopic topic)
    {
        foreach (var finding in OfLog(topic))
            yield return finding;
        if (topic.Settings?.GetValueOrDefault(TopicPlan.Cleanup) is { } cleanup && cleanup != "compact")
            yield return new Finding(
                "topic-not-compacted",
                IsError: true,
                $"Topic {topic.Name} is not compacted: retention ({TopicPlan.Cleanup}={cleanup}) removes what the log remembers of itself.",
                Alter(topic, $"{TopicPlan.Cleanup}=compact")
            );
    }

    private static Finding Former(string topic) =>
        new(
            "topic-former-dlq",
            IsError: false,
            $"Topic {topic} is one of an earlier version: quarantined rows are written to another topic now. "
                + "Patterns that are meant for tables match it, and its records are JSON.",
            $"When its readers have read it: kafka-topics.sh --delete --topic {topic} "
                + "(its rows are in quarantine still, or were settled: 'cdc quarantine list')."
        );

    private IEnumerable<Finding> OfData(DescribedTopic topic) =>
        topic.Error is null ? [.. OfNumber(topic), .. OfLog(topic), .. OfKept(topic)] : OfLog(topic);

    private IEnumerable<Finding> OfNumber(DescribedTopic topic) =>
        PartitionCount.Compare(topic.Name, topic.Partitions.Count, known) is { } changed
            ? [new Finding("topic-partitions", IsError: true, changed.Message, changed.Remedy)]
            : OfSinglePartition(topic);

    /// <summary>What brokers make by themselves has one partition. Changing it is harmless only while nothing is in it.</summary>
    private IEnumerable<Finding> OfSinglePartition(DescribedTopic topic)
    {
        if (topic.Partitions.Count != 1 || Planned(topic).Partitions == 1)
            return [];
        var isUsed = topic.Partitions[0].High != 0 || known.Any(name => name.StartsWith(topic.Name + '/', StringComparison.Ordinal));
        return
        [
            new Finding(
                "topic-one-partition",
                IsError: false,
                $"Topic {topic.Name} has one partition, and Kafka:Partitions is {Planned(topic).Partitions}: the brokers may have made it by "
                    + "themselves.",
                isUsed
                    ? "If one is enough, set Kafka:Partitions=1. Else name new topics with another Kafka:TopicPrefix, 'cdc topics create', "
                        + "'cdc slot reset': in a topic that is used the number never changes."
                    : $"Nothing is in it: kafka-topics.sh --delete --topic {topic.Name}, then 'cdc topics create'. Or set Kafka:Partitions=1."
            ),
        ];
    }

    private IEnumerable<Finding> OfLog(DescribedTopic topic) =>
        topic is { Error: not null, Lacks: not null } ? []
        : topic.Error is { } error
            ? [new Finding("topic-missing", IsError: true, $"Topic {topic.Name} cannot be used: {error}.", "Run 'cdc topics create'.")]
        : OfReplicas(topic).Concat(OfSafety(topic));

    private IEnumerable<Finding> OfReplicas(DescribedTopic topic)
    {
        if (topic.Partitions.Any(p => p.Leader < 0))
            yield return new Finding(
                "topic-leader",
                IsError: true,
                $"Topic {topic.Name} has partitions without a leader.",
                "Check the brokers."
            );
        if (topic.Partitions.Any(p => p.Replicas < minInSyncReplicas))
            yield return new Finding(
                "topic-replicas",
                IsError: false,
                $"Topic {topic.Name} has fewer than {minInSyncReplicas} replicas: a broker that is lost takes records with it.",
                "Add replicas (kafka-reassign-partitions.sh), or set Kafka:MinInSyncReplicas to what you accept."
            );
        else if (topic.Partitions.Any(p => p.InSyncReplicas < minInSyncReplicas))
            yield return new Finding(
                "topic-in-sync",
                IsError: false,
                $"Topic {topic.Name} has fewer than {minInSyncReplicas} replicas in sync.",
                "Check the brokers."
            );
    }

    private IEnumerable<Finding> OfSafety(DescribedTopic topic)
    {
        if (topic.Settings is not { } settings)
        {
            if (topic.Lacks is not null)
                yield break;
            yield return new Finding(
                "topic-settings",
                IsError: false,
                $"The brokers do not report the settings of topic {topic.Name}.",
                "Brokers from 0.11 on do. On older ones check them yourself (kafka-configs.sh --describe): "
                    + $"{string.Join(", ", Planned(topic).Settings.Select(s => $"{s.Key}={s.Value}"))}."
            );
            yield break;
        }
        if (settings.GetValueOrDefault(TopicPlan.UncleanElection) == "true")
            yield return new Finding(
                "topic-unclean-election",
                IsError: true,
                $"Topic {topic.Name} lets a replica lead that lacks acknowledged records.",
                Alter(topic, $"{TopicPlan.UncleanElection}=false")
            );
        if (settings.GetValueOrDefault(TopicPlan.Timestamps) is { } timestamps && timestamps != TopicPlan.BrokersTime)
            yield return new Finding(
                "topic-timestamps",
                IsError: false,
                $"Topic {topic.Name} takes the writing host's time ({TopicPlan.Timestamps}={timestamps}): if that clock is an hour ahead, brokers "
                    + "refuse its records.",
                Alter(topic, $"{TopicPlan.Timestamps}={TopicPlan.BrokersTime}")
            );
        if (Number(settings, TopicPlan.MinInSync) is { } least && least < minInSyncReplicas)
            yield return new Finding(
                "topic-min-in-sync",
                IsError: false,
                $"Topic {topic.Name} acknowledges with {least} replicas in sync.",
                Alter(topic, $"{TopicPlan.MinInSync}={minInSyncReplicas}")
            );
    }

    private static IEnumerable<Finding> OfKept(DescribedTopic topic)
    {
        if (topic.Settings is not { } settings)
            yield break;
        if (settings.GetValueOrDefault(TopicPlan.Cleanup)?.Contains("compact", StringComparison.Ordinal) == true)
            yield return new Finding(
                "topic-compacted",
                IsError: true,
                $"Topic {topic.Name} is compacted: an update that leaves a column unchanged needs the one before it, "
                    + "and a truncate has no key.",
                Alter(topic, $"{TopicPlan.Cleanup}=delete")
            );
        if (Number(settings, TopicPlan.Retention) is >= 0 and < DayMilliseconds)
            yield return new Finding(
                "topic-retention",
                IsError: false,
                $"Topic {topic.Name} keeps records for less than a day: an engine that is down for longer must be loaded again.",
                Alter(topic, $"{TopicPlan.Retention}={TopicPlan.WeekMilliseconds}")
            );
    }

    private PlannedTopic Planned(DescribedTopic topic) => plan.All.Single(t => t.Name == topic.Name);

    private static string Alter(DescribedTopic topic, string setting) =>
        $"kafka-configs.sh --alter --entity-type topics --entity-name {topic.Name} --add-config {setting}";

    private static long? Number(IReadOnlyDictionary<string, string> settings, string name) =>
        settings.TryGetValue(name, out var text)
        && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
