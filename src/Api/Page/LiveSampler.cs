using Cdc.Api.Operations;
using Microsoft.Extensions.Logging;

namespace Cdc.Api.Page;

/// <summary>
/// Takes a point every second while the page has viewers, and less often while it has none, so that its charts do not begin empty.
/// </summary>
internal sealed class LiveSampler(
    StatusCache status,
    PipelineRates rates,
    LiveStateReader states,
    LiveBoard board,
    TimeProvider time,
    ILogger log
)
{
    private static readonly TimeSpan WhileWatched = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WhileIdle = TimeSpan.FromSeconds(15);

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await SampleAsync(ct);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                ApiLog.PointFailed(log, e);
            }
            await PauseAsync(ct);
        }
    }

    private async Task PauseAsync(CancellationToken ct)
    {
        if (board.Viewers == 0)
            await board.Watched.WaitAsync(WhileIdle, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else
            await Task.Delay(WhileWatched, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task SampleAsync(CancellationToken ct)
    {
        var report = await status.ReadAsync(ct);
        var (p50, p99) = rates.TakeLatencies();
        var rows = await rates.RowsAsync(ct);
        var state = await states.ReadAsync(report, ct);
        var byTopic = state.Lag.Partitions.ToLookup(p => p.Topic);
        board.Add(
            new LivePoint(
                report.At.ToUnixTimeMilliseconds(),
                [.. state.Topics.Select(t => byTopic[t].Max(p => p.Seconds))],
                rows,
                p50,
                p99
            ),
            state
        );
    }
}
