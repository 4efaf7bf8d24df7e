namespace Cdc.Workload.Plan;

/// <summary>
/// When a session's transactions are due. Open loop: a database that is slow for a moment is not spared, what is late follows at once.
/// </summary>
internal sealed class Pacer(TimeProvider time, double? transactionsPerSecond, int sessions, int session)
{
    private readonly long _start = time.GetTimestamp();
    private long _next;

    /// <summary>Waits until the next transaction is due; flat out it never waits.</summary>
    public Task NextAsync(CancellationToken ct)
    {
        if (transactionsPerSecond is not { } rate)
            return Task.CompletedTask;
        // The sessions take turns.
        var due = TimeSpan.FromSeconds((_next++ * (double)sessions + session) / rate);
        var left = due - time.GetElapsedTime(_start);
        return left > TimeSpan.Zero ? Task.Delay(left, time, ct) : Task.CompletedTask;
    }
}
