using System.Text.Json;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

/// <summary>Limits on connections are counted before they are met.</summary>
public sealed class ConnectionRoomTests(TestServers servers)
{
    [Theory]
    [InlineData("ALTER ROLE {role} CONNECTION LIMIT 3", true)]
    [InlineData("ALTER ROLE {role} CONNECTION LIMIT 6", false)]
    [InlineData("ALTER DATABASE {database} CONNECTION LIMIT 2", true)]
    public async Task A_limit_that_is_too_low_is_named_with_the_sql_that_raises_it(string limit, bool isError)
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var role = await ReaderRole.CreateAsync(scene.Source, null);
        await scene.Source.ExecuteAsync(
            $"ALTER ROLE {role.Name} REPLICATION; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role.Name}; "
                + $"CREATE PUBLICATION {scene.Publication} FOR TABLE loyalty_card, loyalty_point_move, loyalty_point_history, loyalty_program",
            Scene.Ct
        );
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = role.ConnectionString };
        Assert.Empty(await FoundAsync(scene, "source-connections"));
        await scene.Source.ExecuteAsync(
            limit.Replace("{role}", role.Name, StringComparison.Ordinal).Replace("{database}", scene.Source.Name, StringComparison.Ordinal),
            Scene.Ct
        );
        var found = Assert.Single(await FoundAsync(scene, "source-connections"));
        Assert.Equal(isError, found.GetProperty("isError").GetBoolean());
        await scene.Source.ExecuteAsync(found.GetProperty("remedy").GetString()!, Scene.Ct);
        Assert.Empty(await FoundAsync(scene, "source-connections"));
        await scene.FollowAsync();
    }

    [Fact]
    public async Task A_server_without_a_free_connection_is_named_as_what_it_is_and_waited_for()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var role = await ReaderRole.CreateAsync(scene.Engine, null);
        await scene.Engine.ExecuteAsync(
            $"ALTER ROLE {role.Name} SUPERUSER; ALTER ROLE {role.Name} NOSUPERUSER CONNECTION LIMIT 0",
            Scene.Ct
        );
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = role.ConnectionString };
        var output = await scene.CommandAsync(4, "check");
        Assert.Contains("no free connection", output, StringComparison.Ordinal);
        Assert.Contains("CONNECTION LIMIT", output, StringComparison.Ordinal);
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await Eventually.True(
            "it says so",
            () => run.Tail.Contains("no free connection", StringComparison.Ordinal),
            () => run.Tail,
            ct: Scene.Ct
        );
        await scene.Engine.ExecuteAsync($"ALTER ROLE {role.Name} SUPERUSER", Scene.Ct);
        await scene.EndsEqualAsync(run);
        await scene.Engine.ExecuteAsync($"ALTER ROLE {role.Name} NOSUPERUSER", Scene.Ct);
    }

    [Fact]
    public async Task No_more_connections_are_opened_than_are_counted()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var address = $"http://127.0.0.1:{FreePort.Next()}";
        scene.Bed.ApiOptions = scene.Bed.ApiOptions with { Enabled = true, Urls = address };
        scene.Bed.ContinuousOptions = scene.Bed.ContinuousOptions with { Enabled = true, Interval = TimeSpan.FromSeconds(1) };
        var options = new CdcOptions { Api = scene.Bed.ApiOptions, Continuous = scene.Bed.ContinuousOptions };
        var (most, engines) = (0L, 0L);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Scene.Ct);
        var counting = Task.Run(
            async () =>
            {
                while (!ended.IsCancellationRequested)
                    (most, engines) = (Math.Max(most, await CountAsync(scene.Source)), Math.Max(engines, await CountAsync(scene.Engine)));
            },
            Scene.Ct
        );
        var run = await scene.FollowingAsync();
        using var http = new HttpClient();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => http.GetAsync($"{address}/cards/CARD%20{i % 50}/balance", Scene.Ct)));
        await scene.ChangeAsync();
        await Eventually.True(
            "everything was compared",
            async () =>
                await scene.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM cdc.reconcile_runs WHERE state = 'done')", Scene.Ct),
            () => Task.FromResult(run.Tail),
            ct: Scene.Ct
        );
        await scene.EndsEqualAsync(run);
        await ended.CancelAsync();
        await counting;
        Assert.InRange(most, ConnectionNeeds.OfSource(options).Least - 2, ConnectionNeeds.OfSource(options).Most);
        Assert.InRange(engines, ConnectionNeeds.OfEngine(options).Least - 2, ConnectionNeeds.OfEngine(options).Most);
    }

    private static Task<long> CountAsync(TestDatabase database) =>
        database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'cdc%'",
            Scene.Ct
        );

    private static async Task<IReadOnlyList<JsonElement>> FoundAsync(Scene scene, string code)
    {
        var (_, output) = await CdcProcess.RunAsync(["check", "--json"], scene.Bed.Environment(), Scene.Ct);
        return
        [
            .. JsonDocument
                .Parse(output)
                .RootElement.GetProperty("findings")
                .EnumerateArray()
                .Where(f => f.GetProperty("code").GetString() == code),
        ];
    }
}
