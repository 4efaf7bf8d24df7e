using Cdc.Core.Changes;

namespace Cdc.Core.Progress;

/// <summary>Where a session goes on, as the engine keeps it.</summary>
/// <param name="Last">Position of the last applied change: what is not above it was applied.</param>
/// <param name="LastXid">Of the transaction at <paramref name="Last"/>; 0 if none was applied in this generation.</param>
/// <param name="LastCommitMicros">Its commit time, microseconds since 2000-01-01 UTC.</param>
public sealed record ResumePoint(int Generation, long Session, Lsn Through, ChangePosition Last, ulong LastXid, long LastCommitMicros);

/// <summary>What Capture needs to know of the engine while it streams.</summary>
public interface IAppliedProgress
{
    /// <summary>All commits that start below it are committed in the engine.</summary>
    Lsn Through { get; }

    /// <summary>
    /// Writes, and flushes, what will be confirmed to the source next. Everything committed before it is flushed with it.
    /// </summary>
    /// <exception cref="Failures.FencedException">Another session owns the source.</exception>
    Task RecordWrittenAsync(Lsn lsn, CancellationToken ct);
}
