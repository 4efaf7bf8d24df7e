using Cdc.Core.Failures;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Cdc.Log.Kafka;

/// <summary>Creates and describes the topics of the log.</summary>
public sealed class TopicAdministration(KafkaClients clients, TopicPlan plan)
{
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);

    /// <summary>Leaves existing topics as they are: 'cdc topics check' says whether they will do.</summary>
    /// <returns>Those that did not exist.</returns>
    /// <exception cref="CdcException">Configuration: the cluster cannot make a topic like this. Preflight: it makes none for
    /// others.</exception>
    public async Task<IReadOnlyList<string>> CreateAsync(CancellationToken ct)
    {
        using var admin = clients.Admin();
        var there = await ReadAsync(admin, ct);
        var created = new List<string>();
        var missing = plan.All.Where(t => there.Find(t.Name) is null).ToList();
        if (missing.Count > 0 && !clients.CanAdministerTopics)
            throw TooOld(missing);
        foreach (var topic in missing)
            if (await CreateAsync(admin, topic, missing))
                created.Add(topic.Name);
        return created;
    }

    /// <summary>All topics of the plan, in its order, then those of its former names that are there. Makes none.</summary>
    /// <exception cref="KafkaException">The brokers do not answer.</exception>
    public async Task<IReadOnlyList<DescribedTopic>> DescribeAsync(CancellationToken ct)
    {
        using var admin = clients.Admin();
        using var reader = clients.Reader();
        var there = await ReadAsync(admin, ct);
        string[] names = [.. plan.All.Select(t => t.Name), .. plan.FormerDeadLetters.Where(t => there.Find(t) is not null)];
        var settings = await SettingsAsync(admin, [.. names.Where(t => there.Find(t) is not null)]);
        var described = new List<DescribedTopic>();
        foreach (var name in names)
            described.Add(
                there.Find(name) is { } topic
                    ? (settings?.GetValueOrDefault(name) ?? new TopicSettings(null, null)).Of(
                        topic,
                        await clients.AskAsync(() => Partitions(reader, topic), ct)
                    )
                    : await clients.AskAsync(() => Absent(admin, name), ct)
            );
        return described;
    }

    private Task<ClusterTopics> ReadAsync(IAdminClient admin, CancellationToken ct) =>
        clients.AskAsync(() => new ClusterTopics(admin.GetMetadata(Answer)), ct);

    /// <summary>What may not be seen is not among all topics.</summary>
    private DescribedTopic Absent(IAdminClient admin, string topic)
    {
        var hidden = clients.CanAdministerTopics && ClusterTopics.IsHidden(admin, topic, Answer);
        return new DescribedTopic(topic, hidden ? "it may not be seen" : "it does not exist", [], null)
        {
            Lacks = hidden ? new KafkaRight(KafkaResource.Topic, topic, KafkaOperation.Describe) : null,
        };
    }

    private async Task<bool> CreateAsync(IAdminClient admin, PlannedTopic topic, IReadOnlyList<PlannedTopic> missing)
    {
        try
        {
            await admin.CreateTopicsAsync(
                [
                    new TopicSpecification
                    {
                        Name = topic.Name,
                        NumPartitions = topic.Partitions,
                        ReplicationFactor = (short)topic.Replicas,
                        Configs = new(topic.Settings),
                    },
                ],
                new CreateTopicsOptions { RequestTimeout = Answer, OperationTimeout = Answer }
            );
            return true;
        }
        catch (CreateTopicsException e)
        {
            var error = e.Results[0].Error;
            if (error.Code == ErrorCode.TopicAlreadyExists)
                return false;
            if (error.Code is ErrorCode.TopicAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed)
                throw clients.Denied([.. missing.Select(t => new KafkaRight(KafkaResource.Topic, t.Name, KafkaOperation.Create))], e);
            throw error.Code
                is ErrorCode.InvalidReplicationFactor
                    or ErrorCode.InvalidConfig
                    or ErrorCode.InvalidPartitions
                    or ErrorCode.PolicyViolation
                ? new CdcException(
                    FailureKind.Configuration,
                    $"The brokers do not make topic {topic.Name}: {error.Reason}.",
                    "Change Kafka:ReplicationFactor, Kafka:MinInSyncReplicas or Kafka:Partitions (docs/commands.md).",
                    e
                )
                : KafkaFailure.Of(error, e);
        }
        catch (KafkaException e) when (IsTooOld(e.Error.Code))
        {
            throw TooOld(missing, e);
        }
    }

    private static CdcException TooOld(IReadOnlyList<PlannedTopic> missing, Exception? cause = null) =>
        new(
            FailureKind.Preflight,
            $"The brokers make no topics for others (before 0.11 they cannot); {missing[0].Name} does not exist.",
            "Make them with Kafka's own tool, with --bootstrap-server or --zookeeper:"
                + string.Concat(missing.Select(t => Environment.NewLine + t.ToCommand())),
            cause
        );

    private static IReadOnlyList<DescribedPartition> Partitions(IConsumer<byte[], byte[]> reader, TopicMetadata topic) =>
        [
            .. topic
                .Partitions.OrderBy(p => p.PartitionId)
                .Select(p =>
                {
                    var marks = p.Leader < 0 ? null : reader.QueryWatermarkOffsets(new TopicPartition(topic.Topic, p.PartitionId), Answer);
                    return new DescribedPartition(
                        p.PartitionId,
                        p.Leader,
                        p.Replicas.Length,
                        p.InSyncReplicas.Length,
                        marks?.Low.Value,
                        marks?.High.Value
                    );
                }),
        ];

    /// <param name="Values">Null: the brokers do not report them.</param>
    private sealed record TopicSettings(IReadOnlyDictionary<string, string>? Values, KafkaRight? Lacks)
    {
        public DescribedTopic Of(TopicMetadata topic, IReadOnlyList<DescribedPartition> partitions) =>
            new(topic.Topic, null, partitions, Values) { Lacks = Lacks };
    }

    /// <returns>By topic; null: the brokers are too old to report them.</returns>
    private async Task<Dictionary<string, TopicSettings>?> SettingsAsync(IAdminClient admin, IReadOnlyList<string> topics)
    {
        if (topics.Count == 0 || !clients.CanAdministerTopics)
            return null;
        try
        {
            var found = await admin.DescribeConfigsAsync(
                topics.Select(t => new ConfigResource { Type = ResourceType.Topic, Name = t }),
                new DescribeConfigsOptions { RequestTimeout = Answer }
            );
            return found.ToDictionary(r => r.ConfigResource.Name, r => new TopicSettings(Values(r.Entries), null));
        }
        catch (DescribeConfigsException partly)
        {
            return partly.Results.ToDictionary(r => r.ConfigResource.Name, Settings);
        }
        catch (KafkaException e) when (IsTooOld(e.Error.Code))
        {
            return null;
        }
    }

    private static TopicSettings Settings(DescribeConfigsReport report) =>
        report.Error.Code switch
        {
            ErrorCode.NoError => new TopicSettings(Values(report.Entries), null),
            ErrorCode.TopicAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed => new TopicSettings(
                null,
                new KafkaRight(KafkaResource.Topic, report.ConfigResource.Name, KafkaOperation.DescribeConfigs)
            ),
            _ => new TopicSettings(null, null),
        };

    private static Dictionary<string, string> Values(Dictionary<string, ConfigEntryResult> entries) =>
        entries.Values.Where(e => e.Value is not null).ToDictionary(e => e.Name, e => e.Value);

    /// <summary>Said by brokers that have just answered what all can answer.</summary>
    private static bool IsTooOld(ErrorCode code) =>
        code
            is ErrorCode.Local_UnsupportedFeature
                or ErrorCode.UnsupportedVersion
                or ErrorCode.Local_NotImplemented
                or ErrorCode.InvalidRequest
                or ErrorCode.Local_TimedOut;
}
