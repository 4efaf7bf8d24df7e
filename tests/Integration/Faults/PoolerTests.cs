using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>PgBouncer before one of the servers is found, and refused where cdc would share its sessions with others.</summary>
public sealed class PoolerTests(TestServers servers)
{
    public static TheoryData<string, string[]> Sharing =>
        new()
        {
            { "transaction", [] },
            { "transaction", ["server_round_robin = 1", "min_pool_size = 3"] },
            { "statement", [] },
        };

    [Theory]
    [MemberData(nameof(Sharing))]
    public async Task An_engine_behind_a_pooler_that_shares_sessions_is_refused_and_nothing_is_set_there(string mode, string[] more)
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var pooler = await PgBouncer.StartAsync(scene.Engine.ConnectionString, Scene.Ct, [$"pool_mode = {mode}", .. more]);
        var through = pooler.Through(scene.Engine.ConnectionString);
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = through };
        foreach (var command in (string[])["check", "run", "status", "migrate"])
        {
            var (code, output) = await CdcProcess.RunAsync([command, .. Arguments(command)], scene.Bed.Environment(), Scene.Ct);
            // Half a status is a status.
            Assert.True(code == (command == "status" ? 0 : 3), $"{command} ended with {code}: {output}");
            Assert.Contains("pool_mode", output, StringComparison.Ordinal);
        }
        Assert.Equal(0L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.source", Scene.Ct));
        // What cdc sets for its own sessions did not reach the next client's.
        await using var other = new NpgsqlConnection(through);
        await other.OpenAsync(Scene.Ct);
        await using var setting = new NpgsqlCommand("SELECT current_setting('row_security')", other);
        Assert.Equal("on", await setting.ExecuteScalarAsync(Scene.Ct));
    }

    [Theory]
    [InlineData("transaction")]
    [InlineData("session")]
    public async Task A_source_behind_a_pooler_is_refused_with_the_reason(string mode)
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var pooler = await PgBouncer.StartAsync(scene.Source.ConnectionString, Scene.Ct, $"pool_mode = {mode}");
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = pooler.Through(scene.Source.ConnectionString) };
        foreach (var command in (string[])["check", "run", "slot show"])
        {
            var (code, output) = await CdcProcess.RunAsync(command.Split(' '), scene.Bed.Environment(), Scene.Ct);
            // What is shown of a slot needs no replication as long as none is followed.
            Assert.True(code == (command == "slot show" && mode == "session" ? 0 : 3), $"{command} ended with {code}: {output}");
            if (code == 3)
                Assert.Contains("Name the server itself in Source:ConnectionString", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_engine_behind_a_pooler_with_sessions_of_their_own_is_followed()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var pooler = await PgBouncer.StartAsync(
            scene.Engine.ConnectionString,
            Scene.Ct,
            "pool_mode = session",
            "default_pool_size = 60"
        );
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = pooler.Through(scene.Engine.ConnectionString) };
        var run = await scene.FollowingAsync();
        Assert.Contains("engine-pooler", await scene.CommandAsync(0, "check"), StringComparison.Ordinal);
        await scene.ChangeAsync();
        await scene.CaughtUpAsync(run);
        await scene.CommandAsync(0, "reconcile");
        await scene.EndsEqualAsync(run);
    }

    private static string[] Arguments(string command) => command == "migrate" ? ["--yes"] : [];
}
