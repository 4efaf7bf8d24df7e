namespace Cdc.Log.Kafka;

/// <summary>What a user of the cluster does.</summary>
public enum KafkaRole
{
    /// <summary><c>cdc topics create</c>, and capture with <c>Kafka:CreateTopics</c>.</summary>
    Create,

    /// <summary><c>cdc topics check</c> and <c>cdc topics describe</c>.</summary>
    Check,
    Capture,
    Apply,

    /// <summary><c>cdc lag</c>, <c>cdc status</c> and the Api.</summary>
    Lag,
}

/// <summary>The least rights of each role, on a cluster that gives none by itself. <c>cdc run</c> needs those of capture, apply and lag.</summary>
public static class LeastRights
{
    public static IReadOnlyList<KafkaRight> Of(KafkaRole role, KafkaClients clients, TopicPlan plan) =>
        [
            .. role switch
            {
                KafkaRole.Create => On(plan.All, KafkaOperation.Create),
                KafkaRole.Check => On(plan.All, KafkaOperation.Describe, KafkaOperation.DescribeConfigs),
                KafkaRole.Capture =>
                [
                    // It reads where they end.
                    .. On([plan.Control, .. plan.Data], KafkaOperation.Read, KafkaOperation.Write),
                    .. On(plan.DeadLetters, KafkaOperation.Write),
                    .. OnTransactions(clients),
                ],
                KafkaRole.Apply =>
                [
                    .. On([plan.Control], KafkaOperation.Describe),
                    .. On(plan.Data, KafkaOperation.Read),
                    new KafkaRight(KafkaResource.Group, clients.Options.Group, KafkaOperation.Read),
                ],
                _ => On(plan.Data, KafkaOperation.Describe),
            },
        ];

    /// <summary>The same without topics that only show something: the log does not need them.</summary>
    public static IReadOnlyList<KafkaRight> OfLog(KafkaRole role, KafkaClients clients, TopicPlan plan)
    {
        var shown = plan.DeadLetters.Select(t => t.Name).ToHashSet();
        return [.. Of(role, clients, plan).Where(r => !shown.Contains(r.Name))];
    }

    private static IEnumerable<KafkaRight> OnTransactions(KafkaClients clients) =>
        clients.TransactionalIds.Select(id => new KafkaRight(KafkaResource.TransactionalId, id, KafkaOperation.Write));

    private static IEnumerable<KafkaRight> On(IEnumerable<PlannedTopic> topics, params KafkaOperation[] operations) =>
        topics.SelectMany(t => operations.Select(o => new KafkaRight(KafkaResource.Topic, t.Name, o)));
}
