using Cdc.Core.Failures;
using Cdc.Odoo.Failures;
using Cdc.Reverse.Sending;

namespace Cdc.Reverse;

/// <summary>
/// The data path: as many calls as may be under way, one for each card at a time, in the order of the card's numbers. A call that failed on
/// its way is made again after a pause; what stops everything is thrown.
/// </summary>
internal sealed class ReverseLoop(ReverseOptions options, SendSession session, CardSender sender, ChangeListener heard, ReversePace pace)
{
    private readonly List<Call> _calls = [];
    private bool _mayHaveMore = true;

    /// <summary>Until it is cancelled; calls that are under way are waited for, for a moment.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None);
        await using var late = ct.Register(() => ending.CancelAfter(ReversePace.Draining));
        try
        {
            while (true)
            {
                ct.ThrowIfCancellationRequested();
                await pace.BeatAsync(session, ct);
                await FillAsync(ct, ending.Token);
                await WaitAsync(ct);
                await RecordFinishedAsync(ending.Token);
            }
        }
        finally
        {
            await DrainAsync(ending);
        }
    }

    private async Task FillAsync(CancellationToken ct, CancellationToken ending)
    {
        while (_mayHaveMore && _calls.Count < pace.ParallelCalls && !pace.IsPaused)
        {
            var claimed = await session.ClaimAsync(options.BatchCards, options.CardChanges, ct);
            CrashPoint.Hit("reverse claimed");
            var refused = claimed.Where(c => c.Changes[0].CannotBeSent is not null).ToList();
            if (refused.Count > 0)
                await session.RecordAsync(
                    [.. refused.Select(c => new CardOutcome(c.Card, null, c.Changes[0].Uuid, c.Changes[0].CannotBeSent))],
                    ct
                );
            List<CardChanges> sent =
            [
                .. claimed
                    .Except(refused)
                    .Select(c => c with { Changes = [.. c.Changes.TakeWhile(change => change.CannotBeSent is null)] }),
            ];
            // A card whose every change is under way, or which another process has, is looked at again with the next notice or poll.
            _mayHaveMore = claimed.Count > 0;
            if (sent.Count > 0)
                _calls.Add(new Call(sent, sender.SendAsync(sent, ending)));
        }
    }

    private async Task WaitAsync(CancellationToken ct)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
        List<Task> tasks = [.. _calls.Select(c => c.Sending), pace.WaitAsync(options.PollInterval, waiting.Token)];
        if (!pace.IsPaused)
            tasks.Add(heard.HeardAsync(waiting.Token));
        await Task.WhenAny(tasks);
        await waiting.CancelAsync();
        _mayHaveMore = true;
    }

    private async Task RecordFinishedAsync(CancellationToken ct)
    {
        foreach (var call in _calls.Where(c => c.Sending.IsCompleted).ToList())
        {
            _calls.Remove(call);
            await RecordAsync(call, ct);
        }
    }

    private async Task RecordAsync(Call call, CancellationToken ct)
    {
        try
        {
            var outcomes = await call.Sending;
            await session.RecordAsync(outcomes, ct);
            CrashPoint.Hit("reverse recorded");
            pace.Sent(call.Cards.Sum(c => c.Changes.Count), outcomes);
        }
        catch (OdooException e) when (e.Class is FailureClass.Transient or FailureClass.InDoubt)
        {
            await session.ReleaseAsync(call.Cards.Select(c => c.Card), ct);
            pace.Failed(e);
        }
    }

    /// <summary>What Odoo has answered is written down; what it has not is sent again by whoever comes next.</summary>
    private async Task DrainAsync(CancellationTokenSource ending)
    {
        foreach (var call in _calls)
            try
            {
                await RecordAsync(call, ending.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or CdcException or Npgsql.NpgsqlException)
            {
                // The end of the loop is why: its own failure is what counts.
            }
    }

    private sealed record Call(IReadOnlyList<CardChanges> Cards, Task<IReadOnlyList<CardOutcome>> Sending);
}
