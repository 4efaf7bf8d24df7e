using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>Why nobody takes a fence up.</summary>
internal static class PipelineLook
{
    /// <summary>Null: the slot is being read, so somebody should.</summary>
    /// <exception cref="FenceException">DeclaredGap: it stopped, and does not go on by itself.</exception>
    public static async Task<BrokenFence?> AtAsync(NpgsqlConnection engine, NpgsqlConnection source, CancellationToken ct)
    {
        if (
            await FollowedSlotAsync(engine, ct).ConfigureAwait(false) is { } slot
            && await IsReadAsync(source, slot, ct).ConfigureAwait(false)
        )
            return null;
        return new BrokenFence(FenceReasons.NotRunning, "No 'cdc run' is running: nobody reads the slot.");
    }

    private static async Task<string?> FollowedSlotAsync(NpgsqlConnection engine, CancellationToken ct)
    {
        if (await SourceQueries.SlotAsync(engine, ct).ConfigureAwait(false) is not { } followed)
            return null;
        if (followed.State != SourceState.Gap)
            return followed.Name;
        throw new FenceException(
            FenceReasons.NotRunning,
            FailureKind.DeclaredGap,
            $"The pipeline has stopped at a gap ({followed.GapKind}): {followed.GapDetail}",
            "Look with 'cdc slot show'; accept it with 'cdc slot reset' (ops/runbooks/slot-reset.md)."
        );
    }

    private static async Task<bool> IsReadAsync(NpgsqlConnection source, string slot, CancellationToken ct)
    {
        var active = await source
            .Statement("SELECT active FROM pg_replication_slots WHERE slot_name = $1", slot)
            .RowsAsync(row => row.GetBoolean(0), ct)
            .ConfigureAwait(false);
        return active is [true];
    }
}
