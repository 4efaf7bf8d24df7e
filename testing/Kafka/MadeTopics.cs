using Cdc.Log.Kafka;
using Cdc.Testing.Waiting;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cdc.Testing.Kafka;

/// <summary>The topics of a log, made on whatever brokers there are.</summary>
public static class MadeTopics
{
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(20);

    /// <summary>As <c>cdc topics create</c> does; brokers too old for that make those that are asked for by name.</summary>
    public static async Task MakeAsync(KafkaOptions options, IReadOnlyList<string> dataTopics, CancellationToken ct)
    {
        var clients = new KafkaClients(options, NullLogger.Instance);
        var plan = new TopicPlan(options, dataTopics);
        if (clients.CanAdministerTopics)
            await new TopicAdministration(clients, plan).CreateAsync(ct);
        else
            await AskForAsync(options, [.. plan.All.Select(t => t.Name)], ct);
    }

    private static async Task AskForAsync(KafkaOptions options, IReadOnlyList<string> topics, CancellationToken ct)
    {
        using var admin = new AdminClientBuilder(
            new Dictionary<string, string>(options.Client) { ["bootstrap.servers"] = options.BootstrapServers }
        )
            .SetLogHandler((_, _) => { })
            .Build();
        foreach (var topic in topics)
            await Eventually.True($"topic {topic} is made", () => Task.Run(() => HasLeaders(admin, topic), ct), ct: ct);
    }

    private static bool HasLeaders(IAdminClient admin, string topic) =>
        admin.GetMetadata(topic, Answer).Topics.Single() is { Error.Code: ErrorCode.NoError, Partitions.Count: > 0 } found
        && found.Partitions.All(p => p.Leader >= 0);
}
