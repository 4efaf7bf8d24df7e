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

    public static CdcException Missing(string topic) =>
        new(
            FailureKind.Preflight,
            $"Topic {topic} does not exist.",
            "Run 'cdc topics create', or let 'cdc run' and 'cdc capture' make it: CDC__Kafka__CreateTopics=true."
        );

    /// <summary>Of one topic. By its name, which also says whether it may be seen; old brokers would make it.</summary>
    /// <returns>Null: it is not there.</returns>
    /// <exception cref="CdcException">Preflight: this program may not see it.</exception>
    /// <exception cref="KafkaException">The brokers do not answer.</exception>
    public static TopicMetadata? Ask(KafkaClients clients, IAdminClient admin, string topic, TimeSpan timeout)
    {
        if (!clients.CanAdministerTopics)
            return new ClusterTopics(admin.GetMetadata(timeout)).Find(topic);
        var found = admin.GetMetadata(topic, timeout).Topics.Single();
        return found.Error.Code switch
        {
            ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic => null,
            ErrorCode.TopicAuthorizationFailed => throw clients.Denied(new KafkaRight(KafkaResource.Topic, topic, KafkaOperation.Describe)),
            _ => found,
        };
    }

    /// <summary>It may be there, and this program may not know.</summary>
    public static bool IsHidden(IAdminClient admin, string topic, TimeSpan timeout) =>
        admin.GetMetadata(topic, timeout).Topics.Single().Error.Code == ErrorCode.TopicAuthorizationFailed;
}
