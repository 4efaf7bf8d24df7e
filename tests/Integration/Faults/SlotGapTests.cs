using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>A break in continuity stops the real program with its name and its command; accepted, everything is equal again.</summary>
public sealed class SlotGapTests(TestServers servers)
{
    [Fact]
    public async Task A_slot_dropped_while_running_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var run = await scene.FollowingAsync();
        await scene.DropSlotAsync();
        await scene.ChangeAsync();
        await scene.StopsWithGapAsync(run, "slot-missing");
        await scene.GoesOnAfterResetAsync("slot-missing");
    }

    [Fact]
    public async Task A_slot_dropped_while_stopped_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await scene.DropSlotAsync();
        await scene.ChangeAsync();
        await scene.GoesOnAfterResetAsync("slot-missing");
    }

    [Fact]
    public async Task A_slot_created_again_while_stopped_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await scene.DropSlotAsync();
        await scene.ChangeAsync();
        await scene.CreateSlotAsync();
        await scene.GoesOnAfterResetAsync("slot-advanced");
    }

    [Fact]
    public async Task A_slot_created_again_while_running_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var run = await scene.FollowingAsync();
        run.Send(Signal.Stop);
        await scene.DropSlotAsync();
        await scene.ChangeAsync();
        await scene.CreateSlotAsync();
        run.Send(Signal.Continue);
        await scene.StopsWithGapAsync(run, "slot-advanced");
        await scene.GoesOnAfterResetAsync("slot-advanced");
    }

    [Fact]
    public async Task A_slot_advanced_by_hand_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await scene.ChangeAsync();
        await scene.Source.ExecuteAsync($"SELECT pg_replication_slot_advance('{scene.Slot}', pg_current_wal_lsn())", Scene.Ct);
        await scene.GoesOnAfterResetAsync("slot-advanced");
    }

    [Fact]
    public async Task A_slot_of_that_name_that_this_engine_never_used_is_left_alone_even_if_gaps_are_accepted()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.CreateSlotAsync();
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { AcceptGaps = true };
        var before = await scene.Source.RowsAsync(
            $"SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{scene.Slot}'",
            Scene.Ct
        );
        Assert.Contains("cdc slot drop", await scene.CommandAsync(5, "run"), StringComparison.Ordinal);
        Assert.Equal(
            before,
            await scene.Source.RowsAsync($"SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{scene.Slot}'", Scene.Ct)
        );
    }

    [Fact]
    public async Task A_gap_accepted_by_setting_goes_on_by_itself_and_ends_equal()
    {
        await using var scene = await Scene.CreateAsync(servers);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { AcceptGaps = true };
        var run = await scene.FollowingAsync();
        await scene.DropSlotAsync();
        await scene.ChangeAsync();
        await Eventually.True(
            "generation 2 streams",
            async () => await scene.Engine.ScalarAsync<bool>("SELECT state = 'streaming' AND generation = 2 FROM cdc.source", Scene.Ct),
            () => Task.FromResult(run.Tail),
            ct: Scene.Ct
        );
        await scene.EndsEqualAsync(run);
    }
}
