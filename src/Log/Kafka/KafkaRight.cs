namespace Cdc.Log.Kafka;

/// <summary>What a right is on, by Kafka's names.</summary>
public enum KafkaResource
{
    Topic,
    Group,
    TransactionalId,
}

/// <summary>Kafka's operations that this program needs. Read and Write include Describe.</summary>
public enum KafkaOperation
{
    Create,
    Describe,
    DescribeConfigs,
    Read,
    Write,
}

/// <summary>One right on one resource of the cluster.</summary>
public sealed record KafkaRight(KafkaResource Resource, string Name, KafkaOperation Operation)
{
    public override string ToString() => $"{Operation} on {ResourceName} {Name}";

    private string ResourceName =>
        Resource switch
        {
            KafkaResource.Group => "group",
            KafkaResource.TransactionalId => "transactional id",
            _ => "topic",
        };

    /// <summary>
    /// Commands of Kafka's own tool that give the rights: one for all topics, groups or ids that get the same operations.
    /// </summary>
    /// <param name="principal">Such as <c>User:cdc</c>.</param>
    public static IEnumerable<string> Commands(string bootstrapServers, string principal, IEnumerable<KafkaRight> rights) =>
        rights
            .GroupBy(r => (r.Resource, r.Name))
            .Select(r => (r.Key.Resource, r.Key.Name, Operations: string.Concat(r.Select(o => $" --operation {o.Operation}").Distinct())))
            .GroupBy(r => (r.Resource, r.Operations))
            .Select(r =>
                $"kafka-acls.sh --bootstrap-server {bootstrapServers} --add --allow-principal '{principal}'{r.Key.Operations}"
                + string.Concat(r.Select(one => $" {Flag(one.Resource)} {one.Name}"))
            );

    private static string Flag(KafkaResource resource) =>
        resource switch
        {
            KafkaResource.Group => "--group",
            KafkaResource.TransactionalId => "--transactional-id",
            _ => "--topic",
        };
}
