using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Core.Schemas;
using Cdc.Core.Telemetry;
using Microsoft.Extensions.Logging;

namespace Cdc.Api;

/// <summary>What the Api is given: it knows neither Capture nor Apply.</summary>
/// <param name="EngineConnectionString">Npgsql connection string.</param>
/// <param name="Statistics">Of the pipeline in this process; null where there is none.</param>
/// <param name="Version">Of cdc.</param>
/// <param name="TopicOf">In the Kafka log; null: the log is in-process.</param>
public sealed record ApiParts(
    string EngineConnectionString,
    EntitySet Entities,
    IStatusSource Status,
    ISourceClock SourceClock,
    IQuarantineDesk Quarantine,
    IRunReports RunReports,
    ISchemaRegistry Schemas,
    PipelineStatistics? Statistics,
    string Version,
    ILoggerFactory Loggers,
    Func<EntityDeclaration, string>? TopicOf = null
)
{
    /// <summary>What lag is told of: a topic of the Kafka log, or a source table.</summary>
    public string LogOf(EntityDeclaration entity) => TopicOf?.Invoke(entity) ?? $"{entity.SourceSchema}.{entity.SourceTable}";

    /// <summary>Changes that were captured and wait to be applied; null: not known here.</summary>
    public long? Waiting(StatusReport report) => TopicOf is null ? Statistics?.Waiting : report.Log?.MessagesBehind;
}
