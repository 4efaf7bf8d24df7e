using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Host;

/// <summary>Tables of the operator's: planned from the declaration, made by migrations with numbers of their own.</summary>
public sealed class OwnTablesTests(TestServers servers) : IDisposable
{
    private const string Applied = "SELECT coalesce(string_agg(version::text, ',' ORDER BY version), '') FROM cdc_own_migrations";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdc-own-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_plan_of_a_declared_table_makes_it_and_the_check_is_content()
    {
        await using var world = await WorldAsync("DROP TABLE loyalty_cards CASCADE; DROP TABLE promotion_programs");
        // As a shell leaves it before the command writes into it.
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "0001_mine.up.sql"), "", HostWorld.Ct);
        var plan = await world.RunAsync("migrate", "--plan");
        Assert.True(plan.ExitCode == 0, plan.Error);
        Assert.Contains("CREATE TABLE public.loyalty_cards (", plan.Out, StringComparison.Ordinal);
        Assert.Contains("DROP TABLE public.loyalty_cards;", plan.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("point_moves (", plan.Out, StringComparison.Ordinal);
        Assert.False(await world.EngineAsync<bool>("SELECT to_regclass('loyalty_cards') IS NOT NULL"));

        Write(1, "mine", plan.Out, "DROP TABLE loyalty_cards, promotion_programs");
        var pending = await CodesAsync(world);
        Assert.Equal(["migrations"], pending);
        var migrated = await world.RunAsync("migrate");
        Assert.True(migrated.ExitCode == 0, migrated.Error);
        Assert.Contains("own 1", migrated.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(
            await CodesAsync(world),
            c => c.StartsWith("engine-table", StringComparison.Ordinal) || c.StartsWith("engine-column", StringComparison.Ordinal)
        );
        Assert.Contains("Every declared entity has its table", (await world.RunAsync("migrate", "--plan")).Out, StringComparison.Ordinal);

        await world.SourceAsync(
            "INSERT INTO loyalty_program (name) VALUES ('one'); INSERT INTO loyalty_card (program_id, code, points) VALUES (1, 'A', 1)"
        );
        await world.RunUntilAsync("SELECT EXISTS (SELECT FROM loyalty_cards WHERE points = 1)");
    }

    [Fact]
    public async Task A_fresh_engine_needs_no_plan_for_tables_that_pending_migrations_make()
    {
        await using var world = await HostWorld.CreateUnmigratedAsync(servers);
        var plan = await world.RunAsync("migrate", "--plan");
        Assert.Contains("'cdc migrate' will apply 1 (cdc)", plan.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("CREATE TABLE", plan.Out, StringComparison.Ordinal);
        Assert.False(await world.EngineAsync<bool>("SELECT to_regclass('cdc_migrations') IS NOT NULL"));
    }

    [Fact]
    public async Task Own_numbers_never_meet_ours()
    {
        await using var world = await WorldAsync("SELECT");
        var ours = await world.EngineAsync<long>("SELECT count(*) FROM cdc_migrations");
        Write(1, "first", "CREATE TABLE first ()", "DROP TABLE first");
        Write(2, "second", "CREATE TABLE second ()", "DROP TABLE second");
        Assert.Equal(0, (await world.RunAsync("migrate", "--own", "--to", "1")).ExitCode);
        Assert.Equal("1", await world.EngineAsync<string>(Applied));
        Assert.Equal(0, (await world.RunAsync("migrate")).ExitCode);
        Assert.Equal("1,2", await world.EngineAsync<string>(Applied));
        Assert.Equal(0, (await world.RunAsync("migrate", "--own", "--down", "0", "--yes")).ExitCode);
        Assert.Equal("", await world.EngineAsync<string>(Applied));
        Assert.Equal(0, (await world.RunAsync("migrate", "--down", $"{ours - 1}", "--yes")).ExitCode);
        Assert.Equal(ours - 1, await world.EngineAsync<long>("SELECT count(*) FROM cdc_migrations"));
    }

    [Fact]
    public async Task What_is_wrong_with_own_migrations_is_named()
    {
        await using var world = await WorldAsync("SELECT");
        Assert.Contains("There is no migration in", (await world.RunAsync("migrate")).Error, StringComparison.Ordinal);
        Write(2, "second", "SELECT 1", "SELECT 1");
        var gap = await world.RunAsync("migrate");
        Assert.Equal((int)FailureKind.Migration, gap.ExitCode);
        Assert.Contains("Migration 1 is missing", gap.Error, StringComparison.Ordinal);
        Assert.Equal(["migration-files"], await CodesAsync(world));
        Write(1, "first", "SELECT 1", "SELECT 1");
        Assert.Equal(0, (await world.RunAsync("migrate")).ExitCode);
        Write(1, "first", "SELECT 2", "SELECT 1");
        Assert.Equal(["migration-changed"], await CodesAsync(world));
        Write(1, "first", "SELECT 1", "SELECT 1");
        await world.EngineAsync("INSERT INTO cdc_own_migrations (version, name, checksum) VALUES (7, 'other', 'x')");
        Assert.Equal(["engine-newer"], await CodesAsync(world));
        world.OwnMigrations = "";
        var none = await world.RunAsync("migrate", "--own");
        Assert.Equal((int)FailureKind.Usage, none.ExitCode);
        Assert.Contains("CDC__Entities__Migrations", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_engine_that_is_newer_than_the_program_says_so_everywhere()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        await world.EngineAsync("INSERT INTO cdc_migrations (version, name, checksum) VALUES (99, 'of tomorrow', 'x')");
        Assert.Equal(["engine-newer"], await CodesAsync(world));
        foreach (var (code, command) in ((int, string)[])[(4, "run"), (4, "check"), (6, "migrate")])
        {
            var (exitCode, output) = await world.RunProcessAsync(null, command);
            Assert.Equal((command, code), (command, exitCode));
            Assert.Contains("newer than this program", output, StringComparison.Ordinal);
            Assert.DoesNotContain("Run 'cdc migrate'", output, StringComparison.Ordinal);
        }
        var list = await world.RunAsync("migrate", "--list");
        Assert.Equal(0, list.ExitCode);
        Assert.Contains("99", list.Out, StringComparison.Ordinal);
        Assert.Contains("the engine is newer", list.Out, StringComparison.Ordinal);
    }

    private async Task<HostWorld> WorldAsync(string engine)
    {
        var world = await HostWorld.CreateWholeAsync(servers);
        await world.EngineAsync(engine);
        world.OwnMigrations = _folder.FullName;
        return world;
    }

    private void Write(int version, string name, string up, string down)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, $"{version:D4}_{name}.up.sql"), up);
        File.WriteAllText(Path.Combine(_folder.FullName, $"{version:D4}_{name}.down.sql"), down);
    }

    /// <summary>Of the errors.</summary>
    private static async Task<IReadOnlyList<string>> CodesAsync(HostWorld world)
    {
        var check = await world.RunAsync("check", "--json");
        return
        [
            .. JsonDocument
                .Parse(check.Out)
                .RootElement.GetProperty("findings")
                .EnumerateArray()
                .Where(f => f.GetProperty("isError").GetBoolean())
                .Select(f => f.GetProperty("code").GetString()!),
        ];
    }
}
