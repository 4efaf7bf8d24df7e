using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>Why nobody takes a fence up.</summary>
internal static class PipelineLook
{
    private const string SourceSql = "SELECT state, slot, gap_kind, gap_detail FROM cdc.source";

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
        await using var command = new NpgsqlCommand(SourceSql, engine);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await reader.ReadAsync(ct).ConfigureAwait(false))
            return null;
        if (reader.GetString(0) != "gap")
            return reader.GetString(1);
        throw new FenceException(
            FenceReasons.NotRunning,
            FailureKind.DeclaredGap,
            $"The pipeline has stopped at a gap ({reader.GetValue(2)}): {reader.GetValue(3)}",
            "Look with 'cdc slot show'; accept it with 'cdc slot reset' (ops/runbooks/slot-reset.md)."
        );
    }

    private static async Task<bool> IsReadAsync(NpgsqlConnection source, string slot, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT active FROM pg_replication_slots WHERE slot_name = $1", source)
        {
            Parameters = { new() { Value = slot } },
        };
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is true;
    }
}
