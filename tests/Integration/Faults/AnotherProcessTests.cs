using Cdc.Engine.Processes;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>A command knows of a <c>cdc run</c> in another process that it is up, and why it does not work.</summary>
public sealed class AnotherProcessTests(TestServers servers)
{
    [Fact]
    public async Task A_run_that_waits_is_not_taken_for_one_that_is_not_there()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var other = await ReaderRole.CreateAsync(scene.Engine, null);
        var run = await scene.FollowingAsync();
        Assert.Equal("working", Assert.Single(await ReadAsync(scene.Engine.ConnectionString)).State);

        await scene.Engine.ExecuteAsync(
            $"ALTER DATABASE {scene.Engine.Name} SET default_transaction_read_only = on; "
                + "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'cdc%'",
            Scene.Ct
        );
        await Eventually.True(
            "it has said why",
            async () =>
                await ReadAsync(scene.Engine.ConnectionString) is [{ State: "waiting", Reason: { } why }]
                && why.Contains("default_transaction_read_only is on"),
            () => Task.FromResult(run.Tail),
            ct: Scene.Ct
        );
        var status = await scene.CommandAsync(0, "status");
        Assert.Contains("(nothing reads the slot: a 'cdc run' is up, and tries again since ", status, StringComparison.Ordinal);
        Assert.Contains("The engine takes no writes now", status, StringComparison.Ordinal);
        Assert.DoesNotContain("start 'cdc run'", status, StringComparison.Ordinal);
        // One that may not see what it does sees that it is up.
        Assert.Equal("unknown", Assert.Single(await ReadAsync(other.ConnectionString)).State);

        scene.ForgetConnections();
        await scene.Engine.ExecuteAsync(
            $"BEGIN READ WRITE; ALTER DATABASE {scene.Engine.Name} RESET default_transaction_read_only; COMMIT",
            Scene.Ct
        );
        await scene.EndsEqualAsync(run);
        Assert.Empty(await ReadAsync(scene.Engine.ConnectionString));
        Assert.Contains("start 'cdc run'", await scene.CommandAsync(0, "status"), StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<ProcessStanding>> ReadAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Scene.Ct);
        return await RunningProcesses.ReadAsync(connection, Scene.Ct);
    }
}
