using Cdc.Core.Operations;

namespace Cdc.Api.Operations;

/// <summary>The status of both servers, read at most once a second for any number of callers.</summary>
internal sealed class StatusCache(IStatusSource source, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private StatusReport? _last;
    private long _readAt;

    /// <summary>The last one read; null: none was.</summary>
    public StatusReport? Last => Volatile.Read(ref _last);

    public async Task<StatusReport> ReadAsync(CancellationToken ct)
    {
        if (Current() is { } current)
            return current;
        await _reading.WaitAsync(ct);
        try
        {
            if (Current() is { } meanwhile)
                return meanwhile;
            var report = await source.ReadAsync(ct);
            Volatile.Write(ref _readAt, time.GetTimestamp());
            Volatile.Write(ref _last, report);
            return report;
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private StatusReport? Current() => Last is { } last && time.GetElapsedTime(Volatile.Read(ref _readAt)) < Fresh ? last : null;
}
