using System.Diagnostics;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Fences;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Apply.Fences;

/// <summary>
/// Apply's part of a fence. Everything before the marker is committed and nothing after it is begun; so it stays until the comparison has
/// the engine's snapshot, or until it has had its time: then the fence is broken, before anything after the marker is written.
/// </summary>
internal sealed class FenceHold(EngineOptions options, FenceSignals signals, long session, PipelineStatistics statistics)
{
    /// <summary>For a notification that was lost.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    /// <param name="connection">Outside of any transaction.</param>
    public async Task HoldAsync(NpgsqlConnection connection, FenceChange fence, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var signal = signals.Next;
        if (!await FenceTable.ReachAsync(connection, fence, session, ct))
            return;
        CrashPoint.Hit("after-fence-reached");
        while (await FenceTable.IsReachedAsync(connection, fence.Fence, ct))
        {
            var left = options.FenceHoldTimeout - Stopwatch.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
            {
                await FenceTable.GiveUpAsync(connection, fence.Fence, ct);
                break;
            }
            await FenceSignals.WaitAsync(signal, left < PollInterval ? left : PollInterval, ct);
            signal = signals.Next;
        }
        CrashPoint.Hit("after-fence-held");
        statistics.FenceHeld(Stopwatch.GetElapsedTime(began));
    }
}
