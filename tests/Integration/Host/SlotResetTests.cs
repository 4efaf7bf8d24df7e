using Cdc.Core.Failures;
using Xunit;

namespace Cdc.Tests.Integration.Host;

[Collection(HostServersCollection.Name)]
public sealed class SlotResetTests(HostServers servers)
{
    private const string Tables =
        "SELECT string_agg(concat_ws('/', entity, state, reason, relation_oid, whole_generation, whole_lsn, barrier_xid), ' ' ORDER BY entity) FROM cdc.tables";
    private const string Chunks = "SELECT string_agg(concat_ws('/', entity, generation, kind, state, from_key), ' ' ORDER BY entity, generation, kind) FROM cdc.chunks";

    [Fact]
    public async Task A_reset_begins_a_generation_in_which_everything_is_read_again()
    {
        await using var world = await BrokenAsync();
        Assert.Equal(0, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);

        Assert.Equal("4 streaming", await world.EngineAsync<string>("SELECT concat_ws(' ', generation, state, gap_kind, gap_detail) FROM cdc.source"));
        Assert.Equal("card/loading/4/0/0/0 move/loading/4/0/0/0", await world.EngineAsync<string>(Tables));
        Assert.Equal("card/2/load/done card/4/load/pending move/4/load/pending", await world.EngineAsync<string>(Chunks));
        Assert.Equal("open", await world.EngineAsync<string>("SELECT state FROM cdc.requests"));
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
    }

    [Fact]
    public async Task Nobody_goes_on_with_the_old_checkpoint()
    {
        await using var world = await BrokenAsync();
        await world.RunAsync("slot", "reset", "--yes");
        Assert.True(await world.EngineAsync<bool>("""
            SELECT generation = 4 AND last_lsn = '0/0' AND last_xid = 0 AND owner_token <> '00000000-0000-0000-0000-000000000001'
                   AND through_lsn = (SELECT written_lsn FROM cdc.source) FROM cdc.checkpoints
            """));
    }

    [Theory]
    [InlineData("before drop")]
    [InlineData("after drop")]
    [InlineData("after create")]
    public async Task A_reset_that_dies_leaves_a_gap_and_is_finished_by_the_next_one(string point)
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        (world.Setup.DieBeforeDrop, world.Setup.DieAfterDrop, world.Setup.DieAfterCreate) = (point == "before drop", point == "after drop", point == "after create");
        Assert.Equal((int)FailureKind.Unexpected, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);
        Assert.Equal("3 gap reset", await world.EngineAsync<string>("SELECT concat_ws(' ', generation, state, gap_kind) FROM cdc.source"));
        Assert.Equal("gap", await SlotTests.VerdictAsync(world));
        Assert.NotEqual(Guid.Parse("00000000-0000-0000-0000-000000000001"), await world.EngineAsync<Guid>("SELECT owner_token FROM cdc.checkpoints"));

        (world.Setup.DieBeforeDrop, world.Setup.DieAfterDrop, world.Setup.DieAfterCreate) = (false, false, false);
        Assert.Equal(0, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);
        Assert.Equal("4 streaming", await world.EngineAsync<string>("SELECT concat_ws(' ', generation, state, gap_kind) FROM cdc.source"));
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
    }

    [Fact]
    public async Task A_slot_created_again_after_the_reset_is_a_gap_again()
    {
        await using var world = await BrokenAsync();
        await world.RunAsync("slot", "reset", "--yes");
        await world.SourceAsync($"SELECT pg_drop_replication_slot('{world.Slot}')");
        await world.SourceAsync("CREATE TABLE written_meanwhile ()");
        await world.Setup.CreateAsync(HostWorld.Ct);
        Assert.Equal("gap", await SlotTests.VerdictAsync(world));
    }

    [Fact]
    public async Task An_engine_that_follows_nothing_is_not_reset()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);
        Assert.Equal(0, await world.SourceAsync<long>($"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{world.Slot}'"));
    }

    /// <summary>The slot is gone in the middle of a load; one table is stopped.</summary>
    private async Task<HostWorld> BrokenAsync()
    {
        var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.SourceAsync($"SELECT pg_drop_replication_slot('{world.Slot}')");
        await world.EngineAsync("""
            UPDATE cdc.source SET state = 'gap', gap_kind = 'slot-missing', gap_detail = 'd';
            UPDATE cdc.tables SET state = 'stopped', reason = 'column code vanished', relation_oid = 5, barrier_xid = 999, whole_generation = 3, whole_lsn = '0/77' WHERE entity = 'card';
            INSERT INTO cdc.requests (kind, entity, state) VALUES ('snapshot', 'card', 'accepted');
            INSERT INTO cdc.chunks (entity, generation, kind, state, request) VALUES
              ('card', 2, 'load', 'done', NULL), ('card', 3, 'load', 'pending', NULL), ('card', 3, 'snapshot', 'pending', 1)
            """);
        return world;
    }
}
