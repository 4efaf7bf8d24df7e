namespace Cdc.Log.Kafka;

/// <summary>The Kafka cluster that carries the change log (section <c>Kafka</c>).</summary>
public sealed record KafkaOptions
{
    /// <summary>Such as <c>kafka-1:9092,kafka-2:9092</c>.</summary>
    public string BootstrapServers { get; init; } = "";

    /// <summary>First part of every topic's name: <c>prefix.schema.table</c>.</summary>
    public string TopicPrefix { get; init; } = "odoo";

    /// <summary>Consumer group of those that apply. Its offsets are a hint for lag tools, never where anything goes on.</summary>
    public string Group { get; init; } = "cdc-apply";

    /// <summary>Consumers in one process. Each applies its partitions in engine transactions of its own.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Partitions of a topic that <c>cdc topics create</c> makes.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Replicas of a topic that <c>cdc topics create</c> makes.</summary>
    public int ReplicationFactor { get; init; } = 3;

    /// <summary>Least in-sync replicas of a topic that <c>cdc topics create</c> makes, and below which <c>cdc topics check</c> warns.</summary>
    public int MinInSyncReplicas { get; init; } = 2;

    /// <summary>
    /// Any setting of librdkafka for every client, by its own name or with underscores for dots: security.protocol, sasl_username. Wins over
    /// our own, but for those that correctness rests on.
    /// </summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();
}
