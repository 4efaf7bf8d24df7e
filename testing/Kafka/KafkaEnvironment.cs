using Cdc.Log;
using Cdc.Log.Kafka;
using Cdc.Testing.Processes;

namespace Cdc.Testing.Kafka;

public static class KafkaEnvironment
{
    /// <summary>These options as environment variables of a <c>cdc</c> process, with Kafka as its change log.</summary>
    public static Dictionary<string, string?> Environment(this KafkaOptions options) =>
        new(OptionVariables.Of("Kafka", options)) { ["CDC__Log__Kind"] = nameof(ChangeLogKind.Kafka) };
}
