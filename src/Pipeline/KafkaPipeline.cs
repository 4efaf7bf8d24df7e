using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Cdc.Pipeline.Sessions;
using Cdc.Pipeline.Setup;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline;

/// <summary>Which ends of the Kafka log a process holds.</summary>
[Flags]
public enum LogEnds
{
    Capture = 1,
    Apply = 2,
    Both = Capture | Apply,
}

/// <summary>
/// Runs the ends of the Kafka log that this process holds, each with its own retry and standby: one may be down while the other continues.
/// </summary>
public static class KafkaPipeline
{
    /// <summary>Returns when <paramref name="stop"/> was asked for; throws what stopped one end, when the others have ended too.</summary>
    public static async Task RunAsync(
        PipelineOptions options,
        EntitySet entities,
        IRecordCodec codec,
        LogEnds ends,
        PipelineStatistics statistics,
        ILogger log,
        CancellationToken stop
    )
    {
        // Before any wait: an end may have no client for a long time.
        new KafkaClients(options.Kafka, log).Check();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var workers = Sessions(options, entities, codec, ends, statistics, log)
            .Select(session =>
                Task.Run(() => new PipelineWorker(options, session, statistics, log).RunAsync(ended.Token), CancellationToken.None)
            )
            .ToArray();
        await TaskGroup.RunAsync(ended, workers);
    }

    private static IEnumerable<IPipelineSession> Sessions(
        PipelineOptions options,
        EntitySet entities,
        IRecordCodec codec,
        LogEnds ends,
        PipelineStatistics statistics,
        ILogger log
    )
    {
        if (ends.HasFlag(LogEnds.Capture))
            yield return new CaptureLogSession(options, entities, codec, statistics, log);
        for (var worker = 0; ends.HasFlag(LogEnds.Apply) && worker < options.Kafka.Workers; worker++)
            yield return new ApplyLogSession(options, entities, codec, statistics, log);
    }
}
