using System.Diagnostics;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Fences;
using Cdc.Engine.Progress;
using Npgsql;

namespace Cdc.Apply.Fences;

/// <summary>
/// Apply's part of a fence. Everything before the marker is committed and nothing after it is begun; so it stays until whoever compares has
/// the engine's snapshot, or until it has had its time: then the fence is broken, before anything after the marker is written.
/// </summary>
internal sealed class FenceHold(EngineOptions options, FenceSignals signals, long session, PipelineStatistics statistics)
{
    /// <summary>For a notification that was lost.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <param name="connection">Outside of any transaction.</param>
    public async Task HoldAsync(NpgsqlConnection connection, FenceChange fence, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var signal = signals.Next;
        if (!await ReachAsync(connection, fence, ct).ConfigureAwait(false))
            return;
        CrashPoint.Hit("after-fence-reached");
        while (await IsHeldAsync(connection, fence, ct).ConfigureAwait(false))
        {
            var left = options.FenceHoldTimeout - Stopwatch.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
            {
                await GiveUpAsync(connection, fence, ct).ConfigureAwait(false);
                break;
            }
            await FenceSignals.WaitAsync(signal, left < Look ? left : Look, ct).ConfigureAwait(false);
            signal = signals.Next;
        }
        CrashPoint.Hit("after-fence-held");
        statistics.FenceHeld(Stopwatch.GetElapsedTime(began));
    }

    private async Task<bool> ReachAsync(NpgsqlConnection connection, FenceChange fence, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(FenceSql.Reach, connection)
        {
            Parameters =
            {
                new() { Value = fence.Fence },
                new() { Value = session },
                Statements.Parameter(fence.Marker),
                new() { Value = fence.InFlight.ToArray() },
                new() { Value = fence.InFlightAll },
            },
        };
        return await IsDoneAsync(command, ct).ConfigureAwait(false);
    }

    private static async Task<bool> IsHeldAsync(NpgsqlConnection connection, FenceChange fence, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(FenceSql.State, connection) { Parameters = { new() { Value = fence.Fence } } };
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is "reached";
    }

    private static async Task GiveUpAsync(NpgsqlConnection connection, FenceChange fence, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(FenceSql.Break, connection)
        {
            Parameters =
            {
                new() { Value = fence.Fence },
                new() { Value = FenceReasons.NotOpened },
                new() { Value = "The engine's snapshot was not open in the time that changes wait for it (Engine:FenceHoldTimeout)." },
            },
        };
        await IsDoneAsync(command, ct).ConfigureAwait(false);
    }

    private static async Task<bool> IsDoneAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await reader.ReadAsync(ct).ConfigureAwait(false);
    }
}
