using Cdc.Core.Entities;
using Cdc.Core.Telemetry;
using Cdc.Host.Commands;
using Cdc.Host.Configuration;
using Cdc.Host.Pipeline;
using Cdc.Host.Reconciling;
using Microsoft.Extensions.Logging;

namespace Cdc.Host;

/// <summary>Connects the commands to the projects that do the work.</summary>
internal static class Composition
{
    public static Parts Connect() => new()
    {
        LoadEntities = EntityFile.Load,
        Pipeline = RunPipelineAsync,
        Api = (options, entities, loggers, ct) => new ApiWorker(options, entities, null, loggers).RunAsync(ct),
        Workload = WorkloadRun.RunAsync,
    };

    private static async Task RunPipelineAsync(CdcOptions options, EntitySet entities, ILoggerFactory loggers, CancellationToken ct)
    {
        var log = loggers.CreateLogger("Cdc.Pipeline");
        var setup = new SourceSetup(options.Source, options.Engine, entities, log);
        var preconditions = new Preconditions(options, entities, log);
        var statistics = new PipelineStatistics();
        var session = new PipelineSession(options.Source, options.Engine, options.Snapshot, options.Log, entities, preconditions, setup, statistics, log);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None);
        // Nothing is compared any more while the pipeline drains.
        using var comparing = CancellationTokenSource.CreateLinkedTokenSource(ended.Token, ct);
        var compared = options.Continuous.Enabled ? ContinuousReconciling.RunAsync(options, entities, loggers, comparing.Token) : Task.CompletedTask;
        var serving = options.Api.Enabled ? new ApiWorker(options, entities, statistics, loggers).ServeBesideAsync(ended.Token) : Task.CompletedTask;
        try
        {
            await new PipelineWorker(options.Source, options.Engine, session, setup, log).RunAsync(ct);
        }
        finally
        {
            // While the pipeline drains, the Api still answers.
            await ended.CancelAsync();
            await Task.WhenAll(serving, compared).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
