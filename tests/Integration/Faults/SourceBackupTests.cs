using System.Diagnostics;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>Odoo's server comes from a copy of its files, slot included; or it has removed WAL that the slot needed.</summary>
public sealed class SourceBackupTests(OwnServers servers) : IClassFixture<OwnServers>
{
    [Fact]
    public async Task A_source_restored_from_a_backup_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await BackUpAsync(scene);
        await scene.ChangeAsync();
        await scene.FollowAsync();
        await RestoreAsync(scene);
        await scene.GoesOnAfterResetAsync("source-behind");
    }

    [Theory]
    [InlineData("UPDATE loyalty_card SET points = points + 100")]
    [InlineData("CREATE TABLE IF NOT EXISTS other (i int); INSERT INTO other SELECT generate_series(1, 1000)")]
    public async Task A_restored_source_that_was_written_past_the_old_place_is_a_gap_whatever_was_written(string sql)
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await BackUpAsync(scene);
        await scene.ChangeAsync();
        await scene.FollowAsync();
        var applied = await scene.Engine.ScalarAsync<string>("SELECT through_lsn::text FROM cdc.checkpoints", Scene.Ct);
        await RestoreAsync(scene);
        do await scene.Source.ExecuteAsync(sql, Scene.Ct);
        while (!await scene.Source.ScalarAsync<bool>($"SELECT pg_current_wal_flush_lsn() > '{applied}'", Scene.Ct));
        await scene.GoesOnAfterResetAsync("source-rewound");
    }

    [Fact]
    public async Task A_slot_whose_wal_the_server_removed_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await LostSlot.MakeAsync(scene);
        await scene.ChangeAsync();
        await scene.GoesOnAfterResetAsync("slot-lost");
    }

    [Fact]
    public async Task A_lost_slot_is_accepted_by_setting_too()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await LostSlot.MakeAsync(scene);
        await scene.ChangeAsync();
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { AcceptGaps = true };
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await scene.EndsEqualAsync(run);
        Assert.Equal(2, await scene.Engine.ScalarAsync<int>("SELECT generation FROM cdc.source", Scene.Ct));
    }

    [Fact]
    public async Task Another_database_under_the_same_slot_name_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await using var other = await TestDatabase.CreateAsync("other", servers.Source.ConnectionString("postgres"), Scene.Ct);
        await other.ExecuteAsync(Cdc.Workload.OdooSchema.Sql, Scene.Ct);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = other.ConnectionString };
        await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct), "source-changed");
        await scene.DropSlotAsync();
        await other.ExecuteAsync($"SELECT pg_create_logical_replication_slot('{scene.Slot}', 'pgoutput')", Scene.Ct);
        await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct), "source-changed");
    }

    private string Copy => servers.Source.DataDirectory + ".backup";

    private async Task BackUpAsync(Scene scene)
    {
        await servers.Source.StopAsync(ct: Scene.Ct);
        await RunAsync("rm", "-rf", Copy);
        await RunAsync("cp", "-a", servers.Source.DataDirectory, Copy);
        await servers.Source.StartAgainAsync(Scene.Ct);
        scene.ForgetConnections();
    }

    private async Task RestoreAsync(Scene scene)
    {
        await servers.Source.StopAsync(ct: Scene.Ct);
        await RunAsync("rm", "-rf", servers.Source.DataDirectory);
        await RunAsync("cp", "-a", Copy, servers.Source.DataDirectory);
        await servers.Source.StartAgainAsync(Scene.Ct);
        scene.ForgetConnections();
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(Scene.Ct);
        Assert.Equal(0, process.ExitCode);
    }
}
