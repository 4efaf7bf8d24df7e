using Cdc.Core.Failures;
using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>
/// The topics of a cluster. All are asked for: brokers that make topics at their first use would make one that is asked for by name.
/// </summary>
internal sealed class ClusterTopics(Metadata cluster)
{
    private readonly Dictionary<string, TopicMetadata> _topics = cluster
        .Topics.Where(t => t.Error.Code != ErrorCode.UnknownTopicOrPart)
        .ToDictionary(t => t.Topic);

    /// <summary>Null: it is not there.</summary>
    public TopicMetadata? Find(string topic) => _topics.GetValueOrDefault(topic);

    /// <exception cref="CdcException">Preflight: it is not there.</exception>
    public TopicMetadata Require(string topic) => Find(topic) ?? throw Missing(topic);

    public static CdcException Missing(string topic) =>
        new(FailureKind.Preflight, $"Topic {topic} does not exist.", "Run 'cdc topics create'.");
}
