using Cdc.Capture.Snapshot;
using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Microsoft.Extensions.Logging;

namespace Cdc.Capture.Fences;

/// <summary>
/// Capture's part of a fence, as a chunk's without rows: announce it in the ledger, which forgets no keys from then on; receive the
/// snapshot that was taken since; write the marker. The stream closes the fence where the marker comes back.
/// </summary>
internal sealed class FenceLoop(EntitySet entities, StreamPlacement place, ITableRegistry tables, IFenceQueue queue, ILogger log)
{
    /// <summary>Requests arrive by notification. This is for one that was lost.</summary>
    private static readonly TimeSpan QuietPause = TimeSpan.FromSeconds(5);

    /// <summary>
    /// While something is open whose end sends no notification: a transaction that is waited for, or a fence about to time out.
    /// </summary>
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<long, FenceTicket> _tickets = [];

    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            var pending = await queue.PendingAsync(ct);
            GiveUpAllBut(pending);
            foreach (var fence in pending)
                await AdvanceAsync(fence, ct);
            await queue.WaitAsync(pending.Count > 0 ? BusyPause : QuietPause, ct);
        }
    }

    private void GiveUpAllBut(IReadOnlyList<FenceRequest> pending)
    {
        foreach (var fence in _tickets.Keys.Except(pending.Select(p => p.Id)).ToList())
        {
            place.Ledger.GiveUp(_tickets[fence]);
            _tickets.Remove(fence);
        }
    }

    private Task AdvanceAsync(FenceRequest fence, CancellationToken ct) =>
        fence.Stage switch
        {
            FenceStage.Announced => ArmAsync(fence, ct),
            FenceStage.Read => MarkAsync(fence, ct),
            _ => Task.CompletedTask,
        };

    private async Task ArmAsync(FenceRequest fence, CancellationToken ct)
    {
        if (tables.IsStopped(fence.Entity))
        {
            await BreakAsync(fence, FenceReasons.Stopped, "The table is stopped: its rows are not applied.", ct);
            return;
        }
        if (await place.Barrier.FindAsync(fence.Entity, ct) is { } wait)
        {
            CaptureLog.FenceWaits(log, entities[fence.Entity].Name, wait.Xmin, wait.Barrier);
            await queue.PostponeAsync(
                fence.Id,
                FenceReasons.Waits,
                $"Transactions are running that began before the pipeline's session; the oldest is {wait.Xmin}.",
                ct
            );
            return;
        }
        var ticket = place.Ledger.Announce(fence);
        if (await queue.ArmAsync(fence.Id, ct))
            _tickets.Add(fence.Id, ticket);
        else
            place.Ledger.GiveUp(ticket);
        CrashPoint.Hit("after-fence-armed");
    }

    private async Task MarkAsync(FenceRequest fence, CancellationToken ct)
    {
        var ticket = _tickets[fence.Id];
        if (!ticket.IsMarked && place.Ledger.TrySetSnapshot(ticket, SourceSnapshot.Parse(fence.Snapshot!)))
        {
            ticket.IsMarked = true;
            await place.Markers.WriteAsync(CaptureLoop.FencePrefix, place.Stream.MarkerOf(ticket), ct);
            CrashPoint.Hit("after-fence-marked");
        }
        else if (!ticket.IsMarked)
            await BreakAsync(
                fence,
                FenceReasons.TooLarge,
                "A transaction of too many keys to remember was streamed, and the source's snapshot does not see it.",
                ct
            );
        else if (ticket.Failure is { } failure)
            await BreakAsync(fence, FenceReasons.TooLarge, failure, ct);
    }

    private Task BreakAsync(FenceRequest fence, string reason, string detail, CancellationToken ct)
    {
        CaptureLog.FenceGivenUp(log, fence.Id, entities[fence.Entity].Name, detail);
        return queue.BreakAsync(fence.Id, reason, detail, ct);
    }
}
