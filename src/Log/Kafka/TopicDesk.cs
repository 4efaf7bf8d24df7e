using System.Globalization;
using Cdc.Core.Failures;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Cdc.Log.Kafka;

/// <param name="Low">Offset of the first record that is still there.</param>
/// <param name="High">Offset after the last record.</param>
public sealed record DescribedPartition(int Number, int Leader, int Replicas, int InSyncReplicas, long Low, long High);

/// <param name="Error">Null: the topic is there.</param>
/// <param name="Settings">Null: the brokers are too old to tell.</param>
public sealed record DescribedTopic(string Name, string? Error, IReadOnlyList<DescribedPartition> Partitions, IReadOnlyDictionary<string, string>? Settings);

/// <summary>Makes, reads and judges the topics of the log.</summary>
public sealed class TopicDesk(KafkaClients clients)
{
    private const string MinInSync = "min.insync.replicas";
    private const string UncleanElection = "unclean.leader.election.enable";
    private const string Cleanup = "cleanup.policy";
    private const string Retention = "retention.ms";
    private const long WeekMilliseconds = 7L * 24 * 60 * 60 * 1000;
    private const long DayMilliseconds = 24L * 60 * 60 * 1000;
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);

    /// <returns>Those that did not exist.</returns>
    public async Task<IReadOnlyList<string>> CreateAsync(IReadOnlyList<string> data)
    {
        using var admin = clients.Admin();
        var created = new List<string>();
        foreach (var topic in Specifications(data))
        {
            try
            {
                await admin.CreateTopicsAsync([topic]).ConfigureAwait(false);
                created.Add(topic.Name);
            }
            catch (CreateTopicsException e) when (e.Results.All(r => r.Error.Code == ErrorCode.TopicAlreadyExists))
            {
                // It stays as it is; a check says whether that will do.
            }
        }
        return created;
    }

    public async Task<IReadOnlyList<DescribedTopic>> DescribeAsync(IReadOnlyList<string> data)
    {
        using var admin = clients.Admin();
        using var reader = clients.Reader();
        var described = new List<DescribedTopic>();
        foreach (var name in data.Prepend(LogTopics.ControlTopic(clients.Options)))
        {
            var topic = await Task.Run(() => admin.GetMetadata(name, Answer)).ConfigureAwait(false) is { Topics: [var found] } ? found : null;
            var isThere = topic is { Error.Code: ErrorCode.NoError };
            described.Add(new DescribedTopic(name, isThere ? null : topic?.Error.Reason ?? "unknown",
                isThere ? await Task.Run(() => Partitions(reader, topic!)).ConfigureAwait(false) : [],
                isThere ? await SettingsAsync(admin, name).ConfigureAwait(false) : null));
        }
        return described;
    }

    /// <summary>What would lose records, or order, in topics such as these.</summary>
    public IReadOnlyList<Finding> Judge(IReadOnlyList<DescribedTopic> topics)
    {
        var control = LogTopics.ControlTopic(clients.Options);
        return [.. topics.SelectMany(t => t.Error is { } error
            ? [new Finding("topic-missing", IsError: true, $"Topic {t.Name} cannot be used: {error}.", "Run 'cdc topics create'.")]
            : OfPartitions(t).Concat(OfSettings(t, isControl: t.Name == control)))];
    }

    private IEnumerable<Finding> OfPartitions(DescribedTopic topic)
    {
        var least = clients.Options.MinInSyncReplicas;
        if (topic.Partitions.Any(p => p.Leader < 0))
            yield return new Finding("topic-leader", IsError: true, $"Topic {topic.Name} has partitions without a leader.", "Look at the brokers.");
        if (topic.Partitions.Any(p => p.Replicas < least))
            yield return new Finding("topic-replicas", IsError: false, $"Topic {topic.Name} has fewer than {least} replicas: a broker that is lost takes records with it.",
                "Add replicas (kafka-reassign-partitions.sh), or set Kafka:MinInSyncReplicas to what you accept.");
        else if (topic.Partitions.Any(p => p.InSyncReplicas < least))
            yield return new Finding("topic-in-sync", IsError: false, $"Topic {topic.Name} has fewer than {least} replicas in sync.", "Look at the brokers.");
    }

    private IEnumerable<Finding> OfSettings(DescribedTopic topic, bool isControl)
    {
        if (topic.Settings is not { } settings)
        {
            yield return new Finding("topic-settings", IsError: false, $"The brokers do not tell the settings of topic {topic.Name}.", "Brokers from 0.11 on do.");
            yield break;
        }
        if (settings.TryGetValue(UncleanElection, out var unclean) && unclean == "true")
            yield return new Finding("topic-unclean-election", IsError: true, $"Topic {topic.Name} lets a replica lead that lacks acknowledged records.", Alter(topic, $"{UncleanElection}=false"));
        if (Number(settings, MinInSync) is { } least && least < clients.Options.MinInSyncReplicas)
            yield return new Finding("topic-min-in-sync", IsError: false, $"Topic {topic.Name} acknowledges with {least} replicas in sync.", Alter(topic, $"{MinInSync}={clients.Options.MinInSyncReplicas}"));
        if (!isControl && settings.TryGetValue(Cleanup, out var cleanup) && cleanup.Contains("compact", StringComparison.Ordinal))
            yield return new Finding("topic-compacted", IsError: true, $"Topic {topic.Name} is compacted: an update that leaves a column unchanged needs the one before it, and a truncate has no key.", Alter(topic, $"{Cleanup}=delete"));
        if (!isControl && Number(settings, Retention) is >= 0 and < DayMilliseconds)
            yield return new Finding("topic-retention", IsError: false, $"Topic {topic.Name} keeps records for less than a day: an engine that is away for longer must be read anew.", Alter(topic, $"{Retention}={WeekMilliseconds}"));
    }

    private static string Alter(DescribedTopic topic, string setting) => $"kafka-configs.sh --alter --entity-type topics --entity-name {topic.Name} --add-config {setting}";

    private static long? Number(IReadOnlyDictionary<string, string> settings, string name) =>
        settings.TryGetValue(name, out var text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private IEnumerable<TopicSpecification> Specifications(IReadOnlyList<string> data)
    {
        var options = clients.Options;
        var safe = new Dictionary<string, string>
        {
            [MinInSync] = Math.Min(options.MinInSyncReplicas, options.ReplicationFactor).ToString(CultureInfo.InvariantCulture), [UncleanElection] = "false",
        };
        foreach (var (topic, partitions) in data.Select(t => (t, options.Partitions)).Concat(data.Select(t => (LogTopics.DeadLetterTopic(t), 1))))
            yield return new TopicSpecification
            {
                Name = topic, NumPartitions = partitions, ReplicationFactor = (short)options.ReplicationFactor,
                Configs = new(safe) { [Cleanup] = "delete", [Retention] = WeekMilliseconds.ToString(CultureInfo.InvariantCulture) },
            };
        // Only its newest record counts.
        yield return new TopicSpecification
        {
            Name = LogTopics.ControlTopic(options), NumPartitions = 1, ReplicationFactor = (short)options.ReplicationFactor, Configs = new(safe) { [Cleanup] = "compact" },
        };
    }

    private static IReadOnlyList<DescribedPartition> Partitions(IConsumer<byte[], byte[]> reader, TopicMetadata topic) => [.. topic.Partitions.Select(p =>
    {
        var marks = reader.QueryWatermarkOffsets(new TopicPartition(topic.Topic, p.PartitionId), Answer);
        return new DescribedPartition(p.PartitionId, p.Leader, p.Replicas.Length, p.InSyncReplicas.Length, marks.Low.Value, marks.High.Value);
    })];

    private static async Task<IReadOnlyDictionary<string, string>?> SettingsAsync(IAdminClient admin, string topic)
    {
        try
        {
            var found = await admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic }]).ConfigureAwait(false);
            return found[0].Entries.Values.Where(e => e.Value is not null).ToDictionary(e => e.Name, e => e.Value);
        }
        catch (KafkaException e) when (e.Error.Code is ErrorCode.Local_UnsupportedFeature or ErrorCode.UnsupportedVersion or ErrorCode.Local_NotImplemented or ErrorCode.InvalidRequest)
        {
            return null;
        }
    }
}
