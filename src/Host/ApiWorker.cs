using Cdc.Api;
using Cdc.Api.Odoo;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine.Status;
using Cdc.Host.Commands;
using Cdc.Host.Configuration;
using Cdc.Host.Quarantine;
using Cdc.Host.Reconciling;
using Cdc.Host.Servers;
using Cdc.Host.Status;
using Cdc.Log.Kafka;
using Cdc.Log.Registry;
using Microsoft.Extensions.Logging;

namespace Cdc.Host;

/// <summary>Gives the Api its parts and keeps it running: alone, or beside a pipeline that must not fail with it.</summary>
/// <param name="statistics">Of the pipeline in this process; null: there is none.</param>
internal sealed class ApiWorker(CdcOptions options, EntitySet entities, PipelineStatistics? statistics, ILoggerFactory loggers)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <exception cref="CdcException">It cannot start.</exception>
    public async Task RunAsync(CancellationToken ct)
    {
        await using var engine = Database.Engine(options.Engine.ConnectionString);
        var hold = new SourceHold(engine);
        await using var source = Database.Source(options.Source.ConnectionString, pause: hold.KnownAsync);
        // Prometheus gives up after ten seconds, and then sees nothing at all.
        await using var watchedSource = Database.Source(options.Source.ConnectionString, options.Api.Timeout, hold.KnownAsync);
        await using var watchedEngine = Database.Engine(options.Engine.ConnectionString, options.Api.Timeout);
        await using var odoo = new OdooReads(options.Source.ConnectionString, options.Api, TimeProvider.System, hold.KnownAsync);
        using var log = LogStatusReader.For(options, entities, loggers.CreateLogger("Cdc.Host"), TimeProvider.System);
        var status = new StatusReader(
            watchedSource,
            watchedEngine,
            options.Source.SlotName,
            new EngineStatusReader(entities, log is not null),
            log,
            TimeProvider.System
        );
        var parts = new ApiParts
        {
            EngineConnectionString = options.Engine.ConnectionString,
            Entities = entities,
            Status = status,
            SourceClock = new SourceClock(source),
            Odoo = odoo,
            Quarantine = new QuarantineActions(engine, entities),
            RunReports = new RunReports(engine),
            Schemas = new RegistryTable(engine.Connections),
            Loggers = loggers,
            Version = VersionCommand.Text,
            Statistics = statistics,
            TopicOf = log is null ? null : LogTopics.TopicOf(entities, options.Kafka),
        };
        await using var api = await ApiHost.StartAsync(parts, options.Api, ct);
        await hold.WatchAsync(Release, ct);

        void Release()
        {
            source.Release();
            watchedSource.Release();
            odoo.Release();
        }
    }

    /// <summary>Tries again for ever: a port in use must not stop rows from being applied.</summary>
    public async Task ServeBesideAsync(CancellationToken ct)
    {
        var log = loggers.CreateLogger("Cdc.Host");
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await RunAsync(ct);
            }
            catch (CdcException failure) when (!ct.IsCancellationRequested)
            {
                log.ApiFailed(failure.Message, failure.Remedy, Pause.TotalSeconds);
                await Task.Delay(Pause, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
