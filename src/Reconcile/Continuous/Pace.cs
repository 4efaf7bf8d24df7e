namespace Cdc.Reconcile.Continuous;

/// <summary>Leaves the servers alone after each piece of work, the longer the longer it took.</summary>
/// <param name="loadPercent">Share of the time in which there may be work.</param>
internal sealed class Pace(int loadPercent, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private DateTimeOffset _notBefore = DateTimeOffset.MinValue;

    /// <summary>Waits until the next piece may begin.</summary>
    /// <returns>When it began, for <see cref="Worked"/>.</returns>
    public async Task<long> BeginAsync(CancellationToken ct)
    {
        if (_notBefore - time.GetUtcNow() is { Ticks: > 0 } pause)
            await Task.Delay(pause < LongestPause ? pause : LongestPause, time, ct);
        return time.GetTimestamp();
    }

    public void Worked(long began) => _notBefore = time.GetUtcNow() + time.GetElapsedTime(began) * (100.0 / loadPercent - 1);
}
