using System.Diagnostics.Metrics;
using Cdc.Api.Freshness;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;

namespace Cdc.Api.Metrics;

/// <summary>Instruments of the pipeline in this process, if there is one.</summary>
internal sealed class PipelineMetrics : IDisposable
{
    private static readonly double[] RowBounds = [1, 10, 100, 1_000, 5_000, 10_000, 20_000, 40_000];
    private static readonly double[] BatchBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] VisibleBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300];

    /// <summary>The kinds that end a session; the others belong to commands.</summary>
    private static readonly FailureKind[] Kinds =
    [
        FailureKind.Unexpected,
        FailureKind.Configuration,
        FailureKind.Preflight,
        FailureKind.DeclaredGap,
        FailureKind.Migration,
        FailureKind.Unavailable,
        FailureKind.Fenced,
    ];

    private static readonly string[] Breaker = ["closed", "half-open", "open"];

    private readonly PipelineStatistics? _statistics;
    private readonly FreshnessClock _clock;
    private readonly Histogram<double>? _rows;
    private readonly Histogram<double>? _duration;
    private readonly Histogram<double>? _visible;

    public PipelineMetrics(ApiMeter all, ApiParts parts, FreshnessClock clock)
    {
        (_statistics, _clock) = (parts.Statistics, clock);
        if (parts.Statistics is not { } statistics)
            return;
        var meter = all.Meter;
        Counters(meter, statistics);
        Failures(meter, statistics);
        _rows = meter.CreateHistogram("cdc.batch.rows", "{row}", "Rows committed together.", null, Bounds(RowBounds));
        _duration = meter.CreateHistogram(
            "cdc.batch.duration",
            "s",
            "From a batch's first change to its commit.",
            null,
            Bounds(BatchBounds)
        );
        _visible = meter.CreateHistogram(
            "cdc.visible.latency",
            "s",
            "From a commit in the source to its being visible in the engine, of the oldest transaction of each batch.",
            null,
            Bounds(VisibleBounds)
        );
        statistics.BatchApplied += Record;
    }

    /// <summary>The pipeline continues, and another Api may follow in this process.</summary>
    public void Dispose()
    {
        if (_statistics is not null)
            _statistics.BatchApplied -= Record;
    }

    private void Record(AppliedBatch batch)
    {
        _rows!.Record(batch.Rows);
        _duration!.Record(batch.Duration.TotalSeconds);
        if (batch.OldestCommit is { } commit)
            _visible!.Record(_clock.SecondsSince(commit));
    }

    private static void Counters(Meter meter, PipelineStatistics s)
    {
        meter.CreateObservableCounter("cdc.captured", () => s.Captured, "{event}", "Events of the stream put into the change log.");
        meter.CreateObservableCounter("cdc.applied.rows", () => s.RowsApplied, "{row}", "Row changes of the stream applied to the engine.");
        meter.CreateObservableCounter(
            "cdc.applied.transactions",
            () => s.TransactionsApplied,
            "{transaction}",
            "Source transactions applied."
        );
        meter.CreateObservableCounter("cdc.applied.batches", () => s.Batches, "{transaction}", "Engine transactions committed.");
        meter.CreateObservableCounter("cdc.duplicates", () => s.Duplicates, "{row}", "Changes that were sent again and skipped.");
        meter.CreateObservableCounter("cdc.quarantined.rows", () => s.Quarantined, "{row}", "Rows put into quarantine.");
        meter.CreateObservableCounter("cdc.chunk.rows", () => s.ChunkRows, "{row}", "Rows read in snapshot chunks.");
        meter.CreateObservableGauge("cdc.waiting", () => s.Waiting, "{event}", "Events captured that wait to be applied.");
    }

    private static void Failures(Meter meter, PipelineStatistics s)
    {
        meter.CreateObservableCounter(
            "cdc.errors",
            () => Kinds.Select(k => new Measurement<long>(s.Failures(k), new KeyValuePair<string, object?>("class", Word(k)))),
            "{failure}",
            "Sessions of the pipeline that ended with a failure, by its class."
        );
        meter.CreateObservableGauge(
            "cdc.breaker.state",
            () =>
                Breaker.Select(word => new Measurement<long>(
                    word == BreakerWord(s.Retry) ? 1 : 0,
                    new KeyValuePair<string, object?>("state", word)
                )),
            null,
            "1 for the circuit breaker's state: open while a worker of the pipeline waits after a failure, half-open while it tries again."
        );
        meter.CreateObservableGauge(
            "cdc.pipeline.stopped",
            () =>
                Kinds.Select(k => new Measurement<long>(
                    s.Retry == RetryState.Stopped && s.Failure?.Kind == k ? 1 : 0,
                    new KeyValuePair<string, object?>("class", Word(k))
                )),
            null,
            "1 for the class of the failure that a person has to end: until then the pipeline stands still."
        );
    }

    /// <summary>The instrument's names are those of a circuit breaker.</summary>
    private static string BreakerWord(RetryState state) =>
        state switch
        {
            RetryState.Waiting or RetryState.Stopped => "open",
            RetryState.Retrying => "half-open",
            _ => "closed",
        };

    private static InstrumentAdvice<double> Bounds(double[] bounds) => new() { HistogramBucketBoundaries = bounds };

    /// <summary>DeclaredGap as declared-gap.</summary>
    private static string Word<T>(T value)
        where T : struct, Enum => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
