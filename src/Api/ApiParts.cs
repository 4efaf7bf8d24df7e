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
public sealed record ApiParts(
    string EngineConnectionString, EntitySet Entities, IStatusSource Status, ISourceClock SourceClock, IQuarantineDesk Quarantine, IRunReports RunReports,
    ISchemaRegistry Schemas, PipelineStatistics? Statistics, string Version, ILoggerFactory Loggers);
