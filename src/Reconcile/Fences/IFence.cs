using Cdc.Core.Entities;
using Cdc.Core.Snapshots;

namespace Cdc.Reconcile.Fences;

/// <summary>Where comparisons get their pairs of snapshots from.</summary>
public interface IFence
{
    /// <summary>Both sides of one entity at one place in the source's WAL. The caller disposes it within seconds.</summary>
    /// <param name="range">Keys that are going to be compared: no others need be in <see cref="FencedSnapshots.InFlight"/>.</param>
    Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct);
}
