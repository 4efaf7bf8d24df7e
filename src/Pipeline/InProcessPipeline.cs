using Cdc.Core.Entities;
using Cdc.Core.Telemetry;
using Cdc.Pipeline.Sessions;
using Cdc.Pipeline.Setup;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline;

/// <summary>Source, log and engine in one process.</summary>
public static class InProcessPipeline
{
    /// <summary>Returns when <paramref name="stop"/> was asked for and everything captured so far is applied.</summary>
    /// <param name="started">Called each time that a session holds the slot and rows flow.</param>
    /// <exception cref="Core.Failures.CdcException">Typed, with its remedy.</exception>
    public static Task RunAsync(
        PipelineOptions options,
        EntitySet entities,
        PipelineStatistics statistics,
        ILogger log,
        CancellationToken stop,
        Action? started = null
    )
    {
        var session = new PipelineSession(
            options,
            entities,
            new Preconditions(options, entities, log),
            new SourceSetup(options, entities, log),
            statistics,
            log
        )
        {
            Started = started ?? (() => { }),
        };
        return new PipelineWorker(options, session, statistics, log).RunAsync(stop);
    }
}
