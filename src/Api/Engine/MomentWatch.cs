namespace Cdc.Api.Engine;

/// <summary>
/// Requests that wait until the engine is far enough. One query at a time is sent for all of them, however many they are, and none
/// while no request waits.
/// </summary>
internal sealed class MomentWatch(EngineReads engine, EngineMomentReader moments)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    private sealed record Waiter(Func<EngineMoment, bool> IsOver, TaskCompletionSource<EngineMoment> Answer);

    private readonly Lock _lock = new();
    private readonly List<Waiter> _waiting = [];
    private bool _asking;

    /// <param name="isOver">Whether this moment ends the wait.</param>
    /// <returns>The first such moment; null: there was none in time.</returns>
    /// <exception cref="EngineUnavailableException">The engine cannot be asked.</exception>
    public async Task<EngineMoment?> WaitAsync(Func<EngineMoment, bool> isOver, TimeSpan atMost, CancellationToken ct)
    {
        var waiter = new Waiter(isOver, new TaskCompletionSource<EngineMoment>(TaskCreationOptions.RunContinuationsAsynchronously));
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
            return await waiter.Answer.Task.WaitAsync(atMost, ct);
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
                Answer(await engine.UseAsync(c => moments.ReadAsync(c, CancellationToken.None), CancellationToken.None));
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
            await Task.Delay(PollInterval);
        }
    }

    private void Answer(EngineMoment moment)
    {
        lock (_lock)
        {
            for (var i = _waiting.Count - 1; i >= 0; i--)
            {
                var waiter = _waiting[i];
                if (!waiter.IsOver(moment))
                    continue;
                waiter.Answer.TrySetResult(moment);
                _waiting.RemoveAt(i);
            }
        }
    }
}
