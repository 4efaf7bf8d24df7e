using Cdc.Api.Odoo;
using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Core.Schemas;
using Cdc.Core.Telemetry;
using Microsoft.Extensions.Logging;

namespace Cdc.Api;

/// <summary>The Api's dependencies: it references neither Capture nor Apply.</summary>
public sealed record ApiParts
{
    /// <summary>Npgsql connection string.</summary>
    public required string EngineConnectionString { get; init; }

    public required EntitySet Entities { get; init; }

    public required IStatusSource Status { get; init; }

    public required ISourceClock SourceClock { get; init; }

    /// <summary>Odoo's database for requests; whoever made it ends it.</summary>
    public required OdooReads Odoo { get; init; }

    public required IQuarantineActions Quarantine { get; init; }

    public required IRunReports RunReports { get; init; }

    public required ISchemaRegistry Schemas { get; init; }

    public required ILoggerFactory Loggers { get; init; }

    /// <summary>Of cdc.</summary>
    public required string Version { get; init; }

    /// <summary>Of the pipeline in this process; null where there is none.</summary>
    public PipelineStatistics? Statistics { get; init; }

    /// <summary>In the Kafka log; null: the log is in-process.</summary>
    public Func<EntityDeclaration, string>? TopicOf { get; init; }

    /// <summary>Where an entity's changes come from, as lag names it: a topic of the Kafka log, or a source table.</summary>
    public string LogOf(EntityDeclaration entity) => TopicOf?.Invoke(entity) ?? $"{entity.SourceSchema}.{entity.SourceTable}";

    /// <summary>Changes that were captured and wait to be applied; null: not known here.</summary>
    public long? Waiting(StatusReport report) => TopicOf is null ? Statistics?.Waiting : report.Log?.MessagesBehind;
}
