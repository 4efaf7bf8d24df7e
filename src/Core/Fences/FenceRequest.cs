using Cdc.Core.Snapshots;

namespace Cdc.Core.Fences;

/// <summary>How far a fence is that Capture has to do with.</summary>
public enum FenceStage
{
    /// <summary>Requested.</summary>
    Announced,

    /// <summary>Capture forgets no keys; the requester takes the source's snapshot.</summary>
    Armed,

    /// <summary>The source's snapshot is taken.</summary>
    Read,
}

/// <summary>A requested fence: one entity's keys, compared at one point of the source's WAL.</summary>
/// <param name="Snapshot">The requester's pg_current_snapshot(), as text; null before <see cref="FenceStage.Read"/>.</param>
public sealed record FenceRequest(long Id, int Entity, KeyRange Range, FenceStage Stage, string? Snapshot);
