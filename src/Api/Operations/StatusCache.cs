using Cdc.Core.Operations;
using Cdc.Core.Telemetry;

namespace Cdc.Api.Operations;

/// <summary>The status of both servers, read at most once a second for any number of callers.</summary>
/// <param name="statistics">Of the pipeline in this process; null: there is none.</param>
internal sealed class StatusCache(IStatusSource source, PipelineStatistics? statistics, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private StatusReport? _last;
    private volatile string? _gap;
    private long _readAt;

    /// <summary>The last one read, with the pipeline as it is now; null: none was.</summary>
    public StatusReport? Last =>
        Volatile.Read(ref _last) is not { } last ? null
        : statistics is null ? last
        : last.With(PipelineStatus.Of(statistics.Worst));

    /// <summary>The gap's kind as of the last report that could say, empty: there is none; null: none could say.</summary>
    public string? Gap => _gap;

    public async Task<StatusReport> ReadAsync(CancellationToken ct)
    {
        if (Current() is { } current)
            return current;
        await _reading.WaitAsync(ct);
        try
        {
            if (Current() is { } meanwhile)
                return meanwhile;
            Volatile.Write(ref _last, await source.ReadAsync(ct));
            Volatile.Write(ref _readAt, time.GetTimestamp());
            return Remembered(Last!);
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private StatusReport? Current() =>
        Last is { } last && time.GetElapsedTime(Volatile.Read(ref _readAt)) < Fresh ? Remembered(last) : null;

    private StatusReport Remembered(StatusReport report)
    {
        if (report.Engine is not null || report.Gap is not null)
            _gap = report.Gap ?? "";
        return report;
    }
}
