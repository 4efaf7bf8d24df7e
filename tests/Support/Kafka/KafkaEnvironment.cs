using System.Globalization;
using Cdc.Log.Kafka;

namespace Cdc.Tests.Support.Kafka;

public static class KafkaEnvironment
{
    /// <summary>These options as environment variables of a <c>cdc</c> process, with Kafka as its change log.</summary>
    public static Dictionary<string, string?> Environment(this KafkaOptions options)
    {
        var variables = new Dictionary<string, string?>
        {
            ["CDC__Log__Kind"] = "Kafka",
            ["CDC__Kafka__BootstrapServers"] = options.BootstrapServers,
            ["CDC__Kafka__TopicPrefix"] = options.TopicPrefix,
            ["CDC__Kafka__Group"] = options.Group,
            ["CDC__Kafka__Workers"] = options.Workers.ToString(CultureInfo.InvariantCulture),
            ["CDC__Kafka__Partitions"] = options.Partitions.ToString(CultureInfo.InvariantCulture),
            ["CDC__Kafka__ReplicationFactor"] = options.ReplicationFactor.ToString(CultureInfo.InvariantCulture),
            ["CDC__Kafka__MinInSyncReplicas"] = options.MinInSyncReplicas.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var (name, value) in options.Client)
            variables["CDC__Kafka__Client__" + name.Replace('.', '_')] = value;
        return variables;
    }
}
