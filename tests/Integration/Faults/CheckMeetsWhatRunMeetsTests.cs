using System.Text.Json;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>What <c>cdc run</c> would wait for, <c>cdc check</c> names beforehand, with what ends it.</summary>
public sealed class CheckMeetsWhatRunMeetsTests(TestServers servers)
{
    private const string ReadOnly = "default_transaction_read_only";

    [Theory]
    [InlineData("ALTER DATABASE {database} SET")]
    [InlineData("ALTER ROLE {role} SET")]
    [InlineData("ALTER ROLE {role} IN DATABASE {database} SET")]
    public async Task An_engine_that_takes_no_writes_is_named_by_check_and_waited_for_by_run_and_the_sql_ends_it(string set)
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var role = await ReaderRole.CreateAsync(scene.Engine, null);
        await scene.Engine.ExecuteAsync($"ALTER ROLE {role.Name} SUPERUSER", Scene.Ct);
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = role.ConnectionString };
        await scene.Engine.ExecuteAsync(
            set.Replace("{database}", scene.Engine.Name, StringComparison.Ordinal).Replace("{role}", role.Name, StringComparison.Ordinal)
                + $" {ReadOnly} = on",
            Scene.Ct
        );
        scene.ForgetConnections();
        var finding = Assert.Single(await ErrorsAsync(scene), f => f.Code == "engine-read-only");
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await Eventually.True(
            "it says so",
            () => run.Tail.Contains("engine-read-only", StringComparison.Ordinal),
            () => run.Tail,
            ct: Scene.Ct
        );
        await scene.Engine.ExecuteAsync(finding.Remedy, Scene.Ct);
        Assert.Empty(await ErrorsAsync(scene));
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task Sessions_that_the_connection_string_makes_read_only_are_told_from_a_server_that_is()
    {
        await using var scene = await Scene.CreateAsync(servers);
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with
        {
            ConnectionString = scene.Engine.ConnectionString + $";Options=-c {ReadOnly}=on",
        };
        var finding = Assert.Single(await ErrorsAsync(scene));
        Assert.Equal("engine-read-only", finding.Code);
        Assert.Contains("Take it out of Engine:ConnectionString", finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_takes_no_writes_matters_only_where_a_publication_is_to_be_made()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var set = $"ALTER DATABASE {scene.Source.Name} SET {ReadOnly} = on";
        await scene.Source.ExecuteAsync(set, Scene.Ct);
        scene.ForgetConnections();
        var finding = Assert.Single(await ErrorsAsync(scene));
        Assert.Equal("source-read-only", finding.Code);
        await scene.Source.ExecuteAsync(finding.Remedy, Scene.Ct);
        scene.ForgetConnections();
        await scene.Source.ExecuteAsync(
            $"CREATE PUBLICATION {scene.Publication} FOR TABLE loyalty_card, loyalty_point_move, loyalty_point_history, loyalty_program; {set}",
            Scene.Ct
        );
        Assert.Empty(await ErrorsAsync(scene));
        await scene.FollowAsync();
        await scene.Source.ExecuteAsync(finding.Remedy, Scene.Ct);
    }

    private sealed record Found(string Code, string Remedy);

    private static async Task<IReadOnlyList<Found>> ErrorsAsync(Scene scene)
    {
        var (code, output) = await CdcProcess.RunAsync(["check", "--json"], scene.Bed.Environment(), Scene.Ct);
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal(json.GetProperty("ok").GetBoolean() ? 0 : 4, code);
        return
        [
            .. json.GetProperty("findings")
                .EnumerateArray()
                .Where(f => f.GetProperty("isError").GetBoolean())
                .Select(f => new Found(f.GetProperty("code").GetString()!, f.GetProperty("remedy").GetString()!)),
        ];
    }
}
