using Cdc.Core.Changes;
using Cdc.Engine.Tables;
using Cdc.Log;
using Cdc.Log.Kafka;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline.Setup;

/// <summary>Reads the control record that the last writers of the Kafka log left in it.</summary>
internal delegate Task<ControlRecord> ReadLogMemory(CancellationToken ct);

internal static class LogMemory
{
    /// <summary>Null for the in-process log, which remembers nothing.</summary>
    public static ReadLogMemory? Of(PipelineOptions options, ILogger log) =>
        options.Log.Kind == ChangeLogKind.Kafka ? ct => KafkaLogSession.ReadMemoryAsync(new KafkaClients(options.Kafka, log), ct) : null;

    /// <summary>What counts as written and as followed when the log has continued while the engine was down.</summary>
    public static FollowedSource WithMemory(this FollowedSource followed, ControlRecord memory) =>
        memory.Generation == followed.Generation
            ? followed with
            {
                Written = Lsn.Max(followed.Written, memory.Written),
                Through = Lsn.Max(followed.Through, memory.Written),
            }
            : followed;
}
