using System.Text.Json.Serialization;

namespace Cdc.Log.Kafka;

/// <summary>A topic as the cluster has it.</summary>
/// <param name="Error">Null: the topic is there.</param>
/// <param name="Settings">Null: the topic is not there, or the brokers do not report them.</param>
public sealed record DescribedTopic(
    string Name,
    string? Error,
    IReadOnlyList<DescribedPartition> Partitions,
    IReadOnlyDictionary<string, string>? Settings
)
{
    /// <summary>The right without which no more is known of it; null: nothing is hidden.</summary>
    [JsonIgnore]
    public KafkaRight? Lacks { get; init; }
}

/// <param name="Leader">The broker's number; negative: it has none.</param>
/// <param name="Low">Offset of the first record that is still there; null: unknown, the partition has no leader.</param>
/// <param name="High">Offset after the last record.</param>
public sealed record DescribedPartition(int Number, int Leader, int Replicas, int InSyncReplicas, long? Low, long? High);
