using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Engine.Processes;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>Finds out why no pipeline takes a fence up.</summary>
internal static class PipelineProbe
{
    /// <summary>Null: the slot is being read, so the pipeline runs.</summary>
    /// <exception cref="FenceException">DeclaredGap: the pipeline stopped, and needs an operator.</exception>
    public static async Task<BrokenFence?> NotRunningAsync(NpgsqlConnection engine, NpgsqlConnection source, CancellationToken ct)
    {
        if (await FollowedSlotAsync(engine, ct) is { } slot && await IsReadAsync(source, slot, ct))
            return null;
        return new BrokenFence(
            FenceReasons.NotRunning,
            await RunningProcesses.PipelineAsync(engine, ct) is { } pipeline
                ? $"The pipeline does not work just now: {(pipeline.Process is { } process ? $"a 'cdc {process}'" : "a process of cdc")} is up, and no process reads the slot."
                    + (pipeline.Reason is { } reason ? $" {reason}" : "")
                : "No pipeline is running ('cdc run', or 'cdc capture'): no process reads the slot."
        );
    }

    private static async Task<string?> FollowedSlotAsync(NpgsqlConnection engine, CancellationToken ct)
    {
        if (await SourceQueries.SlotAsync(engine, ct) is not { } followed)
            return null;
        if (followed.State != SourceState.Gap)
            return followed.Name;
        throw new FenceException(
            FenceReasons.NotRunning,
            FailureKind.DeclaredGap,
            $"The pipeline has stopped at a gap ({followed.GapKind}): {followed.GapDetail}",
            "Check with 'cdc slot show'; accept it with 'cdc slot reset' (ops/runbooks/slot-reset.md)."
        );
    }

    private static async Task<bool> IsReadAsync(NpgsqlConnection source, string slot, CancellationToken ct)
    {
        var active = await source
            .Statement("SELECT active FROM pg_replication_slots WHERE slot_name = $1", slot)
            .RowsAsync(row => row.GetBoolean(0), ct);
        return active is [true];
    }
}
