using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class QuarantineTests(TestServers servers)
{
    [Fact]
    public async Task List_filters_by_entity_and_key_and_shows_no_values()
    {
        await using var world = await FilledAsync();
        Assert.Equal(3, await ListedAsync(world));
        Assert.Equal(2, await ListedAsync(world, "card"));
        Assert.Equal(1, await ListedAsync(world, "card", "17"));
        Assert.Equal(1, await ListedAsync(world, "loyalty_point_move"));
        var run = await world.RunAsync("quarantine", "list", "--json");
        Assert.DoesNotContain("SECRET-CODE", run.Out, StringComparison.Ordinal);
        Assert.Contains("1 of 3 entries", (await world.RunAsync("quarantine", "list", "--limit", "1")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_explains_a_rule_with_the_source_values_and_what_to_do()
    {
        await using var world = await FilledAsync();
        var run = await world.RunAsync("quarantine", "show", "card", "17");
        Assert.Equal(0, run.ExitCode);
        string[] expected =
        [
            "card 17 is in quarantine since 2026-01-02 03:04:05Z",
            "demands: code <> '' (a card needs a code)",
            "attempts:  4",
            "change:    3:0/1A:2",
            "  code = \"SECRET-CODE\"",
            "cdc quarantine retry card 17",
            "cdc quarantine discard card 17",
            "Fix the row in Odoo",
            "Delete the row in Odoo",
        ];
        Assert.All(expected, part => Assert.Contains(part, run.Out, StringComparison.Ordinal));
        Assert.Contains(
            "a column that the engine needs is NULL in Odoo",
            (await world.RunAsync("quarantine", "show", "move", "5")).Out,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("card", "code-too-long", "length(")]
    [InlineData("card", "points-too-large", "does not fit in numeric")]
    [InlineData("move", "loyalty-card-id-null", "IS NOT NULL")]
    public async Task Show_explains_a_rule_that_follows_from_the_type_of_a_column(string entity, string reason, string explained)
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        await world.EngineAsync(
            $"INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at) VALUES ('{entity}', 1, 1, '0/1', 1, '{reason}', 'detail', now())"
        );
        var run = await world.RunAsync("quarantine", "show", entity, "1");
        Assert.Contains("the type of the engine's column demands", run.Out, StringComparison.Ordinal);
        Assert.Contains(explained, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_of_what_is_not_there_says_so()
    {
        await using var world = await FilledAsync();
        Assert.Equal((int)FailureKind.Usage, (await world.RunAsync("quarantine", "show", "card", "999")).ExitCode);
        var run = await world.RunAsync("quarantine", "show", "crad", "17");
        Assert.Equal((int)FailureKind.Usage, run.ExitCode);
        Assert.Contains("Did you mean \"card\"?", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("card 17", "card/17")]
    [InlineData("card", "card/17 card/18")]
    [InlineData("--all", "card/17 card/18 move/5")]
    public async Task Retry_asks_for_what_is_meant_and_nothing_else(string args, string asked)
    {
        await using var world = await FilledAsync();
        Assert.Equal(0, (await world.RunAsync(["quarantine", "retry", .. args.Split(' ')])).ExitCode);
        Assert.Equal(
            asked,
            await world.EngineAsync<string>(
                "SELECT string_agg(entity || '/' || key, ' ' ORDER BY entity, key) FROM cdc.quarantine WHERE retry_requested"
            )
        );
    }

    [Fact]
    public async Task Discard_without_yes_and_without_a_terminal_changes_nothing()
    {
        await using var world = await FilledAsync();
        var run = await world.RunAsync("quarantine", "discard", "card");
        Assert.Equal((int)FailureKind.Refused, run.ExitCode);
        Assert.Contains("2 quarantine entries are deleted: all of card", run.Error, StringComparison.Ordinal);
        Assert.Equal(3, await world.EngineAsync<long>("SELECT count(*) FROM cdc.quarantine"));
    }

    [Fact]
    public async Task Discard_when_confirmed_deletes_what_is_meant_and_nothing_else()
    {
        await using var world = await FilledAsync();
        Assert.Equal(
            (int)FailureKind.Refused,
            (await world.RunAsync("n\n", new StringWriter(), HostWorld.Ct, "quarantine", "discard", "card", "17")).ExitCode
        );
        Assert.Equal(0, (await world.RunAsync("y\n", new StringWriter(), HostWorld.Ct, "quarantine", "discard", "card", "17")).ExitCode);
        Assert.Equal(
            "card/18 move/5",
            await world.EngineAsync<string>("SELECT string_agg(entity || '/' || key, ' ' ORDER BY entity, key) FROM cdc.quarantine")
        );
        Assert.Equal(0, (await world.RunAsync("quarantine", "discard", "--all", "--yes")).ExitCode);
        Assert.Equal(0, await world.EngineAsync<long>("SELECT count(*) FROM cdc.quarantine"));
    }

    private async Task<HostWorld> FilledAsync()
    {
        var world = await HostWorld.CreateAsync(servers);
        await world.EngineAsync(
            """
            INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, source_row, commit_at, first_seen, attempts) VALUES
              ('card', 17, 3, '0/1A', 2, 'code-empty', 'code is empty', '{"id": 17, "code": "SECRET-CODE"}', now(), '2026-01-02 03:04:05Z', 4),
              ('card', 18, 3, '0/1A', 3, 'code-empty', 'code is empty', NULL, '-infinity', now(), 1),
              ('move', 5, 3, '0/1A', 4, '23502', 'gain_date', NULL, now(), now(), 1)
            """
        );
        return world;
    }

    private static async Task<int> ListedAsync(HostWorld world, params string[] filter)
    {
        var run = await world.RunAsync(["quarantine", "list", .. filter, "--json"]);
        Assert.Equal(0, run.ExitCode);
        return JsonDocument.Parse(run.Out).RootElement.GetProperty("entries").GetArrayLength();
    }
}
