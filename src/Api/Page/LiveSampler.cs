using Cdc.Api.Engine;
using Cdc.Api.Flags;
using Cdc.Api.Freshness;
using Cdc.Api.Metrics;
using Cdc.Api.Operations;
using Cdc.Core.Operations;
using Cdc.Core.Telemetry;
using Microsoft.Extensions.Logging;

namespace Cdc.Api.Page;

/// <summary>Takes a point every second while somebody looks at the page, and now and then while nobody does, so that its charts do not begin empty.</summary>
internal sealed class LiveSampler(
    ApiParts parts,
    ApiOptions options,
    StatusCache status,
    AppliedDays days,
    MarksReader marks,
    ReconcileStanding standing,
    FlagTable flags,
    FreshnessClock clock,
    LiveBoard board,
    TimeProvider time,
    ILogger log
)
{
    private static readonly TimeSpan WhileWatched = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WhileIdle = TimeSpan.FromSeconds(15);

    /// <summary>Counts of another process arrive every five seconds.</summary>
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(10);

    private readonly LatencyWindow _latencies = new();
    private readonly RowRate _rate = new(parts.Statistics is null ? RateWindow : TimeSpan.Zero);
    private readonly IReadOnlyList<string> _topics = [.. parts.Entities.All.Select(parts.LogOf).Distinct()];

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (parts.Statistics is { } statistics)
            statistics.BatchApplied += Record;
        try
        {
            while (!ct.IsCancellationRequested)
            {
                try
                {
                    await SampleAsync(ct).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    ApiLog.PointFailed(log, e);
                }
                await PauseAsync(ct).ConfigureAwait(false);
            }
        }
        finally
        {
            if (parts.Statistics is { } ended)
                ended.BatchApplied -= Record;
        }
    }

    private async Task PauseAsync(CancellationToken ct)
    {
        if (board.Viewers == 0)
            await board.Looked.WaitAsync(WhileIdle, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else
            await Task.Delay(WhileWatched, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task SampleAsync(CancellationToken ct)
    {
        var report = await status.ReadAsync(ct).ConfigureAwait(false);
        var lag = LagView.Of(report, parts);
        var byTopic = lag.Partitions.ToLookup(p => p.Topic);
        var (p50, p99) = _latencies.Take();
        var point = new LivePoint(
            report.At.ToUnixTimeMilliseconds(),
            [.. _topics.Select(t => byTopic[t].Max(p => p.Seconds))],
            await RateAsync(ct).ConfigureAwait(false),
            p50,
            p99
        );
        var known = await TryAsync(() => marks.ReadAsync(ct)).ConfigureAwait(false);
        var all = await TryAsync(async () =>
                string.Join(' ', (await flags.AllAsync(ct).ConfigureAwait(false)).Values.Select(f => $"{f.Name}:{f.Version}"))
            )
            .ConfigureAwait(false);
        await standing.ReadAsync(ct).ConfigureAwait(false);
        board.Add(
            point,
            new LiveState(
                parts.Version,
                HealthView.Of(report, options.LagLimit),
                report,
                lag,
                _topics,
                known is null
                    ? null
                    : new LiveMarks(known.Quarantine, known.Runs is null ? "" : $"{known.Runs} {known.OpenDrift}", all ?? ""),
                standing.Ratio,
                known?.OpenDrift
            )
        );
    }

    private async Task<double?> RateAsync(CancellationToken ct)
    {
        if (parts.Statistics is { } statistics)
            return _rate.Next(time.GetUtcNow(), statistics.RowsApplied);
        return await TryAsync(async () => (object)await days.TotalAsync(ct).ConfigureAwait(false)).ConfigureAwait(false) is long total
            ? _rate.Next(time.GetUtcNow(), total)
            : null;
    }

    private void Record(AppliedBatch batch)
    {
        if (batch.OldestCommit is { } commit)
            _latencies.Add(clock.SecondsSince(commit));
    }

    /// <summary>While the engine is down the page goes on, and says so.</summary>
    private static async Task<T?> TryAsync<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (EngineUnavailableException)
        {
            return null;
        }
    }
}
