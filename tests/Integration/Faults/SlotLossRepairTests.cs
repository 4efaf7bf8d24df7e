using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>After a lost slot: <c>cdc slot reset</c> and a repair, and what Odoo deleted meanwhile is gone.</summary>
public sealed class SlotLossRepairTests(OwnServers servers) : IClassFixture<OwnServers>
{
    [Fact]
    public async Task A_lost_slot_a_reset_and_a_repair_end_with_rows_deleted_meanwhile_gone()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await LostSlot.MakeAsync(scene);
        // Deletes a card, and with it its moves and history.
        await scene.ChangeAsync();
        await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct), "slot-lost");
        await scene.CommandAsync(5, "reconcile", "--repair", "--yes");

        await scene.CommandAsync(0, "slot", "reset", "--yes");
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await scene.CaughtUpAsync(run);
        // As if the reset had left something behind.
        await scene.Engine.ExecuteAsync(
            """
            INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (1, 1, 1, 'CARD 1', 1);
            UPDATE loyalty_cards SET points = points - 1 WHERE id = 2;
            DELETE FROM point_history WHERE id = 3;
            """,
            Scene.Ct
        );
        await scene.CommandAsync(10, "reconcile", "--repair", "--dry-run");
        Assert.Contains("3 keys are equal now", await scene.CommandAsync(0, "reconcile", "--repair", "--yes"), StringComparison.Ordinal);
        Assert.Equal(
            ["0|0|0"],
            await scene.Engine.RowsAsync(
                """
                SELECT (SELECT count(*) FROM loyalty_cards WHERE id = 1), (SELECT count(*) FROM point_moves WHERE loyalty_card_id = 1), (SELECT count(*) FROM point_history WHERE loyalty_card_id = 1)
                """,
                Scene.Ct
            )
        );
        await scene.EndsEqualAsync(run);
    }
}
