using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

public sealed class EngineBackupTests(TestServers servers)
{
    [Fact]
    public async Task An_engine_restored_from_a_backup_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await CopyAsync(scene, scene.Engine.Name, Backup(scene));
        await scene.ChangeAsync();
        await scene.FollowAsync();
        await RestoreAsync(scene);
        await scene.ChangeAsync();
        await scene.GoesOnAfterResetAsync("slot-advanced");
    }

    [Fact]
    public async Task An_engine_restored_from_before_a_reset_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await CopyAsync(scene, scene.Engine.Name, Backup(scene));
        await scene.CommandAsync(0, "slot", "reset", "--yes");
        await scene.ChangeAsync();
        await RestoreAsync(scene);
        await scene.GoesOnAfterResetAsync("slot-advanced");
    }

    [Fact]
    public async Task An_engine_restored_to_the_point_that_was_confirmed_goes_on()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await CopyAsync(scene, scene.Engine.Name, Backup(scene));
        await RestoreAsync(scene);
        await scene.ChangeAsync();
        await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct));
    }

    private static string Backup(Scene scene) => scene.Engine.Name + "_backup";

    private static async Task RestoreAsync(Scene scene)
    {
        await AdminAsync(scene, $"DROP DATABASE {scene.Engine.Name} WITH (FORCE)");
        await AdminAsync(scene, $"ALTER DATABASE {Backup(scene)} RENAME TO {scene.Engine.Name}");
        scene.Engine.DataSource.Clear();
    }

    private static async Task CopyAsync(Scene scene, string from, string to)
    {
        scene.Engine.DataSource.Clear();
        await Eventually.True(
            "nobody uses the engine's database",
            async () =>
            {
                try
                {
                    await AdminAsync(scene, $"CREATE DATABASE {to} TEMPLATE {from}");
                    return true;
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse)
                {
                    return false;
                }
            },
            ct: Scene.Ct
        );
    }

    private static async Task AdminAsync(Scene scene, string sql)
    {
        await using var admin = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(scene.Engine.ConnectionString) { Database = "postgres", Pooling = false }
        );
        await using var command = admin.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Scene.Ct);
    }
}
