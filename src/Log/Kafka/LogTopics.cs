using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Log.Records;
using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>The data topics of the declared entities as the cluster has them, and the control topic.</summary>
public sealed class LogTopics
{
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    /// <summary>A topic that was just made is known to one broker after the other.</summary>
    private static readonly TimeSpan Spreading = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, LogPartition[]> _ofTopic;

    internal LogTopics(string control, IEnumerable<(string Topic, int Partitions)> topics)
    {
        Control = control;
        var all = new List<LogPartition>();
        foreach (var (topic, partitions) in topics)
            for (var number = 0; number < partitions; number++)
                all.Add(new LogPartition(all.Count, topic, number));
        All = all;
        _ofTopic = all.GroupBy(p => p.Topic).ToDictionary(g => g.Key, g => g.ToArray());
    }

    /// <summary>One partition of it is used: where sessions and what was acknowledged are kept.</summary>
    public string Control { get; }

    /// <summary>By <see cref="LogPartition.Index"/>.</summary>
    public IReadOnlyList<LogPartition> All { get; }

    public IEnumerable<string> Names => _ofTopic.Keys;

    public IReadOnlyList<LogPartition> Of(string topic) => _ofTopic[topic];

    /// <summary>Null: no partition of this log.</summary>
    internal LogPartition? Find(string topic, int number) =>
        _ofTopic.TryGetValue(topic, out var partitions) && number < partitions.Length ? partitions[number] : null;

    public static string ControlTopic(KafkaOptions options) => options.TopicPrefix + ".cdc.control";

    /// <summary>
    /// Where rows of a data topic that went to quarantine can be read: <c>prefix.dlq.schema.table</c>, which patterns such as
    /// <c>prefix\.public\..*</c>, meant for tables, do not match.
    /// </summary>
    public static string DeadLetterTopic(string prefix, string dataTopic) => TopicTables.DeadLettersOf(prefix, dataTopic);

    /// <summary>Its name in earlier versions. What is in it can be read until its retention ends; nothing is written to it.</summary>
    public static string FormerDeadLetterTopic(string dataTopic) => dataTopic + ".dlq";

    public static IReadOnlyList<string> DataTopics(EntitySet entities, Func<EntityDeclaration, string> topicOf) =>
        [.. entities.All.Select(topicOf).Distinct()];

    /// <summary>By the declaration and the options alone.</summary>
    /// <exception cref="CdcException">Configuration: two declared tables would share a topic.</exception>
    public static Func<EntityDeclaration, string> TopicOf(EntitySet entities, KafkaOptions options)
    {
        var tables = new TopicTables(entities, options.TopicPrefix);
        return entity => tables.TopicOf(entity.Index);
    }

    /// <summary>Asks the cluster, which makes no topic of it.</summary>
    /// <exception cref="CdcException">Preflight: a topic does not exist. Unavailable: the cluster does not answer, or a topic is still to
    /// be made (<see cref="KafkaOptions.CreateTopics"/>).</exception>
    public static async Task<LogTopics> ReadAsync(KafkaClients clients, EntitySet entities, IRecordCodec codec, CancellationToken ct)
    {
        using var admin = clients.Admin();
        var control = await RequireControlAsync(clients, admin, ct);
        var topics = new List<(string, int)>();
        foreach (var topic in DataTopics(entities, codec.TopicOf))
            topics.Add((topic, await PartitionsAsync(clients, admin, topic, ct)));
        return new LogTopics(control, topics);
    }

    /// <returns>Its name.</returns>
    /// <exception cref="CdcException">As <see cref="ReadAsync"/>.</exception>
    internal static async Task<string> RequireControlAsync(KafkaClients clients, CancellationToken ct)
    {
        using var admin = clients.Admin();
        return await RequireControlAsync(clients, admin, ct);
    }

    private static async Task<string> RequireControlAsync(KafkaClients clients, IAdminClient admin, CancellationToken ct)
    {
        var control = ControlTopic(clients.Options);
        await PartitionsAsync(clients, admin, control, ct);
        return control;
    }

    private static async Task<int> PartitionsAsync(KafkaClients clients, IAdminClient admin, string topic, CancellationToken ct)
    {
        for (var waited = TimeSpan.Zero; ; waited += PollInterval)
        {
            var found = await clients.AskAsync(() => ClusterTopics.Ask(clients, admin, topic, Answer), ct);
            if (found is { Error.Code: ErrorCode.NoError, Partitions.Count: > 0 } && found.Partitions.All(p => p.Leader >= 0))
                return found.Partitions.Count;
            if (waited >= (found is null ? Spreading : Timeout))
                throw found is null ? Missing(clients, topic) : WithoutLeader(found);
            await Task.Delay(PollInterval, ct);
        }
    }

    private static CdcException Missing(KafkaClients clients, string topic) =>
        clients.Options.CreateTopics
            ? new CdcException(
                FailureKind.Unavailable,
                $"Topic {topic} does not exist yet.",
                "Start 'cdc capture' (or 'cdc run'): it makes the topics (Kafka:CreateTopics)."
            )
            : ClusterTopics.Missing(topic);

    private static CdcException WithoutLeader(TopicMetadata found) =>
        new(
            FailureKind.Unavailable,
            $"Topic {found.Topic} has partitions without a leader ({found.Error.Reason}).",
            "Nothing is lost: a running cdc tries again. Check the brokers: 'cdc topics describe'."
        );
}
