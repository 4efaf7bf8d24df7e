using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>An engine that answers, and refuses: waited for with its reason, or named with what lifts it; never taken for a defect.</summary>
public sealed class EngineRefusalTests(OwnServers servers) : IClassFixture<OwnServers>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_engine_that_takes_no_writes_is_waited_for(bool cutOff)
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        var run = await scene.FollowingAsync();
        // As hosted platforms do when a disk is nearly full.
        await AdministerAsync("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()");
        if (cutOff)
            await AdministerAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'cdc%'");
        await scene.ChangeAsync();
        await Eventually.True(
            "it says so",
            () => run.Tail.Contains("takes no writes now", StringComparison.Ordinal),
            () => run.Tail,
            ct: Scene.Ct
        );
        Assert.False(run.HasExited);
        await AdministerAsync("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()");
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task An_engine_that_has_become_a_standby_is_waited_for()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        var run = await scene.FollowingAsync();
        await servers.Engine.StopAsync(ct: Scene.Ct);
        await File.WriteAllTextAsync(Path.Combine(servers.Engine.DataDirectory, "standby.signal"), "", Scene.Ct);
        await servers.Engine.StartAgainAsync(Scene.Ct);
        await scene.ChangeAsync();
        await Eventually.True(
            "it says so",
            () => run.Tail.Contains("takes no writes now", StringComparison.Ordinal),
            () => run.Tail,
            ct: Scene.Ct
        );
        Assert.Contains(
            "engine-read-only: The engine takes no writes now: it is a standby",
            await scene.CommandAsync(4, "check"),
            StringComparison.Ordinal
        );
        await AdministerAsync("SELECT pg_promote()");
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task An_engine_whose_commits_wait_for_a_standby_that_is_not_there_is_named()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await using (var standby = new MissingStandby(servers.Engine))
        {
            await standby.HoldAsync();
            Assert.Contains("engine-standby-missing", await scene.CommandAsync(0, "check"), StringComparison.Ordinal);
        }
        Assert.DoesNotContain("standby-missing", await scene.CommandAsync(0, "check"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Row_security_of_the_engine_is_named_before_it_refuses_and_the_sql_that_is_printed_lifts_it()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await using var role = await WriterAsync(scene);
        await scene.Engine.ExecuteAsync("ALTER TABLE loyalty_cards ENABLE ROW LEVEL SECURITY", Scene.Ct);
        foreach (var command in (string[])["check", "run"])
        {
            var output = await scene.CommandAsync(4, command);
            Assert.Contains("engine-row-security: Row security of public.loyalty_cards", output, StringComparison.Ordinal);
            Assert.Contains($"ALTER ROLE {role.Name} BYPASSRLS;", output, StringComparison.Ordinal);
        }
        await scene.Engine.ExecuteAsync($"ALTER ROLE {role.Name} BYPASSRLS", Scene.Ct);
        await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct));
    }

    [Theory]
    [InlineData("")]
    [InlineData("CREATE POLICY half ON loyalty_cards USING (id % 2 = 0)")]
    public async Task Row_security_that_comes_while_it_runs_loses_nothing_and_is_no_defect(string policy)
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await using var role = await WriterAsync(scene);
        var run = await scene.FollowingAsync();
        await scene.Engine.ExecuteAsync($"ALTER TABLE loyalty_cards ENABLE ROW LEVEL SECURITY; {policy}", Scene.Ct);
        await scene.ChangeAsync();
        Assert.Equal(4, await Scene.EndAsync(run));
        Assert.Contains("loyalty_cards", run.Tail, StringComparison.Ordinal);
        await scene.Engine.ExecuteAsync($"ALTER ROLE {role.Name} BYPASSRLS", Scene.Ct);
        await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct));
    }

    /// <summary>A role that may write the engine's tables and owns none of them.</summary>
    private static async Task<ReaderRole> WriterAsync(Scene scene)
    {
        var role = await ReaderRole.CreateWriterAsync(scene.Engine);
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { ConnectionString = role.ConnectionString };
        return role;
    }

    private async Task AdministerAsync(params string[] statements)
    {
        var text = servers.Engine.ConnectionString("postgres") + ";Pooling=false;Options=-c default_transaction_read_only=off";
        await using var connection = new NpgsqlConnection(text);
        await connection.OpenAsync(Scene.Ct);
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(Scene.Ct);
        }
    }
}
