using Cdc.Api.Engine;
using Npgsql;

namespace Cdc.Api.Metrics;

/// <summary>
/// What is read of the engine for metrics: at most every five seconds, by one at a time, and without waiting for an engine that was not there
/// just now. While it cannot be read there is none: an old value must not be shown as today's.
/// </summary>
internal sealed class KeptReading<T>(
    EngineReads engine,
    Func<NpgsqlConnection, CancellationToken, Task<T>> read,
    TimeSpan timeout,
    TimeProvider time
) : IDisposable
    where T : class
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeftAlone = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile T? _last;
    private long _readAt;
    private long? _failedAt;

    /// <summary>Null: it cannot be read now, or never was.</summary>
    public T? Last => _last;

    /// <summary>Reads it again, but not more often than it changes.</summary>
    public async Task ReadAsync(CancellationToken ct)
    {
        if (IsFresh)
            return;
        await _reading.WaitAsync(ct);
        try
        {
            if (IsFresh)
                return;
            // Whoever waited for one that failed does not wait for another.
            if (_failedAt is { } failed && time.GetElapsedTime(failed) < LeftAlone)
                return;
            // A server that hangs is cancelled first, which takes as long again.
            _last = await engine.UseAsync(c => read(c, ct), ct).WaitAsync(timeout, ct);
            Volatile.Write(ref _readAt, time.GetTimestamp());
            _failedAt = null;
        }
        catch (Exception e) when (e is EngineUnavailableException or TimeoutException)
        {
            _failedAt = time.GetTimestamp();
            // The other metrics say so.
            _last = null;
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private bool IsFresh => _last is not null && time.GetElapsedTime(Volatile.Read(ref _readAt)) < Fresh;
}
