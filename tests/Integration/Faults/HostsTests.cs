using Cdc.Core.Failures;
using Cdc.Testing.Equality;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>Several hosts in a connection string: the primary among them is found, and found again.</summary>
public sealed class HostsTests(OwnServers servers) : IClassFixture<OwnServers>
{
    private static readonly IReadOnlyDictionary<string, string> Standby = new Dictionary<string, string>();

    [Theory]
    [InlineData("127.0.0.1:{dead},127.0.0.1:{port}", "primary")]
    [InlineData("127.0.0.1:{port},127.0.0.1:{dead}", "read-write")]
    [InlineData("127.0.0.1:{dead},127.0.0.1:{port}", null)]
    [InlineData("127.0.0.1", "primary")]
    [InlineData("127.0.0.1", "any")]
    public async Task Every_command_finds_the_server(string hosts, string? target)
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = Among(scene.Source.ConnectionString, hosts, target) };
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = Among(scene.Engine.ConnectionString, hosts, target) };
        await scene.CommandAsync(0, "check");
        var run = await scene.FollowingAsync();
        await scene.ChangeAsync();
        await scene.CommandAsync(0, "slot", "show");
        Assert.Contains("streaming", await scene.CommandAsync(0, "status"), StringComparison.Ordinal);
        await scene.CaughtUpAsync(run);
        await scene.CommandAsync(0, "reconcile");
        Assert.DoesNotContain("trying again", run.Tail, StringComparison.OrdinalIgnoreCase);
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task A_standby_is_passed_over_and_the_promoted_one_is_found_after_a_failover_of_the_engine()
    {
        await using var engine = await PgCluster.StartAsync(
            new PgClusterOptions { Name = "hosts-engine", SharedBuffers = "64MB" },
            Scene.Ct
        );
        await using var scene = await Scene.CreateAsync(servers.Source, engine);
        await using var standby = await engine.StartStandbyAsync(Standby, Scene.Ct);
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with
        {
            ConnectionString = Among(scene.Engine.ConnectionString, $"127.0.0.1:{standby.Port},127.0.0.1:{engine.Port}", null),
        };
        var run = await scene.FollowingAsync();
        await FailOverAsync(engine, standby);
        await scene.ChangeAsync();
        await using var promoted = NpgsqlDataSource.Create(standby.ConnectionString(scene.Engine.Name));
        await CaughtUpAsync(scene.Source.DataSource, promoted, run);
        var report = await new EqualityCheck(scene.Bed.Entities).CompareAsync(scene.Source.DataSource, promoted, Scene.Ct);
        Assert.True(report.AreEqual, report.ToString());
        await engine.StartAgainAsync(Scene.Ct);
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
    }

    [Fact]
    public async Task After_a_failover_of_the_source_the_promoted_one_is_found_and_what_it_lacks_is_named()
    {
        await using var source = await PgCluster.StartAsync(
            new PgClusterOptions { Name = "hosts-source", SharedBuffers = "64MB" },
            Scene.Ct
        );
        await using var scene = await Scene.CreateAsync(source, servers.Engine);
        await using var standby = await source.StartStandbyAsync(Standby, Scene.Ct);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with
        {
            ConnectionString = Among(scene.Source.ConnectionString, $"127.0.0.1:{standby.Port},127.0.0.1:{source.Port}", "primary"),
        };
        var run = await scene.FollowingAsync();
        await scene.ChangeAsync();
        await FailOverAsync(source, standby);
        // Before PostgreSQL 17 no slot outlives its server.
        await scene.StopsWithGapAsync(run, GapKinds.SlotMissing);
        await scene.CommandAsync(0, "slot", "reset", "--yes");
        run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await using var promoted = NpgsqlDataSource.Create(standby.ConnectionString(scene.Source.Name));
        await CaughtUpAsync(promoted, scene.Engine.DataSource, run);
        var report = await new EqualityCheck(scene.Bed.Entities).CompareAsync(promoted, scene.Engine.DataSource, Scene.Ct);
        Assert.True(report.AreEqual, report.ToString());
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
        await source.StartAgainAsync(Scene.Ct);
    }

    [Fact]
    public async Task Hosts_of_which_none_is_the_primary_are_waited_for_and_every_reason_is_named()
    {
        await using var engine = await PgCluster.StartAsync(new PgClusterOptions { Name = "hosts-wait", SharedBuffers = "64MB" }, Scene.Ct);
        await using var scene = await Scene.CreateAsync(servers.Source, engine);
        await using var standby = await engine.StartStandbyAsync(Standby, Scene.Ct);
        var dead = FreePort.Next();
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with
        {
            ConnectionString = Among(scene.Engine.ConnectionString, $"127.0.0.1:{dead},127.0.0.1:{standby.Port}", "primary"),
        };
        var output = await scene.CommandAsync(4, "check");
        Assert.Contains($"127.0.0.1:{dead}", output, StringComparison.Ordinal);
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await Eventually.True("it waits", () => run.Tail.Contains("Trying again", StringComparison.Ordinal), () => run.Tail, ct: Scene.Ct);
        await PromoteAsync(standby);
        await using var promoted = NpgsqlDataSource.Create(standby.ConnectionString(scene.Engine.Name));
        await CaughtUpAsync(scene.Source.DataSource, promoted, run);
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
    }

    private static string Among(string connectionString, string hosts, string? target)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        settings.Host = hosts
            .Replace("{dead}", $"{FreePort.Next()}", StringComparison.Ordinal)
            .Replace("{port}", $"{settings.Port}", StringComparison.Ordinal);
        settings.TargetSessionAttributes = target;
        return settings.ConnectionString;
    }

    /// <summary>All that the primary has is on the standby: it sends it before it stops.</summary>
    private static async Task FailOverAsync(PgCluster primary, PgCluster standby)
    {
        await primary.StopAsync(ct: Scene.Ct);
        await PromoteAsync(standby);
    }

    private static async Task PromoteAsync(PgCluster standby)
    {
        await using var admin = NpgsqlDataSource.Create(standby.ConnectionString("postgres") + ";Pooling=false");
        await using var promote = admin.CreateCommand("SELECT pg_promote()");
        Assert.Equal(true, await promote.ExecuteScalarAsync(Scene.Ct));
    }

    private static async Task CaughtUpAsync(NpgsqlDataSource source, NpgsqlDataSource engine, WatchedProcess run)
    {
        try
        {
            await EngineProgress.CatchUpAsync(source, engine, Scene.Ct);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}{Environment.NewLine}{run.Tail}", e);
        }
    }
}
