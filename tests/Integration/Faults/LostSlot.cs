namespace Cdc.Tests.Integration.Faults;

/// <summary>Has a server of the test's own invalidate a slot, as max_slot_wal_keep_size does it to a capture that was down for too long.</summary>
internal static class LostSlot
{
    public static async Task MakeAsync(Scene scene)
    {
        await LimitAsync(scene, "'1MB'");
        await Eventually.True(
            "the slot is lost",
            async () =>
            {
                await scene.Source.ExecuteAsync("SELECT pg_logical_emit_message(true, 'filler', repeat('x', 1000000))", Scene.Ct);
                await scene.Source.ExecuteAsync("SELECT pg_switch_wal()", Scene.Ct);
                await scene.Source.ExecuteAsync("CHECKPOINT", Scene.Ct);
                return await scene.Source.ScalarAsync<string>(
                        $"SELECT wal_status FROM pg_replication_slots WHERE slot_name = '{scene.Slot}'",
                        Scene.Ct
                    ) == "lost";
            },
            ct: Scene.Ct
        );
        await LimitAsync(scene, "'-1'");
    }

    private static async Task LimitAsync(Scene scene, string size)
    {
        await scene.Source.ExecuteAsync($"ALTER SYSTEM SET max_slot_wal_keep_size = {size}", Scene.Ct);
        await scene.Source.ExecuteAsync("SELECT pg_reload_conf()", Scene.Ct);
        await Eventually.True(
            "the server has read its settings",
            () => scene.Source.ScalarAsync<bool>($"SELECT current_setting('max_slot_wal_keep_size') = {size}", Scene.Ct),
            ct: Scene.Ct
        );
    }
}
