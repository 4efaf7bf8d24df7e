using Cdc.Tests.Support.Network;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

public sealed class ConnectionTests(TestServers servers)
{
    /// <summary>Of connecting alone, and of the cancel requests with which Npgsql ends what a silent server does not answer.</summary>
    private const string ShortTimeout = ";Timeout=2";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_lost_in_commit_applies_each_change_once_whether_the_server_committed_or_not(bool reachesServer)
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var network = TcpProxy.Start(PortOf(scene.Engine.ConnectionString));
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = Through(network, scene.Engine.ConnectionString) };
        var run = await scene.FollowingAsync();
        for (var round = 1; round <= 3; round++)
        {
            var cut = network.CutAtCommit(reachesServer);
            await scene.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Scene.Ct);
            await cut.WaitAsync(TimeSpan.FromSeconds(60), Scene.Ct);
            await scene.CaughtUpAsync(run);
            Assert.Equal(
                $"{round}|50",
                Assert.Single(await scene.Engine.RowsAsync("SELECT sync_version, count(*) FROM loyalty_cards GROUP BY 1", Scene.Ct))
            );
        }
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task An_engine_that_goes_silent_is_noticed_and_what_its_old_sessions_hold_is_taken_from_them()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var network = TcpProxy.Start(PortOf(scene.Engine.ConnectionString));
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with
        {
            ConnectionString = Through(network, scene.Engine.ConnectionString) + ShortTimeout,
        };
        var run = await scene.FollowingAsync();
        // A session whose client is gone, in the middle of its transaction: if the pipeline's own is not such a one.
        await using var dead = new NpgsqlConnection(scene.Engine.ConnectionString + ";Application Name=cdc apply;Pooling=false");
        await dead.OpenAsync(Scene.Ct);
        network.GoSilent();
        await scene.ChangeAsync();
        await SaysSoonAsync(run, "The engine cannot be reached");
        await using var holding = new NpgsqlCommand("BEGIN; SELECT FROM cdc.checkpoints FOR UPDATE SKIP LOCKED", dead);
        await holding.ExecuteNonQueryAsync(Scene.Ct);
        network.Heal(tellServer: false);
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task A_source_that_goes_silent_is_noticed_and_nothing_is_lost()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var network = TcpProxy.Start(PortOf(scene.Source.ConnectionString));
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with
        {
            ConnectionString = Through(network, scene.Source.ConnectionString) + ShortTimeout,
        };
        var run = await scene.FollowingAsync();
        network.GoSilent();
        await scene.ChangeAsync();
        await SaysSoonAsync(run, "The source cannot be reached");
        network.Heal(tellServer: true);
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task An_engine_out_of_disk_is_waited_for_and_nothing_goes_to_quarantine()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var run = await scene.FollowingAsync();
        await scene.Engine.ExecuteAsync(
            """
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$;
            CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE OR DELETE ON loyalty_cards EXECUTE FUNCTION full_disk();
            ALTER TABLE loyalty_cards ENABLE ALWAYS TRIGGER full_disk;
            """,
            Scene.Ct
        );
        await scene.ChangeAsync();
        await Eventually.True(
            "cdc run says that the disk is full",
            () => run.Tail.Contains("53100", StringComparison.Ordinal),
            () => run.Tail,
            ct: Scene.Ct
        );
        await scene.Engine.ExecuteAsync("DROP TRIGGER full_disk ON loyalty_cards", Scene.Ct);
        await scene.EndsEqualAsync(run);
        Assert.Equal(0L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.quarantine", Scene.Ct));
    }

    /// <summary>Not by the settings of the test: by those that every connection has. On a busy machine a minute may not be enough.</summary>
    private static Task SaysSoonAsync(WatchedProcess run, string words) =>
        Eventually.True(
            $"cdc run says: {words}",
            () => run.Tail.Contains(words, StringComparison.Ordinal),
            () => run.Tail,
            2 * Eventually.DefaultTimeout,
            Scene.Ct
        );

    private static int PortOf(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString).Port;

    private static string Through(TcpProxy network, string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = network.Port }.ConnectionString;
}
