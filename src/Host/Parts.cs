using Cdc.Capture;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Host.Commands;
using Cdc.Host.Configuration;
using Microsoft.Extensions.Logging;

namespace Cdc.Host;

/// <summary>Capture, change log and apply in one process.</summary>
internal interface IPipeline
{
    /// <summary>Streams until <paramref name="ct"/> is cancelled, then drains: what was read is applied and confirmed before it returns.</summary>
    /// <exception cref="CdcException">It cannot go on by itself; the kind is the exit code.</exception>
    Task RunAsync(CancellationToken ct);
}

/// <param name="Version">Numbered from 1 without gaps.</param>
/// <param name="AppliedAt">Null while it is pending.</param>
internal sealed record MigrationState(int Version, string Name, DateTimeOffset? AppliedAt);

/// <summary>Versions of the engine's schema. Each step commits by itself, so an interrupted run goes on where it stopped.</summary>
internal interface IMigrator
{
    /// <summary>All known versions, oldest first.</summary>
    Task<IReadOnlyList<MigrationState>> StatusAsync(CancellationToken ct);

    /// <summary>Applies what is pending up to and including <paramref name="to"/> (null: all).</summary>
    Task UpAsync(int? to, CancellationToken ct);

    /// <summary>Undoes every version above <paramref name="to"/>, newest first.</summary>
    Task DownAsync(int to, CancellationToken ct);
}

/// <summary>The publication and the slot in the source. Every call may be repeated after a crash.</summary>
internal interface ISlotSetup
{
    /// <summary>
    /// Creates the publication if it is missing, then the slot, in this order: a slot decodes with the catalogue of its own time.
    /// Returns the slot's confirmed_flush_lsn.
    /// </summary>
    /// <exception cref="CdcException">The slot exists, or the source is not ready for it (Preflight).</exception>
    Task<Lsn> CreateAsync(CancellationToken ct);

    /// <summary>Drops the slot; a slot that is not there is fine.</summary>
    Task DropAsync(CancellationToken ct);
}

/// <summary>What the commands call and other projects implement. <see cref="Composition"/> connects them.</summary>
internal sealed record Parts
{
    /// <summary>Reads the entities declaration from a path; throws with every error at once.</summary>
    public required Func<string, EntitySet> LoadEntities { get; init; }
    public required Func<CdcOptions, EntitySet, ILoggerFactory, IPipeline> Pipeline { get; init; }
    public required Func<SourceOptions, EntitySet, CancellationToken, Task<IReadOnlyList<Finding>>> Preflight { get; init; }
    public required Func<CdcOptions, EntitySet, IMigrator> Migrator { get; init; }
    public required Func<SourceOptions, EntitySet, ISlotSetup> SlotSetup { get; init; }
    public required Func<WorkloadRequest, IProgress<WorkloadProgress>, CancellationToken, Task> Workload { get; init; }
}
