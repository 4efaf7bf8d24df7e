using System.Diagnostics;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;

namespace Cdc.Host.Servers;

/// <summary>Whether this process may have sessions at the source: not while <c>cdc pause --release</c> has it let go of.</summary>
internal sealed class SourceHold(Database engine)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private SourcePause? _last;
    private long _askedAt;
    private volatile bool _isKnown;

    /// <summary>As the engine said last; null: the source may be read.</summary>
    public SourcePause? Current
    {
        get
        {
            lock (_lock)
                return _last is { } pause && Stopwatch.GetElapsedTime(_askedAt) < pause.Remaining ? pause : null;
        }
    }

    /// <summary>
    /// For those that ask often: the engine is asked once, and then by whoever watches. One that hangs from the start is not waited for to
    /// its end: who asks has Prometheus waiting.
    /// </summary>
    public async Task<SourcePause?> KnownAsync(CancellationToken ct)
    {
        try
        {
            return _isKnown ? Current : await ReadAsync(ct).WaitAsync(LongestWait, ct);
        }
        catch (TimeoutException)
        {
            _isKnown = true;
            return Current;
        }
    }

    /// <summary>Asks the engine. Where that cannot answer, what it said last holds until its time is over.</summary>
    public async Task<SourcePause?> ReadAsync(CancellationToken ct)
    {
        try
        {
            var pause = await engine.UseAsync(c => SourceQueries.PauseAsync(c, ct), ct);
            lock (_lock)
                (_last, _askedAt) = (pause, Stopwatch.GetTimestamp());
        }
        catch (Exception) when (!ct.IsCancellationRequested)
        {
            // Whoever needs the engine says what is wrong with it.
        }
        _isKnown = true;
        return Current;
    }

    /// <summary>Returns when the source is to be let go of, or <paramref name="ct"/> is cancelled.</summary>
    public Task UntilPausedAsync(CancellationToken ct) => PollAsync(pause => pause is not null, _ => { }, ct);

    /// <summary>Returns when the source may be read again, or <paramref name="ct"/> is cancelled. Meanwhile no session stays in a pool.</summary>
    public Task UntilResumedAsync(Action clear, CancellationToken ct) =>
        PollAsync(
            pause => pause is null,
            pause =>
            {
                if (pause is not null)
                    clear();
            },
            ct
        );

    /// <summary>Until it is cancelled: while the source is let go of, no session stays in a pool.</summary>
    public async Task WatchAsync(Action clear, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await UntilPausedAsync(ct);
            await UntilResumedAsync(clear, ct);
        }
    }

    private async Task PollAsync(Func<SourcePause?, bool> isOver, Action<SourcePause?> seen, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var pause = await ReadAsync(ct);
                seen(pause);
                if (isOver(pause))
                    return;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            await Task.Delay(Interval, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
