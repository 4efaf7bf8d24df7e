using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine.Processes;
using Cdc.Expressions.Declaration;
using Cdc.Host.Commands;
using Cdc.Host.Configuration;
using Cdc.Host.Reconciling;
using Cdc.Host.Servers;
using Cdc.Log;
using Cdc.Pipeline;
using Cdc.Pipeline.Sessions;
using Cdc.Reverse;
using Microsoft.Extensions.Logging;

namespace Cdc.Host;

/// <summary>Connects the commands to the projects that do the work.</summary>
internal static class Composition
{
    private const string PipelineCategory = "Cdc.Pipeline";

    public static Parts Connect() =>
        new()
        {
            LoadEntities = options => EntityFile.Load(options.File, options.Settings),
            Pipeline = RunAllAsync,
            Capture = (options, entities, loggers, ct) => RunEndsAsync(options, entities, LogEnds.Capture, loggers, ct),
            Apply = (options, entities, loggers, ct) => RunEndsAsync(options, entities, LogEnds.Apply, loggers, ct),
            Api = (options, entities, loggers, ct) => new ApiWorker(options, entities, null, loggers).RunAsync(ct),
            Workload = WorkloadRun.RunAsync,
        };

    /// <summary>Source, log and engine in one process, and the Api beside them.</summary>
    private static async Task RunAllAsync(CdcOptions options, EntitySet entities, ILoggerFactory loggers, CancellationToken ct)
    {
        var statistics = new PipelineStatistics();
        // What is wrong with its declaration is said before anything runs.
        var wayBack = options.Reverse.Enabled
            ? new ReverseWorker(options.WayBack, entities, TimeProvider.System, loggers.CreateLogger("Cdc.Reverse"))
            : null;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None);
        var announced = AnnounceAsync(options, "run", statistics, loggers, ended.Token);
        // Nothing is compared any more while the pipeline drains.
        using var comparing = CancellationTokenSource.CreateLinkedTokenSource(ended.Token, ct);
        var compared = options.Continuous.Enabled
            ? ContinuousReconciling.RunAsync(options, entities, loggers, comparing.Token)
            : Task.CompletedTask;
        var sending = wayBack?.RunAsync(comparing.Token) ?? Task.CompletedTask;
        var serving = options.Api.Enabled
            ? new ApiWorker(options, entities, statistics, loggers).ServeBesideAsync(ended.Token)
            : Task.CompletedTask;
        try
        {
            await (
                options.Log.Kind == ChangeLogKind.Kafka
                    ? RunOverKafkaAsync(options, entities, LogEnds.Both, statistics, loggers, ct)
                    : InProcessPipeline.RunAsync(Kept(options), entities, statistics, loggers.CreateLogger(PipelineCategory), ct)
            );
        }
        finally
        {
            // While the pipeline drains, the Api still answers.
            await ended.CancelAsync();
            await Task.WhenAll(serving, compared, announced, sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Where balances, metrics and health are served, they outlive what stops the pipeline.</summary>
    private static PipelineOptions Kept(CdcOptions options) => options.Pipeline with { WaitsForPeople = options.Api.Enabled };

    private static async Task RunEndsAsync(
        CdcOptions options,
        EntitySet entities,
        LogEnds ends,
        ILoggerFactory loggers,
        CancellationToken ct
    )
    {
        if (options.Log.Kind != ChangeLogKind.Kafka)
            throw new CdcException(
                FailureKind.Configuration,
                "The in-process log has both of its ends in one process.",
                "Run 'cdc run', or set CDC__Log__Kind=Kafka (docs/kafka.md)."
            );
        var statistics = new PipelineStatistics();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None);
        var announced = AnnounceAsync(options, ends == LogEnds.Capture ? "capture" : "apply", statistics, loggers, ended.Token);
        try
        {
            await RunOverKafkaAsync(options, entities, ends, statistics, loggers, ct);
        }
        finally
        {
            await ended.CancelAsync();
            await announced.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>For commands and an Api of other processes, which have no other way to know why nothing reads the slot.</summary>
    private static Task AnnounceAsync(
        CdcOptions options,
        string part,
        PipelineStatistics statistics,
        ILoggerFactory loggers,
        CancellationToken ct
    )
    {
        var begun = TimeProvider.System.GetUtcNow();
        return new ProcessAnnouncement(
            options.Engine,
            () => ProcessStanding.Of(part, statistics.Worst, begun),
            TimeProvider.System,
            loggers.CreateLogger<ProcessAnnouncement>()
        ).RunAsync(ct);
    }

    private static async Task RunOverKafkaAsync(
        CdcOptions options,
        EntitySet entities,
        LogEnds ends,
        PipelineStatistics statistics,
        ILoggerFactory loggers,
        CancellationToken ct
    )
    {
        await using var engine = Database.Engine(options.Engine.ConnectionString);
        var codec = TopicCodec.Create(options.Pipeline, entities, engine.Connections, VersionCommand.Text);
        // One end by itself serves nothing.
        var pipeline = ends == LogEnds.Both ? Kept(options) : options.Pipeline;
        await KafkaPipeline.RunAsync(pipeline, entities, codec, ends, statistics, loggers.CreateLogger(PipelineCategory), ct);
    }
}
