using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class MigrateCommandTests(TestServers servers)
{
    private const string Applied = "SELECT string_agg(version::text, ',' ORDER BY version) FROM cdc_migrations";

    [Fact]
    public async Task Up_applies_what_is_pending_and_shows_it()
    {
        await using var world = await HostWorld.CreateAsync(servers, migrated: false);
        Assert.Contains("pending", (await world.RunAsync("migrate", "--to", "2")).Out, StringComparison.Ordinal);
        Assert.Equal("1,2", await world.EngineAsync<string>(Applied));
        Assert.Contains("pending", (await world.RunAsync("migrate", "--list")).Out, StringComparison.Ordinal);
        Assert.Equal("1,2", await world.EngineAsync<string>(Applied));
        var run = await world.RunAsync("migrate");
        Assert.DoesNotContain("pending", run.Out, StringComparison.Ordinal);
        Assert.Empty(run.Error);
    }

    [Theory]
    [InlineData(null, (int)FailureKind.Refused)]
    [InlineData("n\n", (int)FailureKind.Refused)]
    [InlineData("", (int)FailureKind.Refused)]
    [InlineData("y\n", 0)]
    public async Task Down_does_what_is_answered_and_nothing_where_nobody_can_be_asked(string? answer, int exitCode)
    {
        await using var world = await MigratedAsync();
        var applied = exitCode == 0 ? "1" : await world.EngineAsync<string>(Applied);
        var run = await world.RunAsync(answer, new StringWriter(), HostWorld.Ct, "migrate", "--down", "1");
        Assert.Equal((exitCode, applied), (run.ExitCode, await world.EngineAsync<string>(Applied)));
        Assert.Contains("version 3 (program)", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Down_with_yes_says_what_happens_and_does_it()
    {
        await using var world = await MigratedAsync();
        var run = await world.RunAsync("migrate", "--down", "0", "--yes");
        Assert.Equal((0, 0), (run.ExitCode, await world.EngineAsync<long>("SELECT count(*) FROM cdc_migrations")));
        Assert.Contains("This will happen:", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("DROP TABLE loyalty_point_move CASCADE; CREATE TABLE ir_module_module (id int)")]
    public async Task Odoos_own_database_is_recognised_and_nothing_is_made_in_it(string? otherOdoo)
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        if (otherOdoo is not null)
            await world.SourceAsync(otherOdoo);
        world.EngineConnection = world.SourceConnection;
        var run = await world.RunAsync("migrate");
        Assert.Equal((int)FailureKind.Configuration, run.ExitCode);
        Assert.Contains("has Odoo's own tables", run.Error, StringComparison.Ordinal);
        Assert.Contains("CREATE DATABASE", run.Error, StringComparison.Ordinal);
        foreach (var command in (string[])["check", "run"])
        {
            var found = await world.RunProcessAsync(null, command);
            Assert.True(found.ExitCode == (int)FailureKind.Preflight, found.Output);
            Assert.Contains("engine-is-odoo", found.Output, StringComparison.Ordinal);
        }
        Assert.Equal(
            0L,
            await world.SourceAsync<long>(
                "SELECT count(*) FROM pg_class WHERE relname LIKE 'cdc%' OR relnamespace = to_regnamespace('cdc')"
            )
        );
    }

    [Fact]
    public async Task An_engine_that_is_down_is_told_without_its_password()
    {
        await using var world = await HostWorld.CreateAsync(servers, migrated: false);
        world.EngineConnection = "Host=127.0.0.1;Port=1;Database=e;Username=u;Password=secret-e;Timeout=1";
        var run = await world.RunAsync("migrate");
        Assert.Equal((int)FailureKind.Unavailable, run.ExitCode);
        Assert.DoesNotContain("secret", run.Out + run.Error, StringComparison.Ordinal);
    }

    private async Task<HostWorld> MigratedAsync()
    {
        var world = await HostWorld.CreateAsync(servers, migrated: false);
        Assert.Equal(0, (await world.RunAsync("migrate")).ExitCode);
        return world;
    }
}
