namespace Cdc.Core.Fences;

/// <summary>
/// The fences requested of one session of the pipeline, kept in the engine. Every transition is a compare-and-set: a fence that was
/// broken meanwhile stays broken.
/// </summary>
public interface IFenceQueue
{
    /// <summary>Fences that Capture has to act on, or keeps keys for. A fence that is no longer among them has ended.</summary>
    Task<IReadOnlyList<FenceRequest>> PendingAsync(CancellationToken ct);

    /// <summary>
    /// From here on it belongs to this session, and the requester may take the source's snapshot. False: it is no longer wanted.
    /// </summary>
    Task<bool> ArmAsync(long fence, CancellationToken ct);

    /// <summary>It cannot be armed yet: records why, for the requester.</summary>
    Task PostponeAsync(long fence, string reason, string detail, CancellationToken ct);

    Task BreakAsync(long fence, string reason, string detail, CancellationToken ct);

    /// <summary>Completes when something may have changed since <see cref="PendingAsync"/> was called last.</summary>
    Task WaitAsync(TimeSpan atMost, CancellationToken ct);
}
