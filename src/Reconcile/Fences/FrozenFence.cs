using Cdc.Core.Entities;
using Cdc.Core.Snapshots;

namespace Cdc.Reconcile.Fences;

/// <summary>Fences of a sign-off: while Odoo is frozen nothing may be in flight, and what is in flight ends the run.</summary>
public sealed class FrozenFence(FenceGate gate) : IFence
{
    public Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct) =>
        gate.OpenFrozenAsync(entity, range, ct);
}
