using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Api.Operations;
using Cdc.Core.Telemetry;

namespace Cdc.Api.Page;

/// <summary>
/// How fast changes are applied, and how long they take: of the pipeline in this process, else by what the engine has counted.
/// </summary>
internal sealed class PipelineRates : IDisposable
{
    /// <summary>Counts of another process arrive every five seconds.</summary>
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(10);

    private readonly PipelineStatistics? _statistics;
    private readonly AppliedDays _days;
    private readonly FreshnessClock _clock;
    private readonly TimeProvider _time;
    private readonly LatencyWindow _latencies = new();
    private readonly RowRate _rate;

    public PipelineRates(ApiParts parts, AppliedDays days, FreshnessClock clock, TimeProvider time)
    {
        (_statistics, _days, _clock, _time) = (parts.Statistics, days, clock, time);
        _rate = new RowRate(_statistics is null ? RateWindow : TimeSpan.Zero);
        if (_statistics is not null)
            _statistics.BatchApplied += Record;
    }

    /// <summary>Rows a second; null: not known, or the engine cannot be read.</summary>
    public async Task<double?> RowsAsync(CancellationToken ct)
    {
        try
        {
            var total = _statistics?.RowsApplied ?? await _days.TotalAsync(ct);
            return _rate.Next(_time.GetUtcNow(), total);
        }
        catch (EngineUnavailableException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="LatencyWindow.Take"/>
    public (double? P50, double? P99) TakeLatencies() => _latencies.Take();

    public void Dispose()
    {
        if (_statistics is not null)
            _statistics.BatchApplied -= Record;
    }

    private void Record(AppliedBatch batch)
    {
        if (batch.OldestCommit is { } commit)
            _latencies.Add(_clock.SecondsSince(commit));
    }
}
