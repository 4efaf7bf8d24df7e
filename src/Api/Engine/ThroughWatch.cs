using Cdc.Core.Progress;

namespace Cdc.Api.Engine;

/// <summary>
/// Requests that wait until the engine has applied something. However many they are, one question at a time is asked for all of them, and
/// none while nobody waits.
/// </summary>
internal sealed class ThroughWatch(EngineReads engine, EngineMomentReader moments)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private sealed record Waiter(AppliedThrough Wanted, TaskCompletionSource<AppliedThrough> Answer);

    private readonly Lock _lock = new();
    private readonly List<Waiter> _waiting = [];
    private bool _asking;

    /// <summary>
    /// Returns how far the engine is when it is far enough, or of another generation, or the time is over.
    /// </summary>
    public async Task<AppliedThrough?> WaitAsync(AppliedThrough wanted, TimeSpan atMost, CancellationToken ct)
    {
        var waiter = new Waiter(wanted, new TaskCompletionSource<AppliedThrough>(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            _waiting.Add(waiter);
            if (!_asking)
            {
                _asking = true;
                _ = Task.Run(AskAsync, CancellationToken.None);
            }
        }
        try
        {
            return await waiter.Answer.Task.WaitAsync(atMost, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            lock (_lock)
                _waiting.Remove(waiter);
        }
    }

    private async Task AskAsync()
    {
        while (true)
        {
            try
            {
                Answer(
                    (
                        await engine
                            .UseAsync(c => moments.ReadAsync(c, CancellationToken.None), CancellationToken.None)
                            .ConfigureAwait(false)
                    ).Through
                );
            }
            catch (Exception e)
            {
                lock (_lock)
                {
                    foreach (var waiter in _waiting)
                        waiter.Answer.TrySetException(e);
                    _waiting.Clear();
                }
            }
            lock (_lock)
            {
                if (_waiting.Count == 0)
                {
                    _asking = false;
                    return;
                }
            }
            await Task.Delay(Interval).ConfigureAwait(false);
        }
    }

    private void Answer(AppliedThrough through)
    {
        lock (_lock)
        {
            for (var i = _waiting.Count - 1; i >= 0; i--)
            {
                var waiter = _waiting[i];
                if (waiter.Wanted.Generation == through.Generation && through.Lsn < waiter.Wanted.Lsn)
                    continue;
                waiter.Answer.TrySetResult(through);
                _waiting.RemoveAt(i);
            }
        }
    }
}
