using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Host.Commands;
using Cdc.Host.Configuration;
using Microsoft.Extensions.Logging;

namespace Cdc.Host;

/// <summary>
/// Capture, change log and apply in one process, or one end of it: streams until <paramref name="ct"/> is cancelled, then drains (what was
/// read is applied and confirmed before it returns).
/// </summary>
/// <exception cref="CdcException">It cannot continue by itself; the kind is the exit code.</exception>
internal delegate Task RunPipeline(CdcOptions options, EntitySet entities, ILoggerFactory loggers, CancellationToken ct);

/// <summary>Serves until <paramref name="ct"/> is cancelled.</summary>
/// <exception cref="CdcException">It cannot start.</exception>
internal delegate Task RunApi(CdcOptions options, EntitySet entities, ILoggerFactory loggers, CancellationToken ct);

/// <summary>
/// The long-running parts, and those read from files: tests replace them. <see cref="Composition"/> connects the real ones.
/// </summary>
internal sealed record Parts
{
    /// <summary>Reads the entities declaration; throws with every error at once.</summary>
    public required Func<EntityOptions, EntitySet> LoadEntities { get; init; }
    public required RunPipeline Pipeline { get; init; }

    /// <summary>Only from the source into the Kafka log.</summary>
    public required RunPipeline Capture { get; init; }

    /// <summary>Only from the Kafka log into the engine.</summary>
    public required RunPipeline Apply { get; init; }

    /// <summary>The Api by itself.</summary>
    public required RunApi Api { get; init; }
    public required Func<WorkloadRequest, IProgress<WorkloadProgress>, CancellationToken, Task> Workload { get; init; }
}
