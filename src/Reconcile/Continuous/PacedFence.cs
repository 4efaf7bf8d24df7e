using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Fences;

namespace Cdc.Reconcile.Continuous;

/// <summary>
/// Leaves both servers alone between two fences, the longer the longer the last one was held: where Odoo answers slowly, slices get smaller
/// (their time is given) and pauses stay as long, so that less is asked of it.
/// </summary>
internal sealed class PacedFence(IFence fences, Pace pace) : IFence
{
    public async Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct)
    {
        var began = await pace.BeginAsync(ct);
        var fence = await fences.OpenAsync(entity, range, ct);
        var ended = fence.Ended;
        fence.Ended = () =>
        {
            pace.Worked(began);
            return ended?.Invoke() ?? Task.CompletedTask;
        };
        return fence;
    }
}
