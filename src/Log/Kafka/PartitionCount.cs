using Cdc.Core.Failures;

namespace Cdc.Log.Kafka;

/// <summary>A key must stay in its partition, or its changes lose their order: the number of partitions never changes.</summary>
public static class PartitionCount
{
    public static CdcException Changed(string topic, int before) =>
        new(
            FailureKind.Preflight,
            $"Topic {topic} had {before} partitions, and has another number now: "
                + "keys have moved, and with them the order of their changes.",
            "Name new topics with another Kafka:TopicPrefix, make them with 'cdc topics create', "
                + "then read everything again with 'cdc slot reset' (ops/runbooks/kafka.md)."
        );

    /// <summary>Compares with the checkpoints that the engine has.</summary>
    /// <param name="known">Names of partitions; those of other logs play no part.</param>
    /// <exception cref="CdcException">A topic has another number of partitions.</exception>
    public static void Require(LogTopics topics, IReadOnlyCollection<string> known)
    {
        foreach (var topic in topics.Names)
            if (Compare(topic, topics.Of(topic).Count, known) is { } changed)
                throw changed;
    }

    /// <summary>The same of one topic.</summary>
    /// <param name="now">How many partitions the topic has.</param>
    /// <param name="known">Names of partitions; those of other topics play no part.</param>
    /// <returns>Null: it has as many as before, or is new.</returns>
    public static CdcException? Compare(string topic, int now, IReadOnlyCollection<string> known)
    {
        var before = known.Count(name => name.StartsWith(topic + '/', StringComparison.Ordinal));
        return before > 0 && before != now ? Changed(topic, before) : null;
    }
}
