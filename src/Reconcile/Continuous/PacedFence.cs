using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Fences;

namespace Cdc.Reconcile.Continuous;

/// <summary>
/// Leaves both servers alone between two fences, the longer the longer the last one was held: where Odoo answers slowly, slices get smaller
/// (their time is given) and pauses stay as long, so that less is asked of it.
/// </summary>
/// <param name="loadPercent">Share of the time in which a fence may be open.</param>
internal sealed class PacedFence(IFence fences, int loadPercent, TimeProvider time) : IFence
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private DateTimeOffset _notBefore = DateTimeOffset.MinValue;

    public async Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct)
    {
        if (_notBefore - time.GetUtcNow() is { Ticks: > 0 } pause) await Task.Delay(pause < LongestPause ? pause : LongestPause, time, ct).ConfigureAwait(false);
        var began = time.GetTimestamp();
        var fence = await fences.OpenAsync(entity, range, ct).ConfigureAwait(false);
        var ended = fence.Ended;
        fence.Ended = () =>
        {
            _notBefore = time.GetUtcNow() + time.GetElapsedTime(began) * (100.0 / loadPercent - 1);
            return ended?.Invoke() ?? Task.CompletedTask;
        };
        return fence;
    }
}
