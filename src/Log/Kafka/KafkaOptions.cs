using System.Text.RegularExpressions;
using Cdc.Core.Configuration;
using Cdc.Log.Records;

namespace Cdc.Log.Kafka;

/// <summary>The Kafka cluster that carries the change log (section <c>Kafka</c>).</summary>
public sealed partial record KafkaOptions : IOptionSection
{
    /// <summary>Such as <c>kafka-1:9092,kafka-2:9092</c>.</summary>
    public string BootstrapServers { get; init; } = "";

    /// <summary>First part of every topic's name: <c>prefix.schema.table</c>.</summary>
    public string TopicPrefix { get; init; } = "odoo";

    /// <summary>Consumer group of the appliers. Its offsets are a hint for lag tools, never where anything goes on.</summary>
    public string Group { get; init; } = "cdc-apply";

    /// <summary>Consumers in one process. Each applies its partitions in its own engine transactions.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Partitions of a topic that <c>cdc topics create</c> makes.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Replicas of a topic that <c>cdc topics create</c> makes.</summary>
    public int ReplicationFactor { get; init; } = 3;

    /// <summary>
    /// Least in-sync replicas of a topic that <c>cdc topics create</c> makes, and below which <c>cdc topics check</c> warns.
    /// </summary>
    public int MinInSyncReplicas { get; init; } = 2;

    /// <summary>
    /// True: <c>cdc run</c> and <c>cdc capture</c> make the topics that do not exist, as <c>cdc topics create</c> does. False: they refuse.
    /// </summary>
    public bool CreateTopics { get; init; }

    /// <summary>
    /// Unit of columns of type timestamp in the topics. To be chosen before their first record: readers do not see that it has changed.
    /// </summary>
    public TimestampUnit Timestamps { get; init; } = TimestampUnit.Micros;

    /// <summary>What a TRUNCATE is in the topics.</summary>
    public TruncateRecords Truncates { get; init; } = TruncateRecords.Deletes;

    /// <summary>
    /// Any setting of librdkafka for every client, by its own name or with underscores for dots: security.protocol, sasl_username. Wins
    /// over our own, but for those that correctness rests on.
    /// </summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();

    public void Check(OptionChecks checks)
    {
        checks.Require(
            TopicNames().IsMatch(TopicPrefix),
            nameof(TopicPrefix),
            "must be 1 to 100 letters, digits, dots, underscores and hyphens, as Kafka demands of topics"
        );
        checks.Require(Group.Length > 0, nameof(Group), "must name a consumer group");
        checks.AtLeast(nameof(Workers), Workers, 1);
        checks.Require(Workers <= 64, nameof(Workers), "must be at most 64: each holds connections to the engine");
        checks.AtLeast(nameof(Partitions), Partitions, 1);
        checks.AtLeast(nameof(ReplicationFactor), ReplicationFactor, 1);
        checks.AtLeast(nameof(MinInSyncReplicas), MinInSyncReplicas, 1);
        checks.Require(
            ReplicationFactor < 1 || MinInSyncReplicas <= ReplicationFactor,
            nameof(MinInSyncReplicas),
            $"is {MinInSyncReplicas}, and must not be above Kafka:ReplicationFactor ({ReplicationFactor}): nothing could ever be written"
        );
    }

    [GeneratedRegex("^[A-Za-z0-9._-]{1,100}\\z")]
    private static partial Regex TopicNames();
}
