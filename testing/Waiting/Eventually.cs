using System.Diagnostics;

namespace Cdc.Testing.Waiting;

/// <summary>Bounded waiting for something that becomes true by itself.</summary>
public static class Eventually
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(120);

    /// <summary>Half of it is added to most waits, and there are thousands in a run.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(25);

    /// <summary>Asks again and again until the answer is true.</summary>
    /// <param name="reason">What should come true, as a sentence.</param>
    /// <param name="lastState">Describes the state that the time-out's message shows.</param>
    /// <exception cref="TimeoutException">It did not come true; the message has reason and last state.</exception>
    public static async Task True(
        string reason,
        Func<Task<bool>> condition,
        Func<Task<string>>? lastState = null,
        TimeSpan? timeout = null,
        CancellationToken ct = default
    )
    {
        var limit = timeout ?? DefaultTimeout;
        var clock = Stopwatch.StartNew();
        var pause = TimeSpan.FromMilliseconds(2);
        while (!await condition())
        {
            if (clock.Elapsed > limit)
                throw new TimeoutException($"Not within {limit.TotalSeconds:0} s: {reason}. Last state: {await Describe(lastState)}");
            await Task.Delay(pause, ct);
            if (pause < LongestPause)
                pause *= 1.5;
        }
    }

    /// <summary>The same for a condition that is no task.</summary>
    public static Task True(
        string reason,
        Func<bool> condition,
        Func<string>? lastState = null,
        TimeSpan? timeout = null,
        CancellationToken ct = default
    ) => True(reason, () => Task.FromResult(condition()), lastState is null ? null : () => Task.FromResult(lastState()), timeout, ct);

    private static async Task<string> Describe(Func<Task<string>>? lastState)
    {
        if (lastState is null)
            return "(none given)";
        try
        {
            return await lastState();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return $"could not be read ({e.GetType().Name}: {e.Message})";
        }
    }
}
