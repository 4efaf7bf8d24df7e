using Cdc.Core.Fences;
using Cdc.Tests.Support.Pipeline;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>A requester of a fence of the card table that does only what the test says.</summary>
internal sealed class AskedByHand(PipelineBed bed, long id)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<AskedByHand> AnnounceAsync(PipelineBed bed, string expires = "1 minute") =>
        new(
            bed,
            await bed.Engine.ScalarAsync<long>(
                $"""
                WITH asked AS (INSERT INTO cdc.fences (entity, expires_at) VALUES ('card', clock_timestamp() + '{expires}') RETURNING id)
                SELECT id FROM asked, LATERAL pg_notify('{FenceChannels.Asks}', id::text)
                """,
                Ct
            )
        );

    /// <summary>Announced, and armed by the pipeline.</summary>
    public static async Task<AskedByHand> ArmedAsync(PipelineBed bed)
    {
        var fence = await AnnounceAsync(bed);
        await fence.IsAsync("armed");
        return fence;
    }

    /// <summary>With a snapshot of now, which is not kept.</summary>
    public async Task ReadAsync() => await ReadAsync((await bed.Source.ScalarAsync<string>("SELECT pg_current_snapshot()::text", Ct))!);

    public Task ReadAsync(string snapshot) => MoveAsync($"state = 'read', source_snapshot = '{snapshot}'");

    /// <summary>Nothing, if the fence is broken.</summary>
    public Task OpenAsync() => MoveAsync("state = 'open'", "reached");

    public Task IsAsync(string state) =>
        Eventually.True(
            $"fence {id} is {state}",
            async () => await StateAsync() == state,
            async () => $"{await StateAsync()} {await DetailAsync()}",
            ct: Ct
        );

    public Task<string?> StateAsync() => bed.Engine.ScalarAsync<string>($"SELECT state FROM cdc.fences WHERE id = {id}", Ct);

    public Task<string?> ReasonAsync() => bed.Engine.ScalarAsync<string>($"SELECT reason FROM cdc.fences WHERE id = {id}", Ct);

    public async Task<string> DetailAsync() =>
        await bed.Engine.ScalarAsync<string>($"SELECT reason || ': ' || detail FROM cdc.fences WHERE id = {id}", Ct) ?? "";

    private Task MoveAsync(string set, string from = "armed") =>
        bed.Engine.ExecuteAsync(
            $"UPDATE cdc.fences SET {set} WHERE id = {id} AND state = '{from}'; SELECT pg_notify('{FenceChannels.Asks}', '{id}')",
            Ct
        );
}
