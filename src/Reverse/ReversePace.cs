using Cdc.Odoo.Failures;
using Cdc.Reverse.Sending;
using Microsoft.Extensions.Logging;

namespace Cdc.Reverse;

/// <summary>When may be sent: pauses that grow while Odoo is away, and what the process says of itself meanwhile.</summary>
internal sealed class ReversePace(Guid worker, int parallelCalls, TimeProvider time, ILogger log)
{
    /// <summary>How long calls that are under way are waited for at the end.</summary>
    public static readonly TimeSpan Draining = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    private DateTimeOffset _until;
    private DateTimeOffset _nextBeat;
    private TimeSpan _pause = First;
    private WorkerState _state = new(worker, "sending");

    public int ParallelCalls => parallelCalls;

    public bool IsPaused => time.GetUtcNow() < _until;

    /// <summary>Until the pause is over, or for as long as is said where there is none; no longer than to the next beat.</summary>
    public async Task WaitAsync(TimeSpan otherwise, CancellationToken ct)
    {
        var left = _until - time.GetUtcNow();
        var wait = left > TimeSpan.Zero ? left : otherwise;
        await Task.Delay(wait < Beat ? wait : Beat, time, ct);
    }

    public void Sent(int changes, IReadOnlyList<CardOutcome> outcomes)
    {
        ReverseLog.Sent(log, changes, outcomes.Count);
        foreach (var stopped in outcomes.Where(o => o.Error is not null))
            ReverseLog.CardStopped(log, stopped.Card, stopped.Error!);
        _pause = First;
        Say(new WorkerState(worker, "sending"));
    }

    public void Failed(OdooException failure)
    {
        if (_state.Name == "sending")
            ReverseLog.OdooAway(log, failure.Message, failure.Remedy);
        // Odoo's own wish counts where it is longer.
        var pause = failure.RetryAfter is { } wish && wish > _pause ? wish : _pause;
        _until = time.GetUtcNow() + pause;
        _pause = _pause * 2 < Longest ? _pause * 2 : Longest;
        Say(new WorkerState(worker, "waiting", failure.Code, failure.Message, failure.Remedy));
    }

    public async Task BeatAsync(SendSession session, CancellationToken ct)
    {
        if (time.GetUtcNow() < _nextBeat)
            return;
        await session.BeatAsync(_state, ct);
        _nextBeat = time.GetUtcNow() + Beat;
    }

    private void Say(WorkerState state)
    {
        if (state.Name == _state.Name && state.Code == _state.Code)
            return;
        (_state, _nextBeat) = (state, default);
    }
}
