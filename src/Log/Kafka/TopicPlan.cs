using System.Globalization;

namespace Cdc.Log.Kafka;

/// <summary>A topic as <c>cdc topics create</c> makes it.</summary>
public sealed record PlannedTopic(string Name, int Partitions, int Replicas, IReadOnlyDictionary<string, string> Settings)
{
    /// <summary>For brokers that make no topics for others.</summary>
    public string ToCommand() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"kafka-topics.sh --create --topic {Name} --partitions {Partitions} --replication-factor {Replicas}"
                // Brokers as old as that have no choice of it.
                + $"{string.Concat(Settings.Where(s => s.Key != TopicPlan.Timestamps).Select(s => $" --config {s.Key}={s.Value}"))}"
        );
}

/// <summary>
/// All topics of the log: the control topic, the data topics, and for each of these the one that shows its quarantined rows.
/// </summary>
public sealed class TopicPlan
{
    internal const string MinInSync = "min.insync.replicas";
    internal const string UncleanElection = "unclean.leader.election.enable";
    internal const string Cleanup = "cleanup.policy";
    internal const string Retention = "retention.ms";
    internal const string Timestamps = "message.timestamp.type";
    internal const string BrokersTime = "LogAppendTime";
    internal const long WeekMilliseconds = 7L * 24 * 60 * 60 * 1000;

    private readonly KafkaOptions _options;
    private readonly Dictionary<string, string> _safe;

    public TopicPlan(KafkaOptions options, IReadOnlyList<string> data)
    {
        _options = options;
        _safe = new()
        {
            [MinInSync] = Math.Min(options.MinInSyncReplicas, options.ReplicationFactor).ToString(CultureInfo.InvariantCulture),
            [UncleanElection] = "false",
            // Brokers refuse records whose time is an hour ahead of theirs: ours would be that of the host.
            [Timestamps] = BrokersTime,
        };
        // Of the control topic only the newest record counts.
        Control = Topic(LogTopics.ControlTopic(options), 1, new(_safe) { [Cleanup] = "compact" });
        Data = [.. data.Select(t => Kept(t, options.Partitions))];
        DeadLetters = [.. data.Select(t => Kept(LogTopics.DeadLetterTopic(options.TopicPrefix, t), 1))];
        FormerDeadLetters = [.. data.Select(LogTopics.FormerDeadLetterTopic)];
    }

    public PlannedTopic Control { get; }

    public IReadOnlyList<PlannedTopic> Data { get; }

    public IReadOnlyList<PlannedTopic> DeadLetters { get; }

    /// <summary>Names that these had in earlier versions: none is made, and those that are there are described.</summary>
    public IReadOnlyList<string> FormerDeadLetters { get; }

    public IEnumerable<PlannedTopic> All => [Control, .. Data, .. DeadLetters];

    private PlannedTopic Kept(string name, int partitions) =>
        Topic(name, partitions, new(_safe) { [Cleanup] = "delete", [Retention] = WeekMilliseconds.ToString(CultureInfo.InvariantCulture) });

    private PlannedTopic Topic(string name, int partitions, Dictionary<string, string> settings) =>
        new(name, partitions, _options.ReplicationFactor, settings);
}
